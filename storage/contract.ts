/**
 * The contracts: what a session storage owes its caller, and what an engine owes a storage.
 *
 * @module
 */
import type {
  Cookie,
  CookieOptions,
  CookieParseOptions,
  CookieSerializeOptions,
} from "../core/cookie.ts";
import type { Lifetime, Timeouts } from "../core/lifetime.ts";
import type { Session, SessionData } from "../core/session.ts";

/** Options of a session's own cookie: those of any cookie, and its name. */
export interface SessionCookieOptions extends CookieOptions {
  /** The cookie's name. @default {"__session"} */
  name?: string | undefined;
}

/** Options of {@linkcode SessionValues.save}. */
export interface SaveOptions extends Lifetime {
  /** Saves and sends an existing session again although nothing changed, with a fresh lifetime. @default {false} */
  renew?: boolean | undefined;
  /** The lifetime of a session that no commit gave one: its cookie's. @default {14 days from its last save} */
  defaultLifetime?: Lifetime | undefined;
}

/**
 * What a storage needs to know of a session that it is given. The sessions of React Router and Remix have this shape
 * too, so that a storage of this library has their storage's type; a storage saves its own library's sessions only.
 */
export interface SessionLike {
  /** The id. */
  readonly id: string;
  /** The values. */
  readonly data: object;
  /** Whether there is a value or a flash under a key. */
  has(key: string): boolean;
  /** The value or the flash under a key. */
  get(key: string): unknown;
  /** Removes the value under a key. */
  unset(key: string): void;
}

/**
 * Sessions by the value of their cookie: what Remix 3 calls a session storage. A third party may implement this alone;
 * a middleware then brings the cookie.
 *
 * - An id that is unknown, expired, revoked or malformed is never adopted: `read` returns a new, empty session.
 * - What a client sends never makes `read` reject. A failing engine always does: a failure is never "no session".
 * - An untouched session is not written.
 * - A session that was destroyed, or whose id was replaced, is never brought back by a save that is still running.
 */
export interface SessionValues<Data = SessionData, FlashData = Data> {
  /** What the storage guarantees, as data. Optional for a third party. */
  readonly guarantees?: StorageGuarantees;
  /**
   * Reads a session.
   *
   * @param value The cookie's value, unsigned; `null` if the request has no cookie.
   * @returns The session, or a new and empty one under another id.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  read(value: string | null): Promise<Session<Data, FlashData>>;
  /**
   * Saves what the request changed.
   *
   * @param session The session, as `read` returned it.
   * @param options The lifetime that this save gives the session from now on.
   * @returns The cookie's new value; `""` to clear the cookie; `null` if there is nothing to send.
   * @throws {SessionError} If a value is not JSON (`unserializable`), the record too large (`too-large`), the engine
   * fails (`store-failed`) or other requests keep changing the session (`conflict`). The stored record is as it was.
   * @throws {TypeError} If another library made the session, if this storage could not have made its id, or if
   * `expires` is not a valid date.
   * @throws {RangeError} If `maxAge` is negative or not finite.
   */
  save(session: SessionLike, options?: SaveOptions): Promise<string | null>;
  /** Removes expired records. Absent if the engine does so by itself. */
  sweep?(): Promise<void>;
  /** Releases timers and handles. May be called more than once. */
  close?(): Promise<void>;
}

/**
 * Sessions by the `Cookie` and `Set-Cookie` headers: what React Router and Remix 1–2 call a session storage. A third
 * party may implement this alone. The functions do not need their object.
 */
export interface SessionHeaders<Data = SessionData, FlashData = Data> {
  /**
   * Reads the session of a request.
   *
   * @param from The `Cookie` header, or the request or its headers.
   * @returns The session, or a new and empty one.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  getSession(
    this: void,
    from?: string | null | RequestLike | HeadersLike,
    options?: CookieParseOptions,
  ): Promise<Session<Data, FlashData>>;
  /**
   * Saves a session and sends its cookie, with a fresh lifetime.
   *
   * @param session The session.
   * @param options Attributes for this commit; a `maxAge` or `expires` belongs to the session from now on.
   * @returns The `Set-Cookie` header; `""`, which browsers ignore, if there is nothing to send.
   * @throws {SessionError} As {@linkcode SessionValues.save}.
   * @throws {TypeError} If another library made the session, if this storage could not have made its id, or if an
   * attribute is malformed or contradicts another.
   * @throws {RangeError} If `maxAge` is negative or not finite.
   */
  commitSession(
    this: void,
    session: SessionLike,
    options?: CommitOptions,
  ): Promise<string>;
  /**
   * Destroys a session and clears its cookie. If the session is kept in its cookie, the server cannot revoke it: copies
   * of the cookie work until their deadline.
   *
   * @param session The session.
   * @param options Attributes, if the cookie was set with others than its own.
   * @returns The `Set-Cookie` header.
   * @throws {SessionError} If the engine fails (`store-failed`), or the response has been sent (`late-change`).
   * @throws {TypeError} If another library made the session, or an attribute is malformed or contradicts another.
   */
  destroySession(
    this: void,
    session: SessionLike,
    options?: CookieSerializeOptions,
  ): Promise<string>;
}

