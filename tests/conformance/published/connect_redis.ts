/** connect-redis over a real Redis: a prefix is a namespace. */
import { RedisStore } from "npm:connect-redis@10.0.0";
import { fromExpressStore, type Target } from "../../../conformance/mod.ts";
import { client, inspectRedis, prefixOf, redisClock } from "./_redis.ts";

const target: Target = {
  name: "connect-redis",
  clock: redisClock,
  capabilities: [
    "revoke",
    "shared",
    "durable",
    "namespaces",
    "expiry",
    "touch",
    "inspect",
  ],
  open: ({ namespace, idleTimeout }) => ({
    storage: fromExpressStore(
      new RedisStore({ client, prefix: prefixOf(namespace) }),
      { maxAge: idleTimeout },
    ),
    inspect: inspectRedis(namespace),
  }),
};
export default target;
