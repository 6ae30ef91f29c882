/** The Memcached storage of this library, through its own client. */
import type { Target } from "../../../conformance/mod.ts";
import { MemcachedClient } from "../../../storage/engines/memcached/client.ts";
import { startMemcached } from "../../engines/_servers.ts";
import { memcachedTarget, PATIENT } from "../targets.ts";

const { port } = await startMemcached();
const client = new MemcachedClient(
  `127.0.0.1:${port}`,
  PATIENT.deadline * 1000,
);
globalThis.addEventListener("unload", () => void client.close());

const target: Target = memcachedTarget("Satchel Memcached", client);
export default target;
