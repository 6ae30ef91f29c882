// The conformance suite on Workers KV, as Miniflare's workerd has it.
import { conformance } from "../../conformance/mod.ts";
import { PATIENT } from "../conformance/targets.ts";
import { withPackages } from "./_packages.ts";
import { PACKAGES } from "./_workerd.ts";

await withPackages(
  "Workers KV (workerd)",
  PACKAGES,
  () => import("../conformance/published/satchel_workers_kv.ts"),
  ({ default: target }) => conformance(Deno.test, target, PATIENT),
);
