/**
 * The application of a framework that is built. Its server asks for `globalThis.serveLifecycle`: were it to import this
 * module, it would have another copy than the one that the framework's build contains.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- prints its origin
import type { Server } from "node:http";
import process from "node:process";
import { App } from "./_app.ts";
import { listen } from "./_node.ts";

/** The application. */
export const app: App = new App();

process.on("unhandledRejection", (reason) => app.unhandled(reason));
process.on("uncaughtException", (error) => app.unhandled(error));

/** Listens, and prints the origin. */
async function serve(server: Server): Promise<void> {
  console.log((await listen(app, server)).origin);
}

Object.assign(globalThis, { serveLifecycle: serve });
