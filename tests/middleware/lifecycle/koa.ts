import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import type { Session } from "../../../core/session.ts";
import { session, type SessionContext } from "../../../middleware/koa.ts";
import { App, type Data, HandlerError, type Reply } from "./_app.ts";
import type { Driver, Served } from "./_driver.ts";
import { liveStream, OWN_HEADERS } from "./_fetch.ts";
import {
  controlledByNode,
  listen,
  readableOf,
  sendReply,
  SHARED_HEADERS,
} from "./_node.ts";

/** Koa 3. */
export const koa: Driver = {
  name: "Koa",
  answers: [
    ...SHARED_HEADERS,
    "an object for ctx.set()",
    "an object for ctx.body",
    "thrown HttpError",
  ],
  traits: {
    thrownResponse: "error",
    httpError: "answer",
    errorPage: "cleared",
    twice: 0,
    nothing: "answer",
    upgrade: "sent",
  },
  packages: ["npm:koa@3.3.0", "npm:http-errors@2.0.1"],
  async serve() {
    return await serveKoa((await import("npm:koa@3.3.0")).default);
  },
};

/** Koa 2. */
export const koa2: Driver = {
  ...koa,
  name: "Koa 2",
  packages: ["npm:koa@2.16.4", "npm:http-errors@2.0.1"],
  async serve() {
    return await serveKoa((await import("npm:koa@2.16.4")).default);
  },
};

async function serveKoa(Koa: Any): Promise<Served> {
  const { default: createError } = await import("npm:http-errors@2.0.1");
  const app = new App();
  const server = new Koa();
  server.on("error", (error: unknown) => app.failed(error));
  server.use(session(app.storage));
  server.use(session(app.other, { key: "other", ...app.strict }));
  server.use(async (ctx: Any, next: () => Promise<void>) => {
    await next();
    if (ctx.path === "/twice") await next();
  });
  const share = (ctx: Any, name: string) => {
    ctx.status = 303;
    switch (name) {
      case "an object for ctx.set()":
        ctx.set(app.share(name, () => ({ ...OWN_HEADERS })));
        ctx.body = "";
        return true;
      case "an object for ctx.body":
        ctx.body = app.share(name, () => ({ ok: true }));
        return true;
      case "thrown HttpError":
        // Koa sets the status of an error itself.
        throw app.share(
          name,
          () => Object.assign(createError(401), { status: 401 }),
        );
    }
    return false;
  };
  server.use(async (ctx: Any) => {
    const sessions = ctx as
      & SessionContext<typeof app.storage>
      & { other: Session<Data> };
    const reply: Reply = await app.visit(ctx.path, sessions);
    switch (reply.kind) {
      case "text": {
        const { body, status = 200, headers = [] } = reply;
        for (const [name, value] of headers) ctx.append(name, value);
        ctx.status = status;
        ctx.body = body instanceof Uint8Array ? Buffer.from(body) : body;
        return;
      }
      case "redirect":
        ctx.status = 303;
        ctx.redirect(reply.to);
        return;
      case "stream":
        ctx.body = readableOf(reply.onSent);
        return;
      case "live":
        ctx.body = Readable.fromWeb(liveStream(reply.rest) as Any);
        return;
      case "passed": {
        const { status, headers, body } = await fetch(reply.from);
        ctx.status = status;
        ctx.set("Set-Cookie", headers.getSetCookie());
        ctx.body = Readable.fromWeb(body as Any);
        return;
      }
      case "throw":
        throw new HandlerError("the handler failed");
      case "http error":
        return ctx.throw(reply.status);
      case "nothing":
        return;
      case "shared":
        if (share(ctx, reply.name)) return;
        break;
      case "throw redirect":
        return await sendReply(app, ctx.res, reply);
    }
    ctx.respond = false;
    await sendReply(app, ctx.res, reply);
  });
  const handle = server.callback();
  return await listen(
    app,
    createServer((req, res) => {
      if (!controlledByNode(app, req.url ?? "", res)) void handle(req, res);
    }),
  );
}

// deno-lint-ignore no-explicit-any -- Koa comes without types
type Any = any;
