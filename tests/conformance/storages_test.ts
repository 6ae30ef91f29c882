import { conformance } from "../../conformance/mod.ts";
import { DenoKvEngine } from "../../storage/engines/deno_kv.ts";
import {
  cookieTarget,
  databaseTarget,
  engineTarget,
  fileTarget,
  memoryTarget,
  PATIENT,
} from "./targets.ts";

const kv = await Deno.openKv(":memory:");
const dir = await Deno.makeTempDir();

const targets = [
  memoryTarget(),
  cookieTarget(),
  fileTarget(dir),
  engineTarget(
    "Deno KV",
    ({ namespace, now }) => new DenoKvEngine(kv, namespace, now, 10_000),
    ["durable"],
    { recordBytes: 64 * 1024 - 256 },
  ),
  databaseTarget(),
];

for (const target of targets) conformance(Deno.test, target, PATIENT);

globalThis.addEventListener("unload", () => {
  kv.close();
  Deno.removeSync(dir, { recursive: true });
});
