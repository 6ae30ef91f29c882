import type { Session } from "../../../core/session.ts";
import { session, type SessionState } from "../../../middleware/oak.ts";
import { App, type Data, HandlerError } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { controlled, liveStream, OWN_HEADERS, streamOf } from "./_fetch.ts";

/**
 * oak, on Deno. oak's npm package uses undici's `Request` and `Response`, which Deno's server does not accept. The
 * package's own server for Node sends only the last of several cookies.
 */
export const oak: Driver = {
  name: "oak",
  answers: [
    "ctx.response.with()",
    "Headers for ctx.response.headers",
    "thrown HttpError",
  ],
  traits: {
    thrownResponse: "error",
    httpError: "answer",
    errorPage: "cleared",
    twice: 0,
    nothing: "answer",
    upgrade: "refused",
  },
  packages: ["npm:@oakserver/oak@14.1.0", "npm:undici@6.29.1"],
  async serve() {
    const { Application, createHttpError } = await import(
      "npm:@oakserver/oak@14.1.0"
    );
    const undici = await import("npm:undici@6.29.1");
    const app = new App();
    const server = new Application<
      SessionState<typeof app.storage> & { other: Session<Data> }
    >({ logErrors: false });
    server.addEventListener("error", ({ error }) => app.failed(error));
    server.use(session(app.storage));
    server.use(session(app.other, { key: "other", ...app.strict }));
    server.use(async (ctx, next) => {
      await next();
      if (ctx.request.url.pathname === "/twice") await next();
    });
    const upgraded = new WeakMap<Request, Response>();
    const toHome = () => new Headers(OWN_HEADERS);
    server.use(async (ctx) => {
      const { request, response, state } = ctx;
      const source = request.source as unknown as Request;
      const reply = await app.visit(request.url.pathname, state);
      switch (reply.kind) {
        case "text":
          response.status = reply.status ?? 200;
          for (const [name, value] of reply.headers ?? []) {
            response.headers.append(name, value);
          }
          response.body = reply.body;
          return;
        case "redirect":
          response.status = 303;
          response.redirect(reply.to);
          return;
        case "stream":
          response.body = streamOf(reply.onSent);
          return;
        case "live":
          response.body = liveStream(reply.rest);
          return;
        case "passed":
          response.with(await undici.fetch(reply.from));
          return;
        case "http error":
          return ctx.throw(reply.status as 401);
        case "shared":
          if (reply.name === "thrown HttpError") {
            throw app.share(reply.name, () => createHttpError(401));
          }
          if (reply.name === "ctx.response.with()") {
            response.with(
              app.share(reply.name, () =>
                new undici.Response(null, {
                  status: 303,
                  headers: OWN_HEADERS,
                })),
            );
          } else {
            response.status = 303;
            response.headers = app.share(reply.name, toHome);
          }
          return;
        case "throw":
          throw new HandlerError("the handler failed");
        case "throw redirect":
          throw Response.redirect("http://localhost/notice");
        case "upgrade":
          // As ctx.upgrade() does in oak on Deno.
          ctx.respond = false;
          upgraded.set(source, upgradeWithDeno(source));
      }
    });
    return serveFetch(
      app,
      async (request) => {
        const answer = await controlled(app, request);
        if (answer) return answer;
        const made = await server.handle(request as never);
        const { body, status, headers } = made ?? {};
        return upgraded.get(request) ??
          new Response(body as ReadableStream, {
            status: status ?? 500,
            headers: [...headers ?? []],
          });
      },
    );
  },
};
