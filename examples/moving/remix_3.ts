/**
 * Reads the sessions that Remix 3 kept on the server: in files, in Redis or in Memcached.
 *
 * Pass it to `createReadThroughSessionStorage` as `from`. The old storage reads its sessions by their ids.
 *
 * @module
 */
import type { FourFunctions, SessionData } from "@satchel/session";

/** The fields used of a Remix 3 session. */
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

/** The methods used of a Remix 3 session storage. */
export interface RemixStorage {
  read(id: string): Promise<RemixSession>;
  save(session: never): Promise<unknown>;
}

/** The key for a session's expiry, which the old storage does not record. */
const END = "__end";

/** The sessions in an old storage. `flashes` lists the flash names to read, because a session does not list its own. */
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
      // For an unknown id, the old storage returns an empty session with a new id, or with that id (`useUnknownIds`).
      if (session.id !== id || session.size === 0) return null;
      const { [END]: end = Infinity, ...data } = session.data[0];
      if (end <= Date.now()) return null;
      for (const key of flashed(session)) {
        data[`__flash_${key}__`] = session.get(key);
      }
      return data;
    },
    async updateData(id, _data, expires) {
      // The data has not changed, so only the expiry has to be written.
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
      throw new TypeError(
        "Cannot create session: new sessions go to the new storage",
      );
    },
  };
}
