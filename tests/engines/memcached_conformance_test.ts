// The suite on Memcached, by the library's own client and by npm's memcache-client.
import { MemcacheClient } from "npm:memcache-client@^1.0.5";
import { conformance } from "../../conformance/mod.ts";
import { memcachedTarget, PATIENT } from "../conformance/targets.ts";
import { installed, startMemcached } from "./_servers.ts";

if (installed("memcached")) {
  const own = await import("../conformance/published/satchel_memcached.ts");
  conformance(Deno.test, own.default, PATIENT);

  const { port } = await startMemcached();
  const client = new MemcacheClient({ server: `127.0.0.1:${port}` });
  conformance(
    Deno.test,
    memcachedTarget("Memcached, memcache-client", client),
    PATIENT,
  );
  globalThis.addEventListener("unload", () => client.shutdown());
}
