import { App } from "./_app.ts";
import type { Driver } from "./_driver.ts";
import { serveElsewhere } from "./_elsewhere.ts";
import { SHARED_HEADERS } from "./_node.ts";
import { serveNode } from "./_serve_node.ts";

/** Node's `http`, on Node. */
export const nodeHttp: Driver = {
  name: "node:http",
  answers: SHARED_HEADERS,
  traits: {
    thrownResponse: "error",
    httpError: "answer",
    errorPage: "cleared",
    twice: 1,
    nothing: "open",
    upgrade: "sent",
  },
  serve: () => serveElsewhere("node20", "./_node_main.ts"),
};

/** The same, on Deno's `node:http`. */
export const denoHttp: Driver = {
  ...nodeHttp,
  name: "node:http (Deno)",
  serve: () => serveNode(new App()),
};
