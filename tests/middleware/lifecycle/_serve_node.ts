import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { session } from "../../../middleware/node.ts";
import type { App } from "./_app.ts";
import type { Served } from "./_driver.ts";
import { pathOf } from "./_fetch.ts";
import { controlledByNode, listen, sendReply } from "./_node.ts";

/** Serves the application with Node's `http`, or the `node:http` of another runtime. */
export async function serveNode(app: App): Promise<Served> {
  type Req = IncomingMessage;
  type Res = ServerResponse;
  const handler = session(
    app.storage,
    (req: Req, res: Res, mine) =>
      session(app.other, async (_req, _res, other) => {
        const path = pathOf({ url: req.url ?? "" });
        const visit = async () =>
          await sendReply(
            app,
            res,
            await app.visit(path, { session: mine, other }),
          );
        await visit();
        if (path === "/twice") await visit();
      }, {
        ...app.strict,
        onError(error) {
          throw error;
        },
      })(req, res),
    {
      onError(error, _req, res) {
        app.failed(error);
        if (!res.headersSent) res.writeHead(500).end();
      },
    },
  );
  return await listen(
    app,
    createServer((req, res) => {
      if (!controlledByNode(app, req.url ?? "", res)) void handler(req, res);
    }),
  );
}
