/** The Workers KV storage of this library, in Miniflare's workerd. */
import type { Target } from "../../../conformance/mod.ts";
import { startWorkerd } from "../../engines/_workerd.ts";
import { workersKvTarget } from "../targets.ts";

const { kv } = await startWorkerd();

const target: Target = workersKvTarget("Satchel Workers KV", kv);
export default target;
