/**
 * Moves sessions from one storage to another while visitors stay signed in.
 *
 * @module
 */
import type { CookieAttributes } from "../core/attributes.ts";
import { type Cookie, SatchelCookie } from "../core/cookie.ts";
import type { StoredLifetime } from "../core/lifetime.ts";
import { checkOptions, type OptionNames, typeOf } from "../core/options.ts";
import type { Session } from "../core/session.ts";
import type { SessionState } from "../core/session_state.ts";
import type {
  CommitOptions,
  DestroySessionsOptions,
  HeadersLike,
  ListSessionsOptions,
  OwnedSession,
  RequestLike,
  SaveOptions,
  SessionLike,
  SessionStorage,
} from "./contract.ts";
import { BoundStorage } from "./sessions/bound_storage.ts";
import { CookieStorage } from "./sessions/cookie_storage.ts";
import { MovingRecords } from "./sessions/moving_records.ts";
import {
  type AnyStorage,
  PreviousStorage,
} from "./sessions/previous_storage.ts";
import { RecordStorage } from "./sessions/record_storage.ts";
import { requireState } from "./sessions/sessions.ts";

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
  /**
   * Leaves the sessions in `from`, where new ones begin too, so that servers of the previous release can run side by side
   * with this one, and you can roll back to it. Sessions move once you leave it out. `from` must be able to create
   * sessions, and needs `owner` if `to` has it.
   *
   * @default {false}
   */
  keepOld?: boolean | undefined;
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
 * - `sweep` and `close` call both storages, and `sweep` returns the sum. `listSessions` and `destroySessions` call those
 *   that were created with `owner`. `maxPerOwner` counts only the sessions that have moved.
 * - Servers that still use only the previous storage do not find a session that has moved. So deploy with `keepOld`
 *   first, and without it once all servers have it.
 *
 * With `keepOld`, nothing moves: sessions stay in `from`, with its cookie and its timeouts, and new ones begin there. A
 * session that another server has moved is found and saved in `to`. That takes one more read a request; two for a cookie
 * storage or Workers KV as `from`.
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
  checkOptions("create storage", options, OPTIONS);
  const { to, from, keepOld = false } = options;
  if (typeof keepOld !== "boolean") {
    fail(`keepOld must be true or false, received ${typeOf(keepOld)}`);
  }
  if ([to, from].some((storage) => storage instanceof KeptStorage)) {
    fail(
      "to and from must not be a read-through storage with keepOld; finish that move first",
    );
  }
  if (!(to instanceof BoundStorage && to.sessions instanceof RecordStorage)) {
    fail(
      "to must be a storage of this library, and not a cookie storage",
    );
  }
  if (!(from instanceof BoundStorage)) {
    fail("from must be a storage of this library");
  }
  const previous = previousOf(from, to.lifetime);
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
  if (!keepOld) return new ReadThroughStorage(to, from, false);
  if (records.policy.owner && !previous.policy.owner) {
    fail(
      "with keepOld, sessions stay in from, which was created without owner, so they could not be listed or revoked; create from with owner too, or to without it until the move",
    );
  }
  if (records.policy.schema && !previous.policy.schema) {
    fail(
      "with keepOld, sessions stay in from, which was created without schema, so they would not be checked; create from with schema too",
    );
  }
  const moved = new ReadThroughStorage<Data, FlashData>(to, from, true);
  return new KeptStorage(keptBy(from, to), moved);
}

const OPTIONS: OptionNames<ReadThroughSessionStorageOptions<unknown, unknown>> =
  { from: true, keepOld: true, to: true };

/** Sessions in the new storage, and those that are still in the previous one. */
class MovingSessions<Data, FlashData> extends RecordStorage<Data, FlashData> {
  declare readonly records: MovingRecords;
  readonly #previous: PreviousStorage;

  constructor(records: MovingRecords, previous: PreviousStorage) {
    super(records);
    this.#previous = previous;
  }

  override async listSessions(
    owner: string,
    options: ListSessionsOptions | undefined,
    cookie: StoredLifetime,
  ): Promise<OwnedSession<Data>[]> {
    // The previous storage first. A session that moves in the meantime is then in the new storage's list.
    const old = await this.#previous.listSessions(owner, options);
    const sessions = this.#asks
      ? await super.listSessions(owner, options, cookie)
      : [];
    // While a session is moved, both storages have it.
    const keys = new Set(sessions.map(({ id }) => id));
    const others = old.filter(({ id }) => !keys.has(id));
    return [...sessions, ...others as OwnedSession<Data>[]]
      .sort((a, b) => b.lastSeen - a.lastSeen);
  }

