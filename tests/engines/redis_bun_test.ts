import { runElsewhere } from "./_bundles.ts";
import { urlOf } from "./redis_support.ts";
import { installed, startRedis } from "./_servers.ts";

if (installed("redis")) {
  Deno.test("the conformance suite holds on Redis by Bun's own client", async () => {
    const server = await startRedis();
    await runElsewhere("bun", "redis_bun_suite.ts", {
      REDIS_URL: urlOf(server),
    });
    await server.stop();
  });
}
