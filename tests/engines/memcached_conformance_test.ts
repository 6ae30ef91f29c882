// The suite on Memcached, by the library's own client and by npm's memcache-client.
import { MemcacheClient } from "npm:memcache-client@^1.0.5";
import { conformance } from "../../conformance/mod.ts";
import { MemcachedBackend } from "../../storage/_memcached_backend.ts";
import {
  MemcachedClient,
  type MemcacheLike,
} from "../../storage/_memcached_client.ts";
import { engineTarget, without } from "../conformance/targets.ts";
import { installed, startMemcached } from "./_servers.ts";

function check(name: string, client: MemcacheLike): void {
  // A full Memcached drops live records, and so perhaps the list of an owner whose sessions live on.
  const target = without(
    engineTarget(
      name,
      ({ namespace, now }) => new MemcachedBackend(client, namespace, now),
      [],
      { recordBytes: 1024 * 1024 - 256 },
    ),
    "owners",
  );
  conformance(Deno.test, target);
}

if (installed("memcached")) {
  const { port } = await startMemcached();
  const own = new MemcachedClient(`127.0.0.1:${port}`);
  const npm = new MemcacheClient({ server: `127.0.0.1:${port}` });
  check("Memcached", own);
  check("Memcached, memcache-client", npm);

  globalThis.addEventListener("unload", () => {
    own.close();
    npm.shutdown();
  });
}
