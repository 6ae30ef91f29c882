/**
 * The contracts: what a session storage owes its caller, and what an engine owes a storage.
 *
 * @module
 */
import type {
  CookieParseOptions,
  CookieSerializeOptions,
} from "../core/cookie.ts";
import type { Lifetime, Timeouts } from "../core/lifetime.ts";
import type { Session, SessionData } from "../core/session.ts";

/** What a save may be told. */
export interface SaveOptions extends Lifetime {
  /** Saves and sends an existing session again although nothing changed, with a fresh lifetime. @default {false} */
  renew?: boolean | undefined;
  /** The lifetime of a session that no commit gave one: its cookie's. @default {14 days from its last save} */
  fallback?: Lifetime | undefined;
}

/**
 * Where sessions live between requests. This is what a third party implements and what the conformance suite checks.
 *
 * - An id that is unknown, expired, destroyed or malformed is never adopted: `read` gives a new, empty session.
 * - What a client sends never makes `read` reject. A failing engine always does: it never looks like "no session".
 * - An untouched session is not written.
 * - A session that was destroyed, or whose id was regenerated away, is never brought back by a save still in flight.
 */
export interface SessionStorage<Data = SessionData, FlashData = Data>
  extends Partial<OwnerIndex<Data>> {
  /** What the storage guarantees, as data. Absent where its author does not say. */
  readonly guarantees?: StorageGuarantees;
  /**
   * Reads a session.
   *
   * @param value The cookie's value, unsigned; `null` where the request has none.
   * @returns The session, or a new and empty one under another id.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  read(value: string | null): Promise<Session<Data, FlashData>>;
  /**
   * Saves what the request changed.
   *
   * @param session The session, as `read` gave it.
   * @param options The lifetime that this save gives the session for good.
   * @returns The cookie's new value; `""` to clear the cookie; `null` where there is nothing to send.
   * @throws {SessionError} If a value is not JSON (`unserializable`), the record too large (`too-large`), the engine
   * fails (`store-failed`) or other requests keep getting in between (`conflict`). The stored record is as it was.
   * @throws {TypeError} If the session is another library's, or its id is not one that this storage could have made; or
   * if `expires` is no valid date.
   * @throws {RangeError} If `maxAge` is negative or not finite.
   */
  save(
    session: Session<Data, FlashData>,
    options?: SaveOptions,
  ): Promise<string | null>;
  /** Removes expired records; engines that do so by themselves have none. */
  sweep?(): Promise<void>;
  /** Lets go of timers and handles. May be called more than once. */
  close?(): Promise<void>;
}

/** A session as its owner may see it: on which devices they are signed in, say. Holds no id that would open it. */
export interface OwnedSession<Data = SessionData> {
  /** The hash of the session's id: the key under which the engine keeps it. */
  readonly id: string;
  /** When it began, in milliseconds. */
  readonly created: number;
  /** When it was last used, in milliseconds: saved, or, with an idle timeout, read, to within `touchAfter`. */
  readonly lastSeen: number;
  /** When it ends unless it is used, in milliseconds. */
  readonly expires: number;
  /** Its values: what the application has put in to tell one device from another. */
  readonly data: Readonly<Partial<Data>>;
  /** Whether it is the session that was given as `current`. */
  readonly current: boolean;
}

/** Options of {@linkcode OwnerIndex.listSessions}. */
export interface ListSessionsOptions {
  /** The session that asks, or its id. */
  // deno-lint-ignore no-explicit-any -- a session of whatever shape
  current?: Session<any, any> | string | undefined;
}

/** Options of {@linkcode OwnerIndex.destroySessions}. */
export interface DestroySessionsOptions {
  /**
   * The session that stays. Pass the session itself, which also knows the id that it is about to lose; or an id, or the
   * `id` of an {@linkcode OwnedSession}.
   */
  // deno-lint-ignore no-explicit-any -- a session of whatever shape
  except?: Session<any, any> | string | undefined;
}

