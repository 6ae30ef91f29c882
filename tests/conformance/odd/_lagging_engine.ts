import type { Engine, EngineRecord } from "../../../mod.ts";

interface Written {
  readonly record: EngineRecord | null;
  readonly at: number;
  readonly by: object;
}

/** An engine whose writers see their own writes at once, and those of others later. */
export class LaggingEngine {
  readonly #lagMs: number;
  readonly #written = new Map<string, Written[]>();

  constructor(lagMs: number) {
    this.#lagMs = lagMs;
  }

  /** A connection, with reads of its own. */
  connect(): Engine {
    const me = {};
    const put = (key: string, record: EngineRecord | null) => {
      const all = this.#written.get(key) ?? [];
      all.push({ record, at: performance.now(), by: me });
      this.#written.set(key, all);
    };
    const seen = (key: string) =>
      this.#written.get(key)?.findLast(({ at, by }) =>
        by === me || performance.now() - at >= this.#lagMs
      )?.record ?? null;
    return {
      guarantees: {
        compareAndSet: false,
        reads: "eventual",
        revoke: true,
        durable: true,
        shared: true,
        selfContained: false,
      },
      read: async (key) => seen(key),
      async write(key, value, { expires }) {
        put(key, { value, expires, version: undefined });
        return true;
      },
      async delete(key) {
        put(key, null);
        return true;
      },
      async touch(key, expires) {
        const record = seen(key);
        if (record) put(key, { ...record, expires });
        return record !== null;
      },
    };
  }
}
