/**
 * @remix-run/session-storage-redis over a real Redis: a prefix is a namespace.
 *
 * Its documentation promises that app servers share sessions, and a lifetime, `ttl`.
 */
import { createRedisSessionStorage } from "npm:@remix-run/session-storage-redis@0.1.1";
import { fromRemix, type Target } from "../../../conformance/mod.ts";
import { client, inspectRedis, prefixOf, redisClock } from "./_redis.ts";

const target: Target = {
  name: "Remix 3 Redis",
  profile: "remix",
  clock: redisClock,
  capabilities: [
    "revoke",
    "shared",
    "durable",
    "namespaces",
    "idle",
    "inspect",
  ],
  open: ({ namespace, idleTimeout }) => ({
    storage: fromRemix(createRedisSessionStorage(client, {
      keyPrefix: prefixOf(namespace),
      ...idleTimeout === undefined ? {} : { ttl: idleTimeout },
    })),
    inspect: inspectRedis(namespace),
  }),
};
export default target;
