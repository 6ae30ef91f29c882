/** The Memcached storage of this library, through its own client. */
import type { Target } from "../../../conformance/mod.ts";
import { MemcachedBackend } from "../../../storage/_memcached_backend.ts";
import { MemcachedClient } from "../../../storage/_memcached_client.ts";
import { startMemcached } from "../../engines/_servers.ts";
import { engineTarget, without } from "../targets.ts";

const { port } = await startMemcached();
const client = new MemcachedClient(`127.0.0.1:${port}`);
globalThis.addEventListener("unload", () => void client.close());

// A full Memcached drops live records, and so perhaps the list of an owner whose sessions live on.
const target: Target = without(
  engineTarget(
    "Satchel Memcached",
    ({ namespace, now }) => new MemcachedBackend(client, namespace, now),
    [],
    { recordBytes: 1024 * 1024 - 256 },
  ),
  "owners",
);
export default target;
