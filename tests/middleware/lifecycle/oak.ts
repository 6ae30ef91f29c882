import { session } from "../../../middleware/oak.ts";
import { App, HandlerError } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { controlled, pathOf, streamOf } from "./_fetch.ts";

/** oak, on Deno. */
export const oak: Driver = {
  name: "oak",
  traits: {
    thrownResponse: "error",
    twice: 0,
    nothing: "answer",
    upgrade: "refused",
  },
  packages: ["npm:@oakserver/oak@14.1.0"],
  async serve() {
    const { Application } = await import("npm:@oakserver/oak@14.1.0");
    const app = new App();
    const upgrades = new WeakMap<Request, Response>();
    const server = new Application({ logErrors: false });
    server.addEventListener("error", ({ error }) => app.failed(error));
    server.use(async ({ request, response }, next) => {
      const { url, method } = request;
      const answer = await controlled(
        app,
        new Request(url, { method: method === "HEAD" ? "GET" : method }),
      );
      if (answer) response.body = await answer.text();
      else await next();
    });
    server.use(session(app.storage));
    server.use(session(app.other, { key: "other" }));
    server.use(async ({ request }, next) => {
      if (request.url.pathname === "/twice") await next();
      await next();
    });
    server.use(async (ctx) => {
      const { session, other } = ctx.state;
      const { response } = ctx;
      const path = pathOf({ url: ctx.request.url.href });
      const reply = await app.visit(path, { session, other });
      switch (reply.kind) {
        case "text":
          response.status = reply.status ?? 200;
          for (const [name, value] of reply.headers ?? []) {
            response.headers.append(name, value);
          }
          response.body = reply.body;
          break;
        case "redirect":
          response.redirect(reply.to);
          response.status = 303;
          break;
        case "stream":
          response.body = streamOf(reply.onSent);
          break;
        case "throw":
          throw new HandlerError("the handler failed");
        case "throw redirect":
          throw Response.redirect(new URL(reply.to, ctx.request.url), 303);
        case "upgrade": {
          // Its own upgrade() knows only the Deno that JSR's copy runs on.
          const request = ctx.request.source as unknown as Request;
          upgrades.set(request, upgradeWithDeno(request));
          ctx.respond = false;
        }
      }
    });
    return serveFetch(app, async (request) => {
      const response = await handle(server, request);
      return response ?? upgrades.get(request) ??
        new Response(null, { status: 404 });
    });
  },
};

/** npm's copy of oak brings `Request` and `Response` of its own. */
async function handle(
  server: { handle(request: never): Promise<unknown> },
  request: Request,
): Promise<Response | undefined> {
  const response = await server.handle(request as never) as
    | Response
    | undefined;
  return response && new Response(response.body, {
    status: response.status,
    headers: [...response.headers],
  });
}
