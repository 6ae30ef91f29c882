/**
 * @remix-run/session-storage-memcache over a real Memcached: a prefix is a namespace.
 *
 * A Memcached that is restarted is empty, so it does not claim `durable`.
 */
import { createMemcacheSessionStorage } from "npm:@remix-run/session-storage-memcache@0.1.1";
import { fromRemix, type Target } from "../../../conformance/mod.ts";
import {
  inspectMemcached,
  memcachedClock,
  prefixOf,
  server,
} from "./_memcached.ts";

const target: Target = {
  name: "Remix 3 Memcache",
  profile: "remix",
  clock: memcachedClock,
  capabilities: ["revoke", "shared", "namespaces", "idle", "inspect"],
  open: ({ namespace, idleTimeout }) => ({
    storage: fromRemix(createMemcacheSessionStorage(server, {
      keyPrefix: prefixOf(namespace),
      ...idleTimeout === undefined ? {} : { ttlSeconds: idleTimeout },
    })),
    inspect: inspectMemcached(namespace),
  }),
};
export default target;
