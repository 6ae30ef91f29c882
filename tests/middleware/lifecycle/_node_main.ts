// deno-lint-ignore-file no-console -- prints its origin
import process from "node:process";
import { App } from "./_app.ts";
import { serveNode } from "./_serve_node.ts";

const app = new App();
process.on("unhandledRejection", (reason) => app.unhandled(reason));
process.on("uncaughtException", (error) => app.unhandled(error));
console.log((await serveNode(app)).origin);
