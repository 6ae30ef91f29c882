/**
 * The application of a framework that is built. Its server finds it through `globalThis`: were the server to import this
 * module, it would have another copy than the one that the framework's build contains.
 *
 * @module
 */
import process from "node:process";
import { App } from "./_app.ts";
import { upgrade } from "./_node.ts";

/** The application. */
export const app: App = new App();

process.on("unhandledRejection", (reason) => app.unhandled(reason));
process.on("uncaughtException", (error) => app.unhandled(error));

Object.assign(globalThis, { upgradeLifecycle: upgrade.bind(undefined, app) });
