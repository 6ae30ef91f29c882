import { session } from "../../../middleware/next.ts";
import type { NextFunctions } from "../../../middleware/next.ts";
import { HandlerError, type Reply } from "./_app.ts";
import { controlled, pathOf, SHARED_RESPONSES, toResponse } from "./_fetch.ts";
import { app } from "./_node_app.ts";

/** What the application imports from Next. */
export interface Next extends NextFunctions {
  redirect(url: string): never;
  notFound(): never;
  unauthorized(): never;
}

/** The route handler of every path. */
export function handlerOf(
  next: Next,
): (request: Request) => Promise<Response> {
  const { cookies, headers } = next;
  const site = session(app.storage, { cookies, headers });
  const others = session(app.other, { cookies, headers, ...app.strict });
  const handler = site.route((request, session, context) =>
    others.route(async (request, other) => {
      const path = pathOf(request);
      // Next has no middleware that could run a handler twice.
      if (path === "/twice") await app.visit(path, { session, other });
      const reply = await app.visit(path, { session, other });
      const answer = await answerOf(next, reply, request);
      return answer as Response;
    })(request, context)
  );
  return async (request) => {
    const answer = await controlled(app, request);
    if (answer) return answer;
    try {
      return await handler(request, undefined);
    } catch (error) {
      app.failed(error);
      throw error;
    }
  };
}

async function answerOf(
  next: Next,
  reply: Reply,
  request: Request,
): Promise<Response | undefined> {
  if (reply.kind === "throw") throw new HandlerError("the handler failed");
  if (reply.kind === "http error") {
    if (reply.status === 404) next.notFound();
    if (reply.status === 401) next.unauthorized();
  }
  if (
    reply.kind === "shared" &&
    !SHARED_RESPONSES.some((name) => name === reply.name)
  ) throw thrown(next, reply.name);
  return await toResponse(app, reply, request, () => undefined);
}

/** What a function of Next has thrown once. */
function thrown(next: Next, name: string): unknown {
  return app.share(name, () => {
    try {
      return name === "redirect()" ? next.redirect("/home") : next.notFound();
    } catch (error) {
      return error;
    }
  });
}
