/**
 * Moving from one storage to another while visitors stay signed in.
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
  /** The new storage: any storage of this library that keeps sessions under an id. */
  to: SessionStorage<Data, FlashData>;
  /**
   * The previous storage: any storage of this library. If it was created with a cookie, of any name and format, its
   * visitors are found by that cookie, and `to` needs a cookie too. Otherwise its ids are looked up as they come in the
   * cookie of `to`.
   */
  // deno-lint-ignore no-explicit-any -- sessions of any shape
  from: SessionStorage<any, any>;
}

/**
 * Moves sessions from one storage to another, each when its visitor comes: nobody is signed out.
 *
 * A session is looked for in the new home first, and in the old one only if it is not there. What is found there moves,
 * with what is left of its life, and is the new home's from then on. The old home may be dropped after the longest
 * lifetime that a session in it may have.
 *
 * - A session keeps its id. It gets a new one where the old id is of another shape, or where the old home cannot be
 *   relied on to forget (cookie, Workers KV): there the new home keeps a note that the old id has moved, so that a copy
 *   of an old cookie opens nothing that has ended.
 * - Parallel requests of one visitor, in whatever process, find one session; one that is destroyed stays so.
 * - To a database behind four functions, and out of a cookie without an id (React Router's), a session moves when a
 *   request first changes it; of requests that do so at once, the cookie sent last decides. To Workers KV, as always
 *   there, the last write does.
 * - A failure of either home is `store-failed`, never "no session", and loses nothing: the next request carries on.
 * - A session that has moved costs what it costs without this; an id that nobody knows, one read in the old home and one
 *   more in the new. Moving takes four calls to the new home and three to the old, once.
 * - `sweep` and `close` go to both, `listSessions` and `destroySessions` to all that were created with `owner`.
 * - Servers that still run without this write to the old home alone: what they save of a session that has moved is lost.
 *
 * @param options The new home and the old one.
 * @returns The storage, with the cookie of `to`.
 * @throws {TypeError} If one of them is not a storage of this library, or they do not go together.
 *
 * @example From files to memory
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
    placeOf(from.cookie) !== placeOf(to.cookie)
  ) {
    fail(
      "sessions in from have no id, so the cookie of to must replace theirs; give both cookies the same name, path and domain",
    );
  }
  const moving = new MovingRecords(records, previous, to.defaultLifetime);
  const sessions = previous.byValue
    ? new RecordStorage<Data, FlashData>(moving)
    : new RecordStorage<Data, FlashData>(
      moving,
      (carried, own) => moving.find(carried, own),
    );
  return new ReadThroughStorage(sessions, to, previous);
}

/** Reads through to the previous storage. */
class ReadThroughStorage<Data, FlashData>
  extends BoundStorage<Data, FlashData> {
  readonly #previous: PreviousStorage;

  constructor(
    sessions: RecordStorage<Data, FlashData>,
    { cookie, byDefault }: BoundStorage<Data, FlashData>,
    previous: PreviousStorage,
  ) {
    super(sessions, cookie, { byDefault });
    this.#previous = previous;
  }

  override bind(cookie: Cookie): BoundStorage<Data, FlashData> {
    if (this.#previous.byValue) return super.bind(cookie);
    throw new TypeError(
      `Cannot use cookie "${cookie.name}": a read-through storage uses the cookies of to and from; pass no cookie to the middleware`,
    );
  }

  override async listSessions(
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]> {
    const sessions = await super.listSessions(owner, options);
    if (!this.#previous.policy.owner) return sessions;
    const { storage } = this.#previous;
    sessions.push(...await storage.listSessions(owner, options));
    return sessions.sort((a, b) => b.lastSeen - a.lastSeen);
  }

  override async destroySessions(
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> {
    const { policy, storage } = this.#previous;
    // The previous storage first: a session that moves meanwhile is in the new one's list by then.
    const before = policy.owner
      ? await storage.destroySessions(owner, options)
      : 0;
    return before + await super.destroySessions(owner, options);
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

/** Whether what a cookie carries always has an id. */
function hasIds({ cookie }: { readonly cookie: Cookie }): boolean {
  if (!(cookie instanceof SatchelCookie)) return true;
  const { format, accept = [] } = cookie.options;
  return format !== "react-router" && !accept.includes("react-router");
}

/** Of several cookies with the same of these, a browser keeps one (RFC 6265bis, section 5.7). */
function placeOf(cookie: Cookie): string {
  const { path = "/", domain = "" } = cookie instanceof SatchelCookie
    ? cookie.options
    : {};
  return [cookie.name, path, domain].join();
}

function fail(why: string): never {
  throw new TypeError(`Cannot create storage: ${why}`);
}
