/**
 * A Workers KV for targets of other libraries, in Miniflare's workerd: records of a namespace have a prefix.
 *
 * KV refuses a lifetime below a minute, so a record cannot be made older there. What has passed its deadline is removed
 * here instead, before it is read.
 */
import type { Inspect, TestClock } from "../../../conformance/mod.ts";
import { startWorkerd } from "../../engines/_workerd.ts";

const { kv: namespace, keys } = await startWorkerd();
// Its type has only what this library's engine calls.
const kv = namespace as unknown as SessionsKv & {
  get(key: string): Promise<unknown>;
};

/** The deadlines, in milliseconds, by the name in KV. */
const deadlines = new Map<string, number>();

async function removeExpired(): Promise<void> {
  for (const [name, deadline] of deadlines) {
    if (deadline > Date.now()) continue;
    deadlines.delete(name);
    await kv.delete(name);
  }
}

/** The part of a `KVNamespace` that the storages call. */
export interface SessionsKv {
  get(key: string, type?: "json"): Promise<unknown>;
  put(
    key: string,
    value: string,
    options: { expiration?: number },
  ): Promise<void>;
  delete(key: string): Promise<void>;
}

/** The KV of a namespace. */
export function kvOf(namespace: string): SessionsKv {
  const name = (key: string) => `${namespace}:${key}`;
  return {
    async get(key, type) {
      await removeExpired();
      return await kv.get(name(key), type);
    },
    async put(key, value, options) {
      await kv.put(name(key), value, options);
      const { expiration } = options;
      if (expiration === undefined) deadlines.delete(name(key));
      else deadlines.set(name(key), expiration * 1000);
    },
    delete: (key) => kv.delete(name(key)),
  };
}

/** Each key is a record. */
export function inspectKv(namespace: string): Inspect {
  return {
    async records() {
      const records = new Map<string, string>();
      for (const { name } of await keys()) {
        const value = name.startsWith(`${namespace}:`) && await kv.get(name);
        if (typeof value === "string") records.set(name, value);
      }
      return records;
    },
    write: (key, text) => kv.put(key, text, {}),
  };
}

/** Moves the deadlines. */
export const kvClock: TestClock = {
  kind: "aged",
  async age(ms, namespace) {
    for (const [name, deadline] of deadlines) {
      if (name.startsWith(`${namespace}:`)) deadlines.set(name, deadline - ms);
    }
  },
};
