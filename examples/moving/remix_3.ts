/** Moves sessions from a session storage of Remix 3 that keeps them on the server. */
import type { FourFunctions, SessionData } from "@satchel/session";

/** The fields used of a Remix 3 session. */
export interface RemixSession {
  readonly id: string;
  readonly data: readonly [values: SessionData, flashed: unknown];
  readonly size: number;
  has(key: string): boolean;
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  unset(key: string): void;
  flash(key: string, value: unknown): void;
  destroy(): void;
}

/** The methods used of a Remix 3 session storage. */
export interface RemixStorage {
  read(id: string | null): Promise<RemixSession>;
  save(session: never): Promise<string | null>;
}

/** The key for the expiry of a session that has moved, because the old storage does not record one. */
const END = "__end";
/** Such a session lives for one more minute. */
const SOON = 2 * 60_000;

/** The sessions in an old storage. `flashes` lists the flash names to read, because a session does not list its own. */
export function remixSessions(
  storage: RemixStorage,
  flashes: readonly string[] = [],
): FourFunctions {
  const flashed = (session: RemixSession) =>
    flashes.filter((key) =>
      session.has(key) && !Object.hasOwn(session.data[0], key)
    );

  async function save(id: string | null, data: SessionData, expires: Date) {
    const session = await storage.read(id);
    for (const key of Object.keys(session.data[0])) {
      if (!Object.hasOwn(data, key)) session.unset(key);
    }
    for (const [key, value] of Object.entries(data)) {
      const flash = /^__flash_(.*)__$/s.exec(key)?.[1];
      if (flash !== undefined) session.flash(flash, value);
      else session.set(key, value);
    }
    const end = expires.getTime();
    if (end < Date.now() + SOON) session.set(END, end);
    await storage.save(session as never);
    return session.id;
  }

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
    createData: (data, expires) => save(null, data, expires),
    async updateData(id, data, expires) {
      await save(id, data, expires);
    },
    async deleteData(id) {
      const session = await storage.read(id);
      session.destroy();
      await storage.save(session as never);
    },
  };
}
