/**
 * A namespace of Workers KV in memory. Its reads are never stale, and it accepts every write.
 *
 * @module
 */
import type { KVNamespaceLike } from "../../mod.ts";

/** An empty namespace, and its entries. */
export function kvNamespace(): {
  kv: KVNamespaceLike;
  stored: Map<string, { value: string; metadata: unknown }>;
} {
  const stored = new Map<string, { value: string; metadata: unknown }>();
  const kv: KVNamespaceLike = {
    getWithMetadata: async (key) =>
      stored.get(key) ?? { value: null, metadata: null },
    put: async (key, value, { metadata }) =>
      void stored.set(key, { value, metadata }),
    delete: async (key) => void stored.delete(key),
  };
  return { kv, stored };
}
