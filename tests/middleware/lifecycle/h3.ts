import type { Session } from "../../../core/session.ts";
import { session, type SessionContext } from "../../../middleware/h3.ts";
import { App, type Data, HandlerError } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { controlled, streamOf, toResponse } from "./_fetch.ts";

/** h3, on Deno. */
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
    const { H3, HTTPResponse } = await import("npm:h3@2.0.8");
    const app = new App();
    const server = new H3({
      silent: true,
      onError(error) {
        app.failed(error.cause ?? error);
      },
    });
    server.use(session(app.storage));
    server.use(session(app.other, { key: "other" }));
    server.use(async (event, next) => {
      const answer = await next();
      return event.url.pathname === "/twice" ? await next() : answer;
    });
    server.use(async (event) => {
      const reply = await app.visit(
        event.url.pathname,
        event.context as unknown as
          & SessionContext<typeof app.storage>
          & { other: Session<Data> },
      );
      switch (reply.kind) {
        case "text":
          if (reply.status === 304) break;
          if (reply.headers?.length) {
            return new HTTPResponse(reply.body, { headers: reply.headers });
          }
          return reply.body;
        case "redirect":
          event.res.status = 303;
          event.res.headers.set("Location", reply.to);
          return "";
        case "stream":
          return streamOf(reply.onSent);
        case "throw":
          throw new HandlerError("the handler failed");
      }
      return toResponse(reply, event.req as Request, upgradeWithDeno);
    });
    return serveFetch(
      app,
      async (request) =>
        await controlled(app, request) ?? await server.fetch(request),
    );
  },
};
