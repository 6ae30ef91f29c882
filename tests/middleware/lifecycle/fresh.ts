import { type FreshContextLike, session } from "../../../middleware/fresh.ts";
import { App } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { controlled, pathOf, SHARED_RESPONSES, toResponse } from "./_fetch.ts";

/** Fresh's HTTP errors, a missing page among them. */
class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number) {
    super();
    this.status = status;
  }
}

/** Runs middlewares as Fresh does: they share one context, and `next` is replaced before each. */
function compose(
  middlewares: ((ctx: FreshContextLike) => Promise<Response>)[],
  onError: (error: unknown) => void,
): (request: Request) => Promise<Response> {
  return async (req) => {
    const ctx = {
      req,
      state: {},
      error: null as unknown,
      next: (): Promise<Response> => Promise.reject(new HttpError(404)),
    };
    const run = middlewares.reduceRight<() => Promise<Response>>(
      (next, middleware) => async () => {
        ctx.next = next;
        try {
          return await middleware(ctx);
        } catch (error) {
          ctx.error = error;
          throw error;
        }
      },
      ctx.next,
    );
    try {
      const response = await run();
      if (!(response instanceof Response)) throw new TypeError("no Response");
      return req.method === "HEAD" ? new Response(null, response) : response;
    } catch (error) {
      onError(error);
      const { status = 500 } = error as Partial<HttpError>;
      return new Response("failed", { status });
    }
  };
}

/** A mock of Fresh 2, which is not on npm. It does only what middlewares see of Fresh. */
export const fresh: Driver = {
  name: "Fresh 2 (mock)",
  answers: SHARED_RESPONSES,
  traits: {
    thrownResponse: "answer",
    httpError: "error",
    errorPage: "kept",
    twice: 0,
    nothing: "error",
    upgrade: "sent",
  },
  serve() {
    const app = new App();
    const server = compose([
      session(app.storage),
      session(app.other, { key: "other", ...app.strict }),
      async (ctx) => {
        const response = await ctx.next();
        return pathOf(ctx.req) === "/twice" ? await ctx.next() : response;
      },
      async ({ req, state }) => {
        const reply = await app.visit(pathOf(req), state);
        if (reply.kind === "http error") throw new HttpError(reply.status);
        return await toResponse(
          app,
          reply,
          req,
          upgradeWithDeno,
        ) as Response;
      },
    ], (error) => app.failed(error));
    return Promise.resolve(serveFetch(
      app,
      async (request) => await controlled(app, request) ?? server(request),
    ));
  },
};
