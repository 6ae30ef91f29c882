import { createServer } from "node:http";
import { App } from "./_app.ts";
import type { Driver } from "./_driver.ts";
import { handlerOf, mountBoth, SHARED } from "./_h3_1_app.ts";
import { controlledByNode, listen } from "./_node.ts";

/** h3 1, on Deno's `node:http`. */
export const h3v1: Driver = {
  name: "h3 1",
  answers: SHARED,
  traits: {
    // h3 1 answers with its status.
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "cleared",
    twice: 2,
    nothing: "answer",
    upgrade: "sent",
  },
  packages: ["npm:h3@1.15.11"],
  async serve() {
    const h3 = await import("npm:h3@1.15.11");
    const app = new App();
    const server = h3.createApp({
      onError(error, event) {
        if (!error.unhandled) return;
        app.failed(error.cause);
        event.node.res.end("failed");
      },
    });
    mountBoth(app)(server);
    server.use(handlerOf(app, h3));
    const listener = h3.toNodeListener(server);
    return await listen(
      app,
      createServer((req, res) => {
        if (!controlledByNode(app, req.url ?? "", res)) listener(req, res);
      }),
    );
  },
};