/** The sessions of one owner: what a storage can do that was created with `owner`. */
export interface OwnerIndex<Data = SessionData> {
  /**
   * Lists an owner's sessions, the one used last first.
   *
   * @param owner As the option `owner` gave it.
   * @param options Which session asks.
   * @returns The sessions that are alive.
   * @throws {TypeError} If the storage was created without `owner`.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  listSessions(
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]>;
  /**
   * Ends an owner's sessions: "sign out everywhere" (OWASP ASVS 7.4). When it has resolved, none of them works any more,
   * and no save still in flight brings one back. One that rejects can be called again. Where the engine's list of them
   * was damaged, those from before the damage are not found.
   *
   * @param owner As the option `owner` gave it.
   * @param options Which session stays.
   * @returns How many sessions were ended.
   * @throws {TypeError} If the storage was created without `owner`.
   * @throws {SessionError} If the engine fails (`store-failed`) or logins keep getting in between (`conflict`).
   */
  destroySessions(
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number>;
}

/** Options of {@linkcode HttpSessionStorage.commitSession}. */
export interface CommitOptions extends CookieSerializeOptions {
  /** Sends an existing session's cookie again although nothing changed. @default {true} */
  renew?: boolean | undefined;
}

/** A storage bound to a cookie: `Cookie` header in, `Set-Cookie` header out. */
export interface HttpSessionStorage<Data = SessionData, FlashData = Data>
  extends SessionStorage<Data, FlashData> {
  /**
   * Reads the session of a request.
   *
   * @param cookieHeader The `Cookie` header, or `null`.
   * @returns The session, or a new and empty one.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  getSession(
    cookieHeader?: string | null,
    options?: CookieParseOptions,
  ): Promise<Session<Data, FlashData>>;
  /**
   * Saves a session and sends its cookie, with a fresh lifetime.
   *
   * @param session The session.
   * @param options Attributes for this commit; a `maxAge` or `expires` belongs to the session from then on.
   * @returns The `Set-Cookie` header; `""`, which browsers ignore, where there is nothing to send.
   * @throws {SessionError} As {@linkcode SessionStorage.save}.
   * @throws {TypeError} If the session is another library's, or its id is not one that this storage could have made; or
   * if an attribute is malformed or contradicts another.
   * @throws {RangeError} If `maxAge` is negative or not finite.
   */
  commitSession(
    session: Session<Data, FlashData>,
    options?: CommitOptions,
  ): Promise<string>;
  /**
   * Destroys a session and clears its cookie. Where the session lives in its cookie, nothing on the server can end it:
   * copies of the cookie work until their deadline.
   *
   * @param session The session.
   * @param options Attributes, where the cookie was set with others than its own.
   * @returns The `Set-Cookie` header.
   * @throws {SessionError} If the engine fails (`store-failed`), or the response has gone (`late-change`).
   * @throws {TypeError} If the session is another library's, or an attribute is malformed or contradicts another.
   */
  destroySession(
    session: Session<Data, FlashData>,
    options?: CookieSerializeOptions,
  ): Promise<string>;
}

/** What happened to a session or a cookie. Holds no id and no value. */
export interface SessionEvent {
  /**
   * - `created`, `committed`, `destroyed`: a save did so
   * - `expired`: a cookie named a session that is over
   * - `late-save`: a save found its session destroyed or under another id, and let it be
   * - `conflict`: a save found that another request had saved first, and applied its changes to that
   * - `rejected-cookie`: a cookie was forged, outdated or damaged
   * - `corrupt-record`: a stored record could not be read and is treated as absent
   * - `evicted`: a full storage dropped the session that was saved longest ago, or an owner's index the one that ends
   *   first
   * - `engine-error`: the engine failed; `cause` says how
   */
  readonly type:
    | "created"
    | "committed"
    | "destroyed"
    | "expired"
    | "late-save"
    | "conflict"
    | "rejected-cookie"
    | "corrupt-record"
    | "evicted"
    | "engine-error";
  /** The engine's error, for `engine-error`. */
  readonly cause?: unknown;
}

/** Options that every storage takes. */
export interface StorageOptions<Data = SessionData> extends Timeouts {
  /**
   * Whose session it is: the user's id, say; `undefined` while nobody is signed in. With it, `listSessions` and
   * `destroySessions` find a user's sessions, and no session lives longer than `absoluteTimeout`, by default 400 days.
   * A session is found from the first save on that was made with it.
   *
   * Needs an engine that can compare and set, reads strongly and drops no live record.
   */
  owner?: ((data: Readonly<Partial<Data>>) => string | undefined) | undefined;
  /** The clock, in milliseconds. @default {Date.now} */
  now?: (() => number) | undefined;
  /** Seconds after which a call to the engine has failed: `store-failed`. @default {10} */
  engineTimeout?: number | undefined;
  /** Is told what happens; what it throws is ignored. */
  onEvent?: ((event: SessionEvent) => void) | undefined;
}

/** What a storage guarantees. Documentation, conformance suite and core read the same declaration. */
export interface StorageGuarantees {
  /** Changes are applied to the newest record, or not at all; parallel requests lose nothing. */
  readonly compareAndSet: boolean;
  /** Whether a read sees the last completed write (`strong`) or may lag (`eventual`). */
  readonly reads: "strong" | "eventual";
  /** A destroyed or regenerated-away cookie stops working at once. */
  readonly revoke: boolean;
  /** Sessions survive a restart. */
  readonly durable: boolean;
  /** Several processes see the same sessions. */
  readonly shared: boolean;
  /** The whole session travels in the cookie. */
  readonly selfContained: boolean;
  /**
   * What an engine that is full does: refuse to store more (`nothing`), drop the record that was written longest ago
   * (`oldest`), or any (`any`). @default {"nothing"}
   */
  readonly evicts?: "nothing" | "oldest" | "any";
  /** The largest record, in bytes of UTF-8; of a cookie, what fits beside its seal. */
  readonly maxBytes?: number;
  /** The shortest time, in seconds, for which the engine can be told to keep a record. */
  readonly minSeconds?: number;
}

/** A stored record, as an engine gives it. */
export interface EngineRecord {
  /** The text as it was written. */
  readonly value: string;
  /** Changes with every write, and never comes back for the same key. */
  readonly version: unknown;
  /** The instant as it was last written or touched, in milliseconds. */
  readonly expires: number;
}

/** How a record is to be written. */
export interface WriteOptions {
  /** The instant from which the record is over, in milliseconds. */
  readonly expires: number;
  /**
   * The version that must still be stored; `null` where the key must be absent. Left out, the write is unconditional.
   * An engine that declares no `compareAndSet` may ignore it.
   */
  readonly ifVersion?: unknown;
}

/** Which record may be deleted or touched. */
export interface DeleteOptions {
  /** As in {@linkcode WriteOptions}; left out, whatever is there goes. */
  readonly ifVersion?: unknown;
}

/**
 * An engine: it stores an opaque string under a key until an instant, and knows nothing of sessions or cookies.
 *
 * - **Keys** are 43 letters, digits, `-` and `_`: the hash of an id. No byte of a client is in them.
 * - **Absence**: a missing record is `null` from `read`, a resolved `delete`, and a conflict for a write that expects a
 *   version. A record may be given back after its instant; the caller checks it.
 * - **Overwrite**: a write replaces the whole record. A reader sees the old one or the new one, never parts of both.
 * - **Concurrency**: with `compareAndSet`, of several conditional writes and deletes that expect one version, one wins.
 *   Once a call has resolved, every later `read` sees it, unless `reads` is `eventual`.
 * - **Errors**: the engine throws what its client throws; the caller wraps it. It never turns a failure into `null`.
 */
export interface Engine {
  /** What the engine guarantees. */
  readonly guarantees: StorageGuarantees;
  /** Gives the record, or `null`. */
  read(key: string): Promise<EngineRecord | null>;
  /** Writes the record; gives its new version, or `null` where `ifVersion` no longer holds. */
  write(key: string, value: string, options: WriteOptions): Promise<unknown>;
  /** Deletes the record; `false` where `ifVersion` no longer holds. */
  delete(key: string, options?: DeleteOptions): Promise<boolean>;
  /** Moves the instant without rewriting the record; `false` where there is none or `ifVersion` no longer holds. */
  touch?(
    key: string,
    expires: number,
    options?: DeleteOptions,
  ): Promise<boolean>;
  /** Removes every record that is over at `now`, in milliseconds, and no other. */
  sweep?(now: number): Promise<void>;
  /** Lets go of timers and handles. May be called more than once. */
  close?(): Promise<void>;
}
