import type { Session } from "../../../core/session.ts";
import { session, type SessionContext } from "../../../middleware/h3.ts";
import { App, type Data, HandlerError, type Reply } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import {
  controlled,
  OWN_HEADERS,
  SHARED_RESPONSES,
  streamOf,
  toResponse,
} from "./_fetch.ts";

/** h3, on Deno. */
export const h3: Driver = {
  name: "h3",
  answers: [
    ...SHARED_RESPONSES,
    "an object",
    "a string",
    "null",
    "a stream",
    "HTTPResponse",
    "thrown HTTPError",
    "returned HTTPError",
    "HTTPError with headers",
    "returned Error",
  ],
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "cleared",
    twice: 1,
    nothing: "answer",
    upgrade: "sent",
  },
  packages: ["npm:h3@2.0.8"],
  async serve() {
    const { H3, HTTPError, HTTPResponse } = await import("npm:h3@2.0.8");
    const app = new App();
    const server = new H3({
      silent: true,
      onError(error) {
        app.failed(error.cause ?? error);
      },
    });
    server.use(session(app.storage));
    server.use(session(app.other, { key: "other", ...app.strict }));
    server.use(async (event, next) => {
      const answer = await next();
      return event.url.pathname === "/twice" ? await next() : answer;
    });
    const shared: Record<string, () => unknown> = {
      "an object": () => ({ ok: true }),
      "a string": () => "ok",
      "null": () => null,
      "HTTPResponse": () =>
        new HTTPResponse("ok", { status: 201, headers: OWN_HEADERS }),
      "thrown HTTPError": () => new HTTPError({ status: 401 }),
      "returned HTTPError": () => new HTTPError({ status: 401 }),
      "HTTPError with headers": () =>
        new HTTPError({ status: 401, headers: OWN_HEADERS }),
      "returned Error": () => new HandlerError("the handler failed"),
    };
    const share = ({ name }: Extract<Reply, { kind: "shared" }>) => {
      const answer = app.share(name, shared[name]!);
      if (name.startsWith("thrown")) throw answer;
      return answer;
    };
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
            const { status, headers } = reply;
            return new HTTPResponse(reply.body, {
              headers,
              ...(status && { status }),
            });
          }
          event.res.status = reply.status ?? 200;
          return reply.body;
        case "redirect":
          event.res.status = 303;
          event.res.headers.set("Location", reply.to);
          return "";
        case "stream":
          return streamOf(reply.onSent);
        case "throw":
          throw new HandlerError("the handler failed");
        case "http error":
          throw new HTTPError({ status: reply.status });
        case "shared":
          if (reply.name === "a stream") return streamOf(() => {});
          if (reply.name in shared) return share(reply);
      }
      return await toResponse(
        app,
        reply,
        event.req as Request,
        upgradeWithDeno,
      );
    });
    return serveFetch(
      app,
      async (request) =>
        await controlled(app, request) ?? await server.fetch(request),
    );
  },
};
