import type { Middleware } from "npm:@remix-run/fetch-router@0.20.1";
import type { Session } from "../../../core/session.ts";
import {
  session,
  type SessionContextEntry,
} from "../../../middleware/remix.ts";
import { App, type Data } from "./_app.ts";
import {
  type Driver,
  serveFetch,
  upgradeWithDeno,
  withoutAbort,
} from "./_driver.ts";
import { controlled, SHARED_RESPONSES, toResponse } from "./_fetch.ts";

/** Remix 3's router, on Deno. */
export const remix: Driver = {
  name: "Remix 3",
  answers: SHARED_RESPONSES,
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "kept",
    twice: 0,
    nothing: "error",
    upgrade: "sent",
  },
  packages: ["npm:@remix-run/fetch-router@0.20.1"],
  async serve() {
    const { createContextKey, createRouter } = await import(
      "npm:@remix-run/fetch-router@0.20.1"
    );
    const app = new App();
    const Other = createContextKey<Session<Data>>();
    const sessions: Middleware<SessionContextEntry<typeof app.storage>> =
      session(app.storage);
    const others: Middleware = session(app.other, {
      key: Other,
      property: "other",
      ...app.strict,
    });
    const twice: Middleware = async ({ url }, next) => {
      const response = await next();
      return url.pathname === "/twice" ? await next() : response;
    };
    const router = createRouter({
      middleware: [sessions, others, twice],
      defaultHandler: async (context) =>
        await toResponse(
          app,
          await app.visit(context.url.pathname, {
            session: context.session,
            other: context.get(Other) as Session<Data>,
          }),
          context.request,
          upgradeWithDeno,
        ) as Response,
    });
    return serveFetch(
      app,
      async (request) =>
        await controlled(app, request) ?? router.fetch(withoutAbort(request)),
    );
  },
};
