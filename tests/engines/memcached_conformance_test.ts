// The suite on Memcached, by the library's own client and by npm's memcache-client.
import { MemcacheClient } from "npm:memcache-client@^1.0.5";
import { conformance } from "../../conformance/mod.ts";
import { MemcachedBackend } from "../../storage/_memcached_backend.ts";
import { engineTarget, without } from "../conformance/targets.ts";
import { installed, startMemcached } from "./_servers.ts";

if (installed("memcached")) {
  const own = await import("../conformance/published/satchel_memcached.ts");
  conformance(Deno.test, own.default);

  const { port } = await startMemcached();
  const client = new MemcacheClient({ server: `127.0.0.1:${port}` });
  const target = without(
    engineTarget(
      "Memcached, memcache-client",
      ({ namespace, now }) => new MemcachedBackend(client, namespace, now),
      [],
      { recordBytes: 1024 * 1024 - 256 },
    ),
    "owners",
  );
  conformance(Deno.test, target);
  globalThis.addEventListener("unload", () => client.shutdown());
}
