import type { Session } from "../../../core/session.ts";
import {
  type FreshContextLike,
  type FreshMiddleware,
  session,
} from "../../../middleware/fresh.ts";
import { App, type Data } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";

interface State {
  session: Session<Data>;
  other: Session<Data>;
}

/**
 * Fresh 2's contract for middlewares, on Deno: a context with the request, a state for each request, and `next()`,
 * which throws what a later middleware throws. npm has no Fresh.
 */
export const fresh: Driver = {
  name: "Fresh (its contract)",
  traits: {
    thrownResponse: "answer",
    twice: 2,
    nothing: "error",
    upgrade: "sent",
  },
  serve() {
    const app = new App();
    const middlewares: FreshMiddleware[] = [
      async ({ req, next }) => await controlled(app, req) ?? await next(),
      session(app.storage),
      session(app.other, { key: "other" }),
      async ({ req, next }) => {
        if (pathOf(req) === "/twice") await next();
        return await next();
      },
      async ({ req, state }) => {
        const reply = await app.visit(pathOf(req), state as State);
        return toResponse(reply, req, upgradeWithDeno) as Response;
      },
    ];
    const run = (
      at: number,
      context: Omit<FreshContextLike, "next">,
    ): Promise<Response> =>
      middlewares[at]!({ ...context, next: () => run(at + 1, context) });
    return Promise.resolve(
      serveFetch(app, (req) => run(0, { req, state: {} })),
    );
  },
};
