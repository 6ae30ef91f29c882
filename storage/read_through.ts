/**
 * Moves sessions from one storage to another while visitors stay signed in.
 *
 * @module
 */
import { type Cookie, SatchelCookie } from "../core/cookie.ts";
import { checkOptions } from "../core/options.ts";
import type {
  DestroySessionsOptions,
  ListSessionsOptions,
  OwnedSession,
  SessionStorage,
} from "./contract.ts";
import { BoundStorage } from "./sessions/bound_storage.ts";
import { CookieStorage } from "./sessions/cookie_storage.ts";
import { MovingRecords } from "./sessions/moving_records.ts";
import { PreviousStorage } from "./sessions/previous_storage.ts";
import { RecordStorage } from "./sessions/record_storage.ts";

/** Options of {@linkcode createReadThroughSessionStorage}. */
export interface ReadThroughSessionStorageOptions<Data, FlashData> {
  /** The new storage: any storage of this library except a cookie storage. */
  to: SessionStorage<Data, FlashData>;
  /**
   * The previous storage: any storage of this library. If it was created with a cookie, of any name and format, that
   * cookie is read too, and `to` must also be created with a cookie. Otherwise the cookie of `to` carries its ids.
   */
  // deno-lint-ignore no-explicit-any -- sessions of any shape
  from: SessionStorage<any, any>;
}

/**
 * Moves sessions from one storage to another, each at its visitor's next request. Visitors stay signed in.
 *
 * A session is looked up in the new storage first. If only the previous storage has it, it moves to the new one and
 * keeps its age and lifetime. You can remove the previous storage once all its sessions have expired.
 *
 * - A session keeps its id. It gets a new one if the old id has another form, or if the previous storage cannot revoke
 *   at once (cookie, Workers KV). The new storage then remembers the old id, so that a copy of an old cookie cannot
 *   bring back a revoked session.
 * - Parallel requests of one visitor find the same session, also in different processes. A destroyed session stays
 *   destroyed.
 * - A session moves when a request first changes it, if the new storage is a database behind four functions, or the old
 *   session is in a React Router cookie, which does not have an id. If requests do so in parallel, the last cookie sent
 *   wins. With Workers KV as the new storage, the last write wins.
 * - A failure of either storage is `store-failed`, never an empty session. The next request continues the move.
 * - After the move, a session does not need additional calls. Moving takes four calls to the new storage and three to
 *   the previous one. An unknown id takes one additional read in each.
 * - `sweep` and `close` call both storages. `listSessions` and `destroySessions` call those that were created with
 *   `owner`.
 * - Servers that still use only the previous storage lose what they save in a session that has moved.
 *
 * @param options The new and the previous storage.
 * @returns The session storage, with the cookie of `to`.
 * @throws {TypeError} If one of them is not a storage of this library, or they cannot be combined.
 *
 * @example Move from files to memory
 * ```ts
 * import {
 *   createFileSessionStorage,
 *   createMemorySessionStorage,
 *   createReadThroughSessionStorage,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const dir = await Deno.makeTempDir();
 * const cookie = { name: "__session", secrets: ["s3cr3t"] };
 * const files = createFileSessionStorage({ dir, cookie });
 * const session = await files.getSession();
 * session.set("userId", "ann");
 * const cookieHeader = (await files.commitSession(session)).split(";")[0]!;
 *
 * const { getSession } = createReadThroughSessionStorage({
 *   to: createMemorySessionStorage({ cookie }),
 *   from: files,
 * });
 *
 * assertEquals((await getSession(cookieHeader)).get("userId"), "ann");
 * assertEquals((await files.getSession(cookieHeader)).has("userId"), false);
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export function createReadThroughSessionStorage<Data, FlashData>(
  options: ReadThroughSessionStorageOptions<Data, FlashData>,
): SessionStorage<Data, FlashData> {
  checkOptions("create storage", options, { from: true, to: true });
  const { to, from } = options;
  if (!(to instanceof BoundStorage && to.sessions instanceof RecordStorage)) {
    fail(
      "to must be a storage of this library, and not a cookie storage",
    );
  }
  if (!(from instanceof BoundStorage)) {
    fail("from must be a storage of this library");
  }
  const previous = previousOf(from);
  const { records } = to.sessions;
  if (previous.records === records) {
    fail("to and from must be different storages");
  }
  if (!previous.byValue && to.byDefault) {
    fail(
      "from was created with a cookie, and to was not; create to with a cookie too",
    );
  }
  if (
    previous.cookies && !(records.guarantees.compareAndSet && hasIds(from)) &&
    identityOf(from.cookie) !== identityOf(to.cookie)
  ) {
    fail(
      "sessions in from have no id, so the cookie of to must replace theirs; give both cookies the same name, path and domain",
    );
  }
  const moving = new MovingRecords(records, previous, to.defaultLifetime);
  const sessions = new MovingSessions<Data, FlashData>(moving, previous);
  return new ReadThroughStorage(sessions, to, previous.byValue);
}

/** Sessions in the new storage, and those that are still in the previous one. */
class MovingSessions<Data, FlashData> extends RecordStorage<Data, FlashData> {
  readonly #previous: PreviousStorage;

