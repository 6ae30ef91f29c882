// deno-lint-ignore-file no-console -- prints its origin
import process from "node:process";
import * as elysia from "npm:elysia@1.4.30";
import { App } from "./_app.ts";
import { elysiaApp } from "./_elysia_app.ts";

const app = new App();
process.on("unhandledRejection", (reason: unknown) => app.unhandled(reason));
const server = elysiaApp(elysia, app, {});
server.listen({ port: 0, hostname: "127.0.0.1" });
console.log(server.server.url.origin);
