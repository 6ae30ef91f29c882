/**
 * Moving from one storage to another while visitors stay signed in.
 *
 * @module
 */
import { SatchelCookie } from "../core/cookie.ts";
import { stateOf } from "../core/session.ts";
import type { Parts } from "./sessions/bound_storage.ts";
import { CookieStorage } from "./sessions/cookie_storage.ts";
import { bindLike, partsOf } from "./sessions/bind.ts";
import { MovingStore } from "./sessions/moving_records.ts";
import { OldHome } from "./sessions/previous_storage.ts";
import { type Policy, policyOf } from "./sessions/policy.ts";
import type { Home } from "./sessions/records.ts";
import {
  createRecordStorage,
  RecordStorage,
} from "./sessions/record_storage.ts";
import type { OwnerIndex, SessionStorage } from "./contract.ts";

// deno-lint-ignore no-explicit-any -- sessions of whatever shape
type AnyStorage = SessionStorage<any, any>;

/** Options of {@linkcode createReadThroughSessionStorage}. */
export interface ReadThroughSessionStorageOptions<
  // deno-lint-ignore no-explicit-any -- sessions of whatever shape
  Storage extends SessionStorage<any, any>,
> {
  /** The new storage, which keeps sessions under an id: any storage of this library but the cookie's. */
  to: Storage;
  /**
   * The previous storage: any storage of this library, with a cookie of its own, of whatever name and format, if `to`
   * has one too; otherwise ids are looked up there as they come.
   */
  // deno-lint-ignore no-explicit-any -- sessions of whatever shape
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
 * @returns A storage of the shape of `options.to`.
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
export function createReadThroughSessionStorage<
  // deno-lint-ignore no-explicit-any -- sessions of whatever shape
  Storage extends SessionStorage<any, any>,
>(
  options: ReadThroughSessionStorageOptions<Storage>,
): Storage {
  const { to: storage, from } = options;
  const bound = partsOf(storage);
  const store = RecordStorage.storeOf(bound?.storage ?? storage);
  const policy = policyOf(bound?.storage ?? storage);
  if (!store || !policy) {
    refuse("to must be one of this library that keeps sessions under ids");
  }
  const old = oldHome(from, bound, store.guarantees.compareAndSet);
  if (old.store === store) refuse("to and from must not be the same");
  const home: Home = { store, policy };
  const moving = new MovingStore(home, old, bound?.fallback);
  const records = withOwnersOf(from, createRecordStorage(moving, policy));
  const made = bound
    ? bindLike(bound, records, older(moving, records, partsOf(from)))
    : records;
  return made as AnyStorage as Storage;
}

function oldHome(
  from: AnyStorage,
  bound: Parts | undefined,
  compareAndSet: boolean,
): OldHome {
  const parts = partsOf(from);
  const { storage } = parts ?? { storage: from };
  const policy = policyOf(storage);
  const store = RecordStorage.storeOf(storage);
  if (!policy) refuse("from must be a storage of this library");
  if (parts && !bound) {
    refuse("from has a cookie; create to with one too, or neither");
  }
  if (storage instanceof CookieStorage) {
    if (!parts) refuse("from is a cookie storage; create it with its cookie");
    if (bound && !(compareAndSet && hasIds(parts)) && !replaces(bound, parts)) {
      refuse(
        "sessions in from have no id to remember them by; give both cookies one name, path and domain, so that the new one takes the place of the old",
      );
    }
  }
  const { sweep, close } = from;
  return new OldHome({
    store,
    policy,
    byValue: !parts,
    sweep: sweep?.bind(from),
    close: close?.bind(from),
  });
}

/** Whether what a cookie carries always has an id. */
function hasIds({ cookie }: Parts): boolean {
  if (!(cookie instanceof SatchelCookie)) return true;
  const { format, accept = [] } = cookie.options;
  return format !== "react-router" && !accept.includes("react-router");
}

/** Whether a browser keeps one of both cookies only (RFC 6265bis, section 5.7). */
function replaces({ cookie: a }: Parts, { cookie: b }: Parts): boolean {
  const placeOf = (cookie: Parts["cookie"]) => {
    const { path = "/", domain = "" } = cookie instanceof SatchelCookie
      ? cookie.options
      : {};
    return [cookie.name, path, domain].join();
  };
  return placeOf(a) === placeOf(b);
}

/** How the old home's own cookie leads to a session. */
function older(
  moving: MovingStore,
  records: RecordStorage<unknown, unknown>,
  parts: Parts | undefined,
): Parameters<typeof bindLike>[2] {
  if (!parts) return undefined;
  const { storage, decode } = parts;
  return {
    accepts: (value) => typeof value === "string" && moving.accepts(value),
    async find(cookieHeader, sent) {
      const { value, legacy } = await decode(cookieHeader);
      if (value === null) return undefined;
      if (storage instanceof CookieStorage) {
        const origin = stateOf(await storage.read(value, legacy))?.origin;
        return origin && await records.open(sent, () => moving.take(origin));
      }
      if (typeof value !== "string") return undefined;
      const isNotHere = value === sent && moving.accepts(value);
      return await records.open(sent, () => moving.find(value, isNotHere));
    },
  };
}

/** Lists and ends what an owner still has in the old home, too. */
function withOwnersOf(
  from: AnyStorage,
  records: RecordStorage<unknown, unknown>,
): RecordStorage<unknown, unknown> {
  const { listSessions, destroySessions } = from as Partial<OwnerIndex>;
  const policy: Policy | undefined = policyOf(partsOf(from)?.storage ?? from);
  if (!policy?.owner || !listSessions || !destroySessions) return records;
  const list = records.listSessions.bind(records);
  const destroy = records.destroySessions.bind(records);
  records.listSessions = async (...args) => {
    const sessions = [await list(...args), await listSessions(...args)].flat();
    return sessions.sort((a, b) => b.lastSeen - a.lastSeen);
  };
  // The old home first: what moves meanwhile is in the new one's list by then.
  records.destroySessions = async (...args) =>
    await destroySessions(...args) + await destroy(...args);
  return records;
}

function refuse(why: string): never {
  throw new TypeError(`Cannot create storage: ${why}`);
}
