/** The Deno KV storage of this library. */
import type { Target } from "../../../conformance/mod.ts";
import { DenoKvEngine } from "../../../storage/engines/deno_kv.ts";
import { engineTarget } from "../targets.ts";

const kv = await Deno.openKv(":memory:");
globalThis.addEventListener("unload", () => kv.close());

const target: Target = engineTarget(
  "Satchel Deno KV",
  ({ namespace, now }) => new DenoKvEngine(kv, namespace, now, 10_000),
  ["durable"],
  { recordBytes: 64 * 1024 - 256 },
);
export default target;
