// deno-lint-ignore-file no-console -- prints its origin
import process from "node:process";
import { createAdaptorServer } from "npm:@hono/node-server@2.1.9";
import type { Server } from "node:http";
import { App } from "./_app.ts";
import { honoApp } from "./_hono_app.ts";
import { listen } from "./_node.ts";

const app = new App();
process.on("unhandledRejection", (reason: unknown) => app.unhandled(reason));
process.on("uncaughtException", (error: unknown) => app.unhandled(error));
const server = createAdaptorServer({ fetch: honoApp(app, () => undefined) });
console.log((await listen(app, server as Server)).origin);