  constructor(records: MovingRecords, previous: PreviousStorage) {
    super(
      records,
      previous.byValue
        ? undefined
        : (carried, own) => records.find(carried, own),
    );
    this.#previous = previous;
  }

  override async listSessions(
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]> {
    const sessions = await super.listSessions(owner, options);
    const { policy, storage } = this.#previous;
    if (!policy.owner) return sessions;
    sessions.push(...await storage.listSessions(owner, options));
    return sessions.sort((a, b) => b.lastSeen - a.lastSeen);
  }

  override async destroySessions(
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> {
    const { policy, storage } = this.#previous;
    // The previous storage first. A session that moves in the meantime is then in the new storage's list.
    const before = policy.owner
      ? await storage.destroySessions(owner, options)
      : 0;
    return before + await super.destroySessions(owner, options);
  }
}

/** A storage that may read the previous storage's cookie beside its own. */
class ReadThroughStorage<Data, FlashData>
  extends BoundStorage<Data, FlashData> {
  readonly #byValue: boolean;

  constructor(
    sessions: RecordStorage<Data, FlashData>,
    { cookie, byDefault }: BoundStorage<Data, FlashData>,
    byValue: boolean,
  ) {
    super(sessions, cookie, { byDefault });
    this.#byValue = byValue;
  }

  override bind(cookie: Cookie): BoundStorage<Data, FlashData> {
    if (this.#byValue) return super.bind(cookie);
    throw new TypeError(
      `Cannot use cookie "${cookie.name}": a read-through storage uses the cookies of to and from; pass no cookie to the middleware`,
    );
  }
}

/** @throws {TypeError} If sessions cannot be moved from this storage. */
function previousOf(
  // deno-lint-ignore no-explicit-any -- sessions of any shape
  from: BoundStorage<any, any>,
): PreviousStorage {
  const { sessions } = from;
  if (sessions instanceof CookieStorage) {
    if (!from.byDefault) return new PreviousStorage(from, sessions);
    fail(
      "from is a cookie storage without a cookie; create it with its cookie",
    );
  }
  if (sessions instanceof RecordStorage) {
    return new PreviousStorage(from, sessions.records);
  }
  fail("from must be a storage of this library");
}

/** Whether all formats that a cookie reads and writes contain an id. */
function hasIds({ cookie }: { readonly cookie: Cookie }): boolean {
  if (!(cookie instanceof SatchelCookie)) return true;
  const { format, accept = [] } = cookie.options;
  return format !== "react-router" && !accept.includes("react-router");
}

/** A browser keeps one cookie for each name, domain and path (RFC 6265bis, section 5.7). */
function identityOf(cookie: Cookie): string {
  const { path = "/", domain = "" } = cookie instanceof SatchelCookie
    ? cookie.options
    : {};
  return [cookie.name, path, domain].join();
}

function fail(why: string): never {
  throw new TypeError(`Cannot create storage: ${why}`);
}
