/**
 * A session storage on your own engine, or on a database.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type {
  Engine,
  SessionStorage,
  StorageOptions,
  SynchronousEngine,
} from "./contract.ts";
import {
  checkStorageOptions,
  createStorage,
  engineStorage,
  type OwnOptions,
  STORAGE_OPTIONS,
} from "./sessions/bind.ts";
import {
  DatabaseRecords,
  type FourFunctions,
} from "./sessions/database_records.ts";
import { EnginePolicy } from "./sessions/engine_policy.ts";
import { RecordStorage } from "./sessions/record_storage.ts";

/** Options of {@linkcode createSessionStorage} for an engine. */
export interface EngineSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /** The engine. */
  engine: Engine | SynchronousEngine;
}

/** Options of {@linkcode createSessionStorage} for a database. */
export interface DatabaseSessionStorageOptions<
  Data = SessionData,
  FlashData = Data,
> extends StorageOptions<Data>, FourFunctions<Data, FlashData> {}

/** React Router's name for {@linkcode DatabaseSessionStorageOptions}. */
export type SessionIdStorageStrategy<Data = SessionData, FlashData = Data> =
  DatabaseSessionStorageOptions<Data, FlashData>;

/**
 * Creates a session storage on your own engine, which only stores strings.
 *
 * @param options The engine, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If the engine does not support `owner`, `idleTimeout` or `rolling`, an option is unknown or
 * malformed, or {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example An engine on a `Map`
 * ```ts
 * import { type Engine, createSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const records = new Map<string, { value: string; version: number; expires: number }>();
 * const engine: Engine = {
 *   guarantees: {
 *     compareAndSet: true,
 *     reads: "strong",
 *     revoke: true,
 *     durable: false,
 *     shared: false,
 *     selfContained: false,
 *   },
 *   async read(key) {
 *     return records.get(key) ?? null;
 *   },
 *   async write(key, value, { expires, ifVersion }) {
 *     const stored = records.get(key)?.version ?? null;
 *     if (ifVersion !== undefined && ifVersion !== stored) return null;
 *     const version = (stored ?? 0) + 1;
 *     records.set(key, { value, version, expires });
 *     return version;
 *   },
 *   async delete(key, { ifVersion } = {}) {
 *     const stored = records.get(key)?.version;
 *     if (ifVersion !== undefined && ifVersion !== stored) return false;
 *     records.delete(key);
 *     return true;
 *   },
 * };
 *
 * const storage = createSessionStorage({ engine });
 * const session = await storage.read(null);
 * session.set("theme", "dark");
 * const value = await storage.save(session);
 *
 * assertEquals((await storage.read(value)).get("theme"), "dark");
 * ```
 */
export function createSessionStorage<Data = SessionData, FlashData = Data>(
  options: EngineSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData>;
/**
 * Creates a session storage on a database, by four functions, as in React Router and Remix 1–2.
 *
 * The database makes the ids: 1 to 256 letters, digits and `-_.~:+/=`, with at least 128 random bits. It receives the
 * deadline as `expires`, and `readData` returns `null` for a row that has expired. The deadline follows from the
 * lifetime that a commit set, or the cookie's, or 14 days, and from the timeouts.
 *
 * The data is one object, with each flash under `__flash_NAME__`. If there is a timeout or `rolling`, or a commit set a
 * lifetime, `__satchel__` holds what the deadline depends on.
 *
 * A row is read again before it is written, and a deleted row is not created again. If two requests write at the same
 * instant, one of them can lose its changes; an engine with compare-and-set prevents that.
 *
 * @param options The cookie, the four functions and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If a function is missing, `owner` is given, an option is unknown or malformed, or
 * {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example A `Map` as the database
 * ```ts
 * import { createSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const rows = new Map<string, { data: object; expires: Date }>();
 * const { getSession, commitSession, destroySession } = createSessionStorage({
 *   cookie: { name: "__session", secrets: ["s3cr3t"], maxAge: 3600 },
 *   async createData(data, expires) {
 *     const id = crypto.randomUUID() + crypto.randomUUID();
 *     rows.set(id, { data, expires });
 *     return id;
 *   },
 *   async readData(id) {
 *     const row = rows.get(id);
 *     return row && row.expires.getTime() > Date.now() ? row.data : null;
 *   },
 *   async updateData(id, data, expires) {
 *     rows.set(id, { data, expires });
 *   },
 *   async deleteData(id) {
 *     rows.delete(id);
 *   },
 * });
 *
 * const session = await getSession();
 * session.set("theme", "dark");
 * const cookieHeader = (await commitSession(session)).split(";")[0];
 *
 * const next = await getSession(cookieHeader);
 * assertEquals(next.get("theme"), "dark");
 * await destroySession(next);
 * assertEquals(rows.size, 0);
 * ```
 */
export function createSessionStorage<Data = SessionData, FlashData = Data>(
  options: DatabaseSessionStorageOptions<Data, FlashData>,
): SessionStorage<Data, FlashData>;
export function createSessionStorage<Data, FlashData>(
  options:
    | EngineSessionStorageOptions<Data>
    | DatabaseSessionStorageOptions<Data, FlashData>,
): SessionStorage<Data, FlashData> {
  if (typeof options !== "object" || !options) checkStorageOptions(options);
  if ("engine" in options) {
    return engineStorage(options, ENGINE_OPTIONS, () => options.engine);
  }
  checkStorageOptions(withoutExtras(options));
  const records = new DatabaseRecords(options, new EnginePolicy(options));
  return createStorage(new RecordStorage(records), options.cookie);
}

const ENGINE_OPTIONS: OwnOptions<EngineSessionStorageOptions> = {
  engine: true,
};

/** The options without other functions, because people spread a whole database object into them. */
function withoutExtras(options: object): object {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) =>
      typeof value !== "function" || Object.hasOwn(STORAGE_OPTIONS, name)
    ),
  );
}
