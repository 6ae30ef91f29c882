import type { Session } from "../../../core/session.ts";
import {
  type AstroContextLike,
  type AstroMiddleware,
  session,
} from "../../../middleware/astro.ts";
import { type Data, HandlerError } from "./_app.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";
import { app } from "./_node_app.ts";

interface Context extends AstroContextLike {
  readonly locals: { session: Session<Data>; other: Session<Data> };
}

const control: AstroMiddleware = async (context, next) => {
  const answer = await controlled(app, context.request);
  if (answer) return answer;
  try {
    return await next();
  } catch (error) {
    // Astro prints errors, and does not report them to anybody.
    app.failed(error);
    throw error;
  }
};

const twice: AstroMiddleware = async ({ request }, next) => {
  const response = await next();
  return pathOf(request) === "/twice" ? await next() : response;
};

/** The middlewares. */
export const middlewares: readonly AstroMiddleware[] = [
  control,
  session(app.storage),
  session(app.other, { key: "other", ...app.strict }),
  twice,
];

/** The endpoint of every path. */
export async function endpoint(
  { request, locals }: Context,
): Promise<Response | undefined> {
  const reply = await app.visit(pathOf(request), locals);
  switch (reply.kind) {
    case "http error":
      return new Response("refused", { status: reply.status });
    case "throw":
      throw new HandlerError("the handler failed");
  }
  return await toResponse(app, reply, request, () => undefined);
}
