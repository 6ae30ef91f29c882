/**
 * The suite on Memcached by the library's own client, for any runtime. Bundled, because only Deno resolves `jsr:`.
 */
import { conformance, type TestFunction } from "../../conformance/mod.ts";
import { MemcachedBackend } from "../../storage/_memcached_backend.ts";
import { MemcachedClient } from "../../storage/_memcached_client.ts";
import { engineTarget, without } from "../conformance/targets.ts";

declare const process: { env: Record<string, string> };

/** Registers the suite. */
export function register(test: TestFunction): void {
  const client = new MemcachedClient(process.env["MEMCACHED_URL"] ?? "");
  // A full Memcached drops live records, and so perhaps the list of an owner whose sessions live on.
  const target = without(
    engineTarget(
      "Memcached",
      ({ namespace, now }) => new MemcachedBackend(client, namespace, now),
      [],
      { recordBytes: 1024 * 1024 - 256 },
    ),
    "owners",
  );
  conformance(test, target);
  test("the client is closed", () => client.close());
}