/** A `Request`, as far as reading its cookie needs it. */
export interface RequestLike {
  /** Its headers. */
  readonly headers: HeadersLike;
}

/** `Headers`, as far as reading a cookie needs them. */
export interface HeadersLike {
  /** The value of a header, or `null`. */
  get(name: string): string | null;
}

/** A cookie by its parts, for frameworks that set cookies themselves. */
export interface CookieParts {
  /** The cookie's name. */
  readonly name: string;
  /** Its value as it is written in `Set-Cookie`. */
  readonly value: string;
  /** Its attributes. */
  readonly options: CookieSerializeOptions;
}

/**
 * A session storage: what reads and saves sessions. Every factory of this library returns this shape, whether or not
 * `cookie` was given. It has the types of React Router's and Remix's `SessionStorage` too.
 */
export interface SessionStorage<Data = SessionData, FlashData = Data>
  extends SessionValues<Data, FlashData>, SessionHeaders<Data, FlashData> {
  /** What the storage guarantees, as data. */
  readonly guarantees: StorageGuarantees;
  /**
   * Saves a session as `commitSession` does, for frameworks that set cookies by their parts.
   *
   * @param session The session.
   * @param options As for {@linkcode SessionHeaders.commitSession}.
   * @returns The cookie, or `null` if there is nothing to send. To clear it, its value is `""` and its `maxAge` 0.
   * @throws {SessionError} As {@linkcode SessionValues.save}.
   * @throws {TypeError} As {@linkcode SessionHeaders.commitSession}.
   * @throws {RangeError} If `maxAge` is negative or not finite.
   */
  commitCookie(
    this: void,
    session: SessionLike,
    options?: CommitOptions,
  ): Promise<CookieParts | null>;
  /**
   * Lists an owner's sessions, the one used last first.
   *
   * @param owner As the option `owner` returned it.
   * @param options The session that asks.
   * @returns The sessions that have not expired.
   * @throws {TypeError} If the storage was created without `owner`.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  listSessions(
    this: void,
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]>;
  /**
   * Revokes an owner's sessions: "sign out everywhere" (OWASP ASVS 7.4). When it has resolved, none of them works, and
   * no save that is still running brings one back. If it rejects, call it again. If the engine's list of them was
   * damaged, those from before the damage are not found.
   *
   * @param owner As the option `owner` returned it.
   * @param options The session to keep.
   * @returns How many sessions were revoked.
   * @throws {TypeError} If the storage was created without `owner`.
   * @throws {SessionError} If the engine fails (`store-failed`) or logins keep getting in between (`conflict`).
   */
  destroySessions(
    this: void,
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number>;
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

/** Options of {@linkcode SessionStorage.listSessions}. */
export interface ListSessionsOptions {
  /** The session that asks, or its id. */
  current?: SessionLike | string | undefined;
}

/** Options of {@linkcode SessionStorage.destroySessions}. */
export interface DestroySessionsOptions {
  /**
   * The session that stays. Pass the session itself, which also knows the id that it is about to lose; or an id, or the
   * `id` of an {@linkcode OwnedSession}.
   */
  except?: SessionLike | string | undefined;
}

/** Options of {@linkcode SessionHeaders.commitSession}. */
export interface CommitOptions extends CookieSerializeOptions {
  /** Sends an existing session's cookie again although nothing changed. @default {true} */
  renew?: boolean | undefined;
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
   * The cookie, or options for one. A middleware may bring another.
   *
   * @default {a cookie of the session's default attributes, named "__session"}
   */
  cookie?: Cookie | SessionCookieOptions | undefined;
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
