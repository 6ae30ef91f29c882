import type { Session } from "../../../core/session.ts";
import {
  session,
  type TanStackStartArgsLike,
} from "../../../middleware/tanstack_start.ts";
import { type Data, HandlerError } from "./_app.ts";
import { controlled, OWN_HEADERS, pathOf, toResponse } from "./_fetch.ts";
import { app } from "./_node_app.ts";

type Middleware = (
  args: TanStackStartArgsLike & { next(options?: object): unknown },
) => unknown;

/** What the application imports from TanStack Start. */
interface Start {
  redirect(options: object): Response;
}

interface Args {
  readonly request: Request;
  readonly context: { session: Session<Data>; other: Session<Data> };
}

const control: Middleware = async ({ request, next }) => {
  const answer = await controlled(app, request);
  if (answer) return answer;
  try {
    return await next();
  } catch (error) {
    app.failed(error);
    throw error;
  }
};

const twice: Middleware = async ({ request, next }) => {
  const result = await next();
  return pathOf(request) === "/twice" ? await next() : result;
};

/** The middlewares. */
export const middlewares: readonly unknown[] = [
  control,
  session(app.storage),
  session(app.other, { key: "other", ...app.strict }),
  twice,
];

/** The handler of every path. */
export function handler({ redirect }: Start): (args: Args) => unknown {
  return async ({ request, context }) => {
    const reply = await app.visit(pathOf(request), context);
    if (reply.kind === "throw") throw new HandlerError("the handler failed");
    if (reply.kind === "redirect") {
      throw redirect({ to: reply.to, statusCode: 303 });
    }
    if (reply.kind === "shared" && reply.name === "redirect()") {
      // TanStack Start completes a redirect in place, so this one is complete.
      const { Location: href } = OWN_HEADERS;
      const options = { href, statusCode: 303, reloadDocument: true };
      throw app.share(
        reply.name,
        () => redirect({ ...options, headers: OWN_HEADERS }),
      );
    }
    return await toResponse(app, reply, request, () => undefined);
  };
}
