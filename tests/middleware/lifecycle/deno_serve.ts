import { withSession } from "../../../middleware/with_session.ts";
import { App } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { controlled, pathOf, SHARED_RESPONSES, toResponse } from "./_fetch.ts";

/** `withSession` on Deno. */
export const denoServe: Driver = {
  name: "Deno.serve",
  answers: SHARED_RESPONSES,
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "kept",
    twice: 2,
    nothing: "error",
    upgrade: "sent",
  },
  async serve() {
    const app = new App();
    const handler = withSession(
      app.storage,
      (request, session) =>
        withSession(app.other, async (_, other) => {
          const visit = async () =>
            await toResponse(
              app,
              await app.visit(pathOf(request), { session, other }),
              request,
              upgradeWithDeno,
            ) as Response;
          if (pathOf(request) === "/twice") await visit();
          return await visit();
        }, app.strict)(request),
    );
    return serveFetch(
      app,
      async (request) => await controlled(app, request) ?? handler(request),
    );
  },
};
