import { runElsewhere } from "./_bundles.ts";
import { installed, startMemcached } from "./_servers.ts";

if (installed("memcached")) {
  for (const name of ["node", "bun"] as const) {
    Deno.test(`the conformance suite holds on Memcached, on ${name}`, async () => {
      const server = await startMemcached();
      await runElsewhere(name, "memcached_runtimes_suite.ts", {
        MEMCACHED_URL: `127.0.0.1:${server.port}`,
      });
      await server.stop();
    });
  }
}
