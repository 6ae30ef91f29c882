import { Hono } from "npm:hono@4.13.19";
import { HTTPException } from "npm:hono@4.13.19/http-exception";
import { session } from "../../../middleware/hono.ts";
import { type App, type Data, HandlerError } from "./_app.ts";
import {
  controlled,
  OWN_HEADERS,
  pathOf,
  SHARED_RESPONSES,
  toResponse,
} from "./_fetch.ts";
import type { Session } from "../../../core/session.ts";

/** Builds the application with Hono. */
export function honoApp(
  app: App,
  upgrade: (request: Request) => Response | undefined,
): (request: Request) => Promise<Response> {
  const server = new Hono<
    { Variables: { session: Session<Data>; other: Session<Data> } }
  >();
  server.onError((error, c) => {
    app.failed(error);
    return error instanceof HTTPException
      ? error.getResponse()
      : c.text("failed", 500);
  });
  server.use("/control/*", async (c, next) => {
    const answer = await controlled(app, c.req.raw);
    return answer ?? await next();
  });
  server.use(session(app.storage));
  server.use(session(app.other, { key: "other", ...app.strict }));
  server.use("/twice", async (_c, next) => {
    await next();
    await next();
  });
  server.all("*", async (c) => {
    const request = c.req.raw;
    const reply = await app.visit(pathOf(request), {
      session: c.get("session"),
      other: c.var.other,
    });
    switch (reply.kind) {
      case "text":
        for (const [name, value] of reply.headers ?? []) {
          c.header(name, value, { append: true });
        }
        return c.body(reply.body as string, (reply.status ?? 200) as 200);
      case "redirect":
        return c.redirect(reply.to, 303);
      case "throw":
        throw new HandlerError("the handler failed");
      case "http error":
        throw new HTTPException(reply.status as 401);
      case "shared":
        if (SHARED_RESPONSES.some((name) => name === reply.name)) break;
        throw app.share(
          reply.name,
          () =>
            reply.name === "HTTPException"
              ? new HTTPException(401)
              : new HTTPException(401, {
                res: new Response(null, { headers: OWN_HEADERS }),
              }),
        );
    }
    return await toResponse(app, reply, request, upgrade) as Response;
  });
  return server.fetch as (request: Request) => Promise<Response>;
}
