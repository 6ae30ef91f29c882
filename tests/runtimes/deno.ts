/** The suite on Deno, for `deno test`. */
import type { TestFunction } from "../../conformance/mod.ts";
import { CLIENTS } from "./_clients.ts";
import { register } from "./suite.ts";

const dir = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => {
  Deno.removeSync(dir, { recursive: true });
});

// A client's connection outlives the test that opened it.
const test: TestFunction = (name, fn) =>
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });

await register(test, {
  ...JSON.parse(Deno.env.get("HERE") ?? '{"ports":{}}'),
  runtime: "deno",
  dir,
  load: (name) => import(CLIENTS[name] ? `npm:${name}@${CLIENTS[name]}` : name),
});
