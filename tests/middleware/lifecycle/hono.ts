import { session } from "../../../middleware/hono.ts";
import { App, type Data, HandlerError } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";
import type { Session } from "../../../core/session.ts";

/** Hono, on Deno. */
export const hono: Driver = {
  name: "Hono",
  traits: {
    thrownResponse: "answer",
    twice: 0,
    nothing: "error",
    upgrade: "sent",
  },
  packages: ["npm:hono@4.13.19"],
  async serve() {
    const { Hono } = await import("npm:hono@4.13.19");
    const app = new App();
    const server = new Hono<
      { Variables: { session: Session<Data>; other: Session<Data> } }
    >();
    server.onError((error, c) => {
      app.failed(error);
      return c.text("failed", 500);
    });
    server.use("/control/*", async (c, next) => {
      const answer = await controlled(app, c.req.raw);
      return answer ?? await next();
    });
    server.use(session(app.storage));
    server.use(session(app.other, { key: "other" }));
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
          if (reply.body === null) break;
          for (const [name, value] of reply.headers ?? []) {
            c.header(name, value, { append: true });
          }
          return c.text(reply.body, 200);
        case "redirect":
          return c.redirect(reply.to, 303);
        case "throw":
          throw new HandlerError("the handler failed");
      }
      return toResponse(reply, request, upgradeWithDeno) as Response;
    });
    return serveFetch(app, server.fetch as (r: Request) => Promise<Response>);
  },
};