  override async destroySessions(
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> {
    const before = await this.#previous.destroySessions(owner, options);
    const after = this.#asks ? await super.destroySessions(owner, options) : 0;
    const most = options?.only === undefined ? Infinity : 1;
    return Math.min(before + after, most);
  }

  /** Whether to ask the new storage for an owner's sessions. If neither storage has `owner`, it throws. */
  get #asks(): boolean {
    return this.records.policy.owner !== undefined ||
      this.#previous.policy.owner === undefined;
  }
}
/** A storage that may read the previous storage's cookie beside its own. */
class ReadThroughStorage<Data, FlashData>
  extends BoundStorage<Data, FlashData> {
  declare readonly sessions: MovingSessions<Data, FlashData>;
  readonly #to: BoundStorage<Data, FlashData>;
  readonly #from: AnyStorage;
  readonly #keepOld: boolean;

  constructor(
    to: BoundStorage<Data, FlashData>,
    from: AnyStorage,
    keepOld: boolean,
  ) {
    const { records } = to.sessions as RecordStorage<Data, FlashData>;
    const previous = previousOf(from, to.lifetime);
    const moving = new MovingRecords(records, previous, {
      cookie: to.lifetime,
      keepOld,
    });
    const { byDefault } = to;
    super(new MovingSessions(moving, previous), to.cookie, { byDefault });
    this.#to = to;
    this.#from = from;
    this.#keepOld = keepOld;
  }

  override bind(cookie: Cookie): ReadThroughStorage<Data, FlashData> {
    mustBeFree(this.#from, cookie);
    super.bind(cookie);
    const to = new BoundStorage(this.#to.sessions, cookie);
    return new ReadThroughStorage(to, this.#from, this.#keepOld);
  }
}

/**
 * The previous storage, as long as sessions stay in it. Only those that another server has moved are read and saved in
 * the new storage.
 */
class KeptStorage<Data, FlashData> extends BoundStorage<Data, FlashData> {
  declare readonly sweep?: () => Promise<number | undefined>;
  declare readonly close?: () => Promise<void>;
  readonly #from: BoundStorage<Data, FlashData>;
  readonly #moved: ReadThroughStorage<Data, FlashData>;

  constructor(
    from: BoundStorage<Data, FlashData>,
    moved: ReadThroughStorage<Data, FlashData>,
  ) {
    const { byDefault } = from;
    super(from.sessions, from.cookie, { byDefault });
    this.#from = from;
    this.#moved = moved;
    const { sweep, close } = moved;
    if (sweep) this.sweep = sweep;
    if (close) this.close = close;
  }

  override bind(cookie: Cookie): BoundStorage<Data, FlashData> {
    const moved = this.#moved.bind(cookie);
    super.bind(cookie);
    const from = new BoundStorage(this.#from.sessions, cookie);
    return new KeptStorage(from, moved);
  }

  override open(
    from: string | null | undefined | RequestLike | HeadersLike,
  ): Promise<Session<Data, FlashData>> {
    return this.#find(async (storage) => await storage.open(from));
  }

  override read(value: string | null): Promise<Session<Data, FlashData>> {
    return this.#find((storage) => storage.read(value));
  }

  override commit(
    session: SessionLike,
    options?: CommitOptions,
  ): Promise<string> {
    return this.#save(
      session,
      async (storage) => await storage.commit(session, options),
    );
  }

  override readonly destroySession = (
    session: SessionLike,
    options?: CookieAttributes,
  ): Promise<string> =>
    this.#save(session, (storage) => storage.destroySession(session, options));

  override save(
    session: SessionLike,
    options?: SaveOptions,
  ): Promise<string | null> {
    return this.#save(session, (storage) => storage.save(session, options));
  }

  override readonly listSessions = (
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]> => this.#moved.listSessions(owner, options);

  override readonly destroySessions = (
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> => this.#moved.destroySessions(owner, options);

  /** Finds a session that has moved, or else one that is kept. */
  async #find(
    read: (
      storage: BoundStorage<Data, FlashData>,
    ) => Promise<Session<Data, FlashData>>,
  ): Promise<Session<Data, FlashData>> {
    this.mustBeUsable();
    const before = await read(this.#moved);
    if (requireState(before).stored) return before;
    const kept = await read(this.#from);
    const { records } = this.#moved.sessions;
    const { stored } = requireState(kept);
    if (stored && !await records.hasMoved(kept.id)) return kept;
    // It may have moved between the two reads.
    const after = await read(this.#moved);
    return stored || this.#isMoved(requireState(after)) ? after : kept;
  }

  async #save<T>(
    session: SessionLike,
    save: (storage: BoundStorage<Data, FlashData>) => Promise<T>,
  ): Promise<T> {
    this.mustBeUsable();
    const state = requireState(session);
    if (this.#isMoved(state)) return await save(this.#moved);
    const { replacesId } = state;
    const saved = await save(this.#from);
    const origin = state.originIn(this.#from.sessions);
    const replaced = replacesId && origin?.id === state.id;
    if (!state.destroyed && !replaced) return saved;
    // Another server may have moved it since it was read.
    for (const id of state.knownIds) {
      if (state.destroyed || id !== state.id) {
        await this.#moved.sessions.records.endMoved(id);
      }
    }
    return saved;
  }

  /** Whether a session, or the note that its id was replaced, was found in the new storage. */
  #isMoved(state: SessionState): boolean {
    const { sessions } = this.#moved;
    return (state.originIn(sessions) ?? state.noteIn(sessions)) !== undefined;
  }
}

/** The previous storage. If it was created without a cookie, the cookie of `to` carries its ids. */
function keptBy(
  from: AnyStorage,
  // deno-lint-ignore no-explicit-any -- sessions of any shape
  to: BoundStorage<any, any>,
): AnyStorage {
  return from.byDefault && !to.byDefault
    ? new BoundStorage(from.sessions, to.cookie)
    : from;
}

/** @throws {TypeError} If the previous storage has a cookie of its own. */
function mustBeFree(from: AnyStorage, cookie: Cookie): void {
  if (from.byDefault) return;
  throw new TypeError(
    `Cannot use cookie "${cookie.name}": a read-through storage uses the cookies of to and from; pass no cookie to the middleware`,
  );
}

/**
 * @param cookie The lifetime of the new storage's cookie, or `null`.
 * @throws {TypeError} If sessions cannot be moved from this storage.
 */
function previousOf(from: AnyStorage, cookie: StoredLifetime): PreviousStorage {
  const { sessions } = from;
  if (sessions instanceof CookieStorage) {
    if (!from.byDefault) return new PreviousStorage(from, sessions, cookie);
    fail(
      "from is a cookie storage without a cookie; create it with its cookie",
    );
  }
  if (sessions instanceof RecordStorage) {
    return new PreviousStorage(from, sessions.records, cookie);
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
