import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import {
  loader,
  session,
  type WithSession,
} from "../../../middleware/express.ts";
import { App, type Data, HandlerError } from "./_app.ts";
import type { Session } from "../../../core/session.ts";
import type { Driver, Served } from "./_driver.ts";
import { OWN_HEADERS, sharedResponse } from "./_fetch.ts";
import {
  controlledByNode,
  listen,
  sendReply,
  SHARED_HEADERS,
} from "./_node.ts";

/** Express 5. */
export const express: Driver = {
  name: "Express",
  answers: [
    ...SHARED_HEADERS,
    "an object for res.set()",
    "a Response of a loader",
    "thrown HttpError",
  ],
  traits: {
    thrownResponse: "error",
    httpError: "answer",
    errorPage: "cleared",
    twice: 1,
    nothing: "open",
    upgrade: "sent",
  },
  packages: ["npm:express@5.3.0", "npm:http-errors@2.0.1"],
  async serve() {
    return await serveExpress((await import("npm:express@5.3.0")).default);
  },
};

/** Express 4. */
export const express4: Driver = {
  ...express,
  name: "Express 4",
  packages: ["npm:express@4.22.3", "npm:http-errors@2.0.1"],
  async serve() {
    return await serveExpress((await import("npm:express@4.22.3")).default);
  },
};

async function serveExpress(express: () => Any): Promise<Served> {
  const { default: createError } = await import("npm:http-errors@2.0.1");
  const app = new App();
  const server = express();
  server.use((req: Any, res: Any, next: Next) => {
    if (!controlledByNode(app, req.url, res)) next();
  });
  server.use(session(app.storage));
  server.use(session(app.other, { key: "other", ...app.strict }));
  server.use("/twice", (_req: Any, res: Any, next: Next) => {
    res.on("finish", () => next());
    next();
  });
  const handle = async (req: Any, res: Any, next: Next) => {
    const { session: mine, other } = req as
      & WithSession<Any, typeof app.storage>
      & { other: Session<Data> };
    const reply = await app.visit(req.path, { session: mine, other });
    switch (reply.kind) {
      case "text": {
        const { body, status = 200, headers = [] } = reply;
        for (const [name, value] of headers) res.append(name, value);
        res.status(status).send(
          body instanceof Uint8Array ? Buffer.from(body) : body ?? undefined,
        );
        return;
      }
      case "redirect":
        res.redirect(303, reply.to);
        return;
      case "passed":
        return await loader(() => fetch(reply.from))(req, res, next);
      case "throw":
        throw new HandlerError("the handler failed");
      case "http error":
        throw createError(reply.status);
      case "shared":
        switch (reply.name) {
          case "an object for res.set()":
            res.set(app.share(reply.name, () => ({ ...OWN_HEADERS })));
            res.status(303).end();
            return;
          case "a Response of a loader":
            return await loader(() => sharedResponse(app, reply.name))(
              req,
              res,
              next,
            );
          case "thrown HttpError":
            throw app.share(reply.name, () => createError(401));
        }
    }
    await sendReply(app, res, reply);
  };
  // Express 4 does not look at the promise that a handler returns.
  server.use((req: Any, res: Any, next: Next) => {
    handle(req, res, next).catch(next);
  });
  server.use((error: Any, _req: Any, res: Any, next: Next) => {
    app.failed(error);
    if (res.headersSent) next(error);
    else {
      const { status = 500 } = error instanceof Error ? error as Any : {};
      res.status(status).send("failed");
    }
  });
  return await listen(app, createServer(server));
}

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;
type Next = (error?: unknown) => void;
