// The suite on Redis with each client: one server, and a cluster of three.
import { Cluster as IoCluster, Redis as IoRedis } from "npm:ioredis@^6.0.0";
import { createCluster } from "npm:redis@^6.3.1";
import { conformance } from "../../conformance/mod.ts";
import { type RedisLike, sendBy } from "../../storage/engines/redis/client.ts";
import { PATIENT, redisTarget } from "../conformance/targets.ts";
import { installed, startRedis, startRedisCluster } from "./_servers.ts";

function check(name: string, client: RedisLike): void {
  conformance(Deno.test, redisTarget(name, sendBy(client)), PATIENT);
}

if (installed("redis")) {
  const own = await import("../conformance/published/satchel_redis.ts");
  conformance(Deno.test, own.default, PATIENT);

  const { port } = await startRedis();
  const ioRedis = new IoRedis(port, "127.0.0.1");
  check("Redis, ioredis", ioRedis);

  const nodes = (await startRedisCluster())
    .map(({ port }) => ({ host: "127.0.0.1", port }));
  const rootNodes = nodes.map(({ port }) => ({
    url: `redis://127.0.0.1:${port}`,
  }));
  const nodeCluster = await createCluster({ rootNodes }).connect();
  const ioCluster = new IoCluster(nodes);
  check("Redis Cluster, node-redis", nodeCluster);
  check("Redis Cluster, ioredis", ioCluster);

  globalThis.addEventListener("unload", () => {
    ioRedis.disconnect();
    nodeCluster.destroy();
    ioCluster.disconnect();
  });
}
