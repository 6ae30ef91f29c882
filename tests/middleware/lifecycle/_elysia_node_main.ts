// deno-lint-ignore-file no-console -- prints its origin
import process from "node:process";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { App } from "./_app.ts";
import { elysiaApp } from "./_elysia_app.ts";

// Not literals: bundled, they would be those for browsers.
const names = { elysia: "elysia", node: "@elysiajs/node" };
const elysia = await import(names.elysia);
const { node } = await import(names.node);
const app = new App();
process.on("unhandledRejection", (reason: unknown) => app.unhandled(reason));
process.on("uncaughtException", (error: unknown) => app.unhandled(error));
elysiaApp(elysia, app, { adapter: node() }).listen(
  { port: 0, hostname: "127.0.0.1" },
  ({ node: { server } }: { node: { server: Server } }) =>
    server.on("listening", () => {
      const { port } = server.address() as AddressInfo;
      console.log(`http://127.0.0.1:${port}`);
    }),
);
