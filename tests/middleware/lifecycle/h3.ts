import type { Session } from "../../../core/session.ts";
import { session } from "../../../middleware/h3.ts";
import { App, type Data } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";

/** h3 2, on Deno. */
export const h3: Driver = {
  name: "h3",
  traits: {
    thrownResponse: "answer",
    twice: 1,
    nothing: "answer",
    upgrade: "sent",
  },
  packages: ["npm:h3@2.0.8"],
  async serve() {
    const { H3 } = await import("npm:h3@2.0.8");
    const app = new App();
    const server = new H3({
      silent: true,
      onError(error) {
        app.failed(error.cause ?? error);
        return new Response("failed", { status: 500 });
      },
    });
    server.use(async (event, next) =>
      await controlled(app, event.req) ?? await next()
    );
    server.use(session(app.storage));
    server.use(session(app.other, { key: "other" }));
    server.use("/twice", async (_event, next) => {
      await next();
      return await next();
    });
    server.all("/**", async (event) => {
      const { session, other } = event.context as unknown as {
        session: Session<Data>;
        other: Session<Data>;
      };
      const reply = await app.visit(pathOf(event.req), { session, other });
      // The ways of its own: headers on the event, and any value for a body.
      if (reply.kind === "text" && reply.body && !reply.status) {
        return reply.body;
      }
      if (reply.kind === "text" && reply.body !== null) {
        for (const [name, value] of reply.headers ?? []) {
          event.res.headers.append(name, value);
        }
        event.res.status = reply.status ?? 200;
        return reply.body;
      }
      return toResponse(reply, event.req, upgradeWithDeno);
    });
    return serveFetch(app, (request) => server.fetch(request));
  },
};
