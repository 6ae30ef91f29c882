/** A Redis for targets of other libraries: a prefix is a namespace, and their records can be made older. */
import { createClient } from "npm:redis@^6.3.1";
import type { Inspect, TestClock } from "../../../conformance/mod.ts";
import { startRedis } from "../../engines/_servers.ts";

const { port } = await startRedis();

/** A client of node-redis. */
export const client: ReturnType<typeof createClient> = createClient({
  url: `redis://127.0.0.1:${port}`,
});
await client.connect();
globalThis.addEventListener("unload", () => client.destroy());

/** The prefix of a namespace's keys. */
export function prefixOf(namespace: string): string {
  return `${namespace}:`;
}

async function keysOf(namespace: string): Promise<string[]> {
  return await client.keys(`${prefixOf(namespace)}*`);
}

/** Each key is a record. */
export function inspectRedis(namespace: string): Inspect {
  return {
    async records() {
      const records = new Map<string, string>();
      for (const key of await keysOf(namespace)) {
        const value = await client.get(key);
        if (value !== null) records.set(key, value);
      }
      return records;
    },
    write: async (key, text) =>
      void await client.set(key, text, { expiration: "KEEPTTL" }),
  };
}

/** Moves the deadlines of Redis. */
export const redisClock: TestClock = {
  kind: "aged",
  async age(ms, namespace) {
    for (const key of await keysOf(namespace)) {
      const left = await client.pTTL(key);
      // A deadline in the past removes the key.
      if (left >= 0) await client.pExpire(key, left - ms);
    }
  },
};
