import { createServer } from "node:http";
import { session, type WithSession } from "../../../middleware/express.ts";
import { App, type Data, HandlerError } from "./_app.ts";
import type { Session } from "../../../core/session.ts";
import type { Driver, Served } from "./_driver.ts";
import { controlledByNode, listen, sendReply } from "./_node.ts";

/** Express 5. */
export const express: Driver = expressOf("Express", "npm:express@5.3.0");

/** Express 4, which behaves in the same way. */
export const express4: Driver = expressOf("Express 4", "npm:express@4.22.3");

function expressOf(name: string, specifier: string): Driver {
  return {
    name,
    traits: {
      thrownResponse: "error",
      twice: 1,
      nothing: "open",
      upgrade: "sent",
    },
    packages: [specifier],
    serve: () => serve(specifier),
  };
}

async function serve(specifier: string): Promise<Served> {
  const { default: express } = await import(specifier);
  const app = new App();
  const server = express();
  server.use((req: Req, res: Res, next: Next) => {
    if (!controlledByNode(app, req.url, res)) next();
  });
  server.use(session(app.storage));
  server.use(session(app.other, { key: "other" }));
  server.use("/twice", (_req: Req, res: Res, next: Next) => {
    res.on("finish", () => next());
    next();
  });
  server.use((req: Req, res: Res, next: Next) => {
    // Express 4 does not look at the promise.
    visit(req, res).catch(next);
  });
  const visit = async (req: Req, res: Res): Promise<void> => {
    const { session: mine, other } = req as
      & WithSession<Req, typeof app.storage>
      & { other: Session<Data> };
    const reply = await app.visit(req.path, { session: mine, other });
    switch (reply.kind) {
      case "text":
        for (const [name, value] of reply.headers ?? []) {
          res.append(name, value);
        }
        res.status(reply.status ?? 200).send(reply.body ?? undefined);
        return;
      case "redirect":
        res.redirect(303, reply.to);
        return;
      case "throw":
        throw new HandlerError("the handler failed");
      default:
        sendReply(res, reply);
    }
  };
  server.use((error: unknown, _req: Req, res: Res, next: Next) => {
    app.failed(error);
    if (res.headersSent) next(error);
    else res.status(500).send("failed");
  });
  return await listen(app, createServer(server));
}

// deno-lint-ignore no-explicit-any -- Express comes without types
type Req = any;
// deno-lint-ignore no-explicit-any -- as above
type Res = any;
type Next = (error?: unknown) => void;
