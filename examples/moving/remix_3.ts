/**
 * Takes over the sessions that Remix 3 kept on the server: in files, in Redis, in Memcached.
 *
 * Give it to `createReadThroughSessionStorage` as `from`. The old storage itself reads its sessions, by their ids.
 *
 * @module
 */
import type { FourFunctions, SessionData } from "@satchel/session";

/** What is used of a session of Remix 3. */
export interface RemixSession {
  readonly id: string;
  readonly data: readonly [values: SessionData, flashed: unknown];
  readonly size: number;
  has(key: string): boolean;
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  flash(key: string, value: unknown): void;
  destroy(): void;
}

/** What is used of a session storage of Remix 3. */
export interface RemixStorage {
  read(id: string): Promise<RemixSession>;
  save(session: never): Promise<unknown>;
}

/** Where a session keeps its end, for which the old storage has no place. */
const END = "__end";

/** The sessions in an old storage; of its flashes those under `flashes`, for a session does not tell their names. */
export function remixSessions(
  storage: RemixStorage,
  flashes: readonly string[] = [],
): FourFunctions {
  const flashed = (session: RemixSession) =>
    flashes.filter((key) =>
      session.has(key) && !Object.hasOwn(session.data[0], key)
    );
  return {
    async readData(id) {
      const session = await storage.read(id);
      // It gives a new session for an unknown id, or takes the id over (`useUnknownIds`), with nothing in it.
      if (session.id !== id || session.size === 0) return null;
      const { [END]: end = Infinity, ...data } = session.data[0];
      if (end <= Date.now()) return null;
      for (const key of flashed(session)) {
        data[`__flash_${key}__`] = session.get(key);
      }
      return data;
    },
    async updateData(id, _data, expires) {
      // What is only read here has the same data still, and another end.
      const session = await storage.read(id);
      for (const key of flashed(session)) session.flash(key, session.get(key));
      session.set(END, expires.getTime());
      await storage.save(session as never);
    },
    async deleteData(id) {
      const session = await storage.read(id);
      session.destroy();
      await storage.save(session as never);
    },
    createData() {
      throw new TypeError("Cannot create session: the storage is only emptied");
    },
  };
}
