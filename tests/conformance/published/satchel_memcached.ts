/** The Memcached storage of this library, through its own client. */
import type { Target } from "../../../conformance/mod.ts";
import { MemcachedBackend } from "../../../storage/_memcached_backend.ts";
import { MemcachedClient } from "../../../storage/_memcached_client.ts";
import { startMemcached } from "../../engines/_servers.ts";
import { engineTarget } from "../targets.ts";

const { port } = await startMemcached();
const client = new MemcachedClient(`127.0.0.1:${port}`);
globalThis.addEventListener("unload", () => void client.close());

const target: Target = engineTarget(
  "Satchel Memcached",
  ({ namespace, now }) => new MemcachedBackend(client, namespace, now),
  [],
  { recordBytes: 1024 * 1024 - 256 },
);
export default target;
