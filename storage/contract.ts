/**
 * The contracts of a session storage and of an engine.
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
import type { StandardSchemaLike } from "../core/standard_schema.ts";

/** Options of a session's cookie. */
export interface SessionCookieOptions extends CookieOptions {
  /** The cookie's name. @default {"__session"} */
  name?: string | undefined;
}

/** Options of {@linkcode SessionValues.save}. */
export interface SaveOptions extends Lifetime {
  /** Saves an existing session even if it has not changed, which renews its lifetime. @default {false} */
  renew?: boolean | undefined;
  /** The lifetime if no commit has set one: the cookie's. @default {14 days from its last save} */
  defaultLifetime?: Lifetime | undefined;
}

/**
 * The shape of a session that a storage takes. Sessions of React Router and Remix have it too, so a storage of this
 * library has the type of their storages. It saves only sessions of this library.
 */
export interface SessionLike {
  /** The id. */
  readonly id: string;
  /** The values. */
  readonly data: object;
  /** Whether there is a value or a flash under a key. */
  has(key: string): boolean;
  /** Returns the value or the flash under a key. */
  get(key: string): unknown;
  /** Removes the value under a key. */
  unset(key: string): void;
}

/**
 * Reads and saves sessions by the value of their cookie, as a session storage of Remix 3. Another library's storage may
 * implement only this; a middleware then brings the cookie.
 *
 * - For an id that is unknown, expired, revoked or malformed, `read` returns an empty session with a new id.
 * - `read` never rejects because of a client's bytes. It always rejects if the engine fails, and never returns an empty
 *   session instead.
 * - An unchanged session is not written.
 * - A save that is still running does not bring back a session that was destroyed, or whose id was replaced.
 */
export interface SessionValues<Data = SessionData, FlashData = Data> {
  /** What the storage guarantees. Optional for another library's storage. */
  readonly guarantees?: StorageGuarantees;
  /**
   * Reads a session.
   *
   * @param value The cookie's value, unsigned; `null` if the request does not have the cookie.
   * @returns The session, or an empty one with a new id.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  read(value: string | null): Promise<Session<Data, FlashData>>;
  /**
   * Saves what the request changed in a session.
   *
   * @param session The session, as `read` returned it.
   * @param options The session's lifetime from now on.
   * @returns The cookie's new value; `""` to clear the cookie; `null` if there is nothing to send.
   * @throws {SessionError} If a value is not JSON (`unserializable`), the record is too large (`too-large`), the engine
   * fails (`store-failed`), or other requests keep changing the session (`conflict`). The stored record is then
   * unchanged.
   * @throws {TypeError} If the session is not of this library, its id is not one that this storage makes, or `expires`
   * is not a valid date.
   * @throws {RangeError} If `maxAge` is negative or not finite.
   */
  save(session: SessionLike, options?: SaveOptions): Promise<string | null>;
  /** Removes expired records, and may return how many. Absent if the engine removes them itself. */
  sweep?(): Promise<number | void>;
  /** Releases timers and handles. May be called more than once. */
  close?(): Promise<void>;
}

/**
 * Reads and saves sessions by the `Cookie` and `Set-Cookie` headers, as a session storage of React Router and Remix
 * 1–2. Another library's storage may implement only this. The functions do not use `this`.
 */
export interface SessionHeaders<Data = SessionData, FlashData = Data> {
  /**
   * Reads the session of a request. A browser can send several cookies of one name. At most three are tried, and the
   * first that leads to a live session is used. Destroying the session, or regenerating its id, also ends the sessions
   * of the others.
   *
   * @param from The `Cookie` header, the request, or its headers.
   * @returns The session, or an empty one with a new id.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  getSession(
    this: void,
    from?: string | null | RequestLike | HeadersLike,
    options?: CookieParseOptions,
  ): Promise<Session<Data, FlashData>>;
  /**
   * Saves a session, and returns its cookie with a renewed lifetime.
   *
   * @param session The session.
   * @param options Attributes for this commit. `maxAge` and `expires` set the session's lifetime from now on.
   * @returns The `Set-Cookie` header; `""`, which browsers ignore, if a cookie need not be sent.
   * @throws {SessionError} As {@linkcode SessionValues.save}.
   * @throws {TypeError} If the session is not of this library, its id is not one that this storage makes, or an
   * attribute is malformed or contradicts another.
   * @throws {RangeError} If `maxAge` is negative or not finite.
   */
  commitSession(
    this: void,
    session: SessionLike,
    options?: CommitOptions,
  ): Promise<string>;
  /**
   * Destroys a session and clears its cookie. A cookie storage cannot revoke a session: copies of the cookie, and other
   * cookies of its name, work until their deadline.
   *
   * @param session The session.
   * @param options Attributes that the cookie was set with, if they differ from its own.
   * @returns The `Set-Cookie` header.
   * @throws {SessionError} If the engine fails (`store-failed`), or the response was already sent (`late-change`).
   * @throws {TypeError} If the session is not of this library, or an attribute is malformed or contradicts another.
   */
  destroySession(
    this: void,
    session: SessionLike,
    options?: CookieSerializeOptions,
  ): Promise<string>;
}

/** The part of a `Request` that reading its cookie uses. */
export interface RequestLike {
  /** Its headers. */
  readonly headers: HeadersLike;
}

/** The part of `Headers` that reading a cookie uses. */
export interface HeadersLike {
  /** Returns the value of a header, or `null`. */
  get(name: string): string | null;
}

/** The parts of a cookie, for frameworks that set cookies themselves. */
export interface CookieParts {
  /** The cookie's name. */
  readonly name: string;
  /** Its value as it is written in `Set-Cookie`. */
  readonly value: string;
  /** Its attributes. */
  readonly options: CookieSerializeOptions;
}

/**
 * A session storage: it reads and saves sessions. Every factory returns this type. It is assignable to the
 * `SessionStorage` of React Router and of Remix.
 */
export interface SessionStorage<Data = SessionData, FlashData = Data>
  extends SessionValues<Data, FlashData>, SessionHeaders<Data, FlashData> {
  /** What the storage guarantees. */
  readonly guarantees: StorageGuarantees;
  /**
   * Saves a session, as `commitSession` does, and returns the parts of its cookie.
   *
   * @param session The session.
   * @param options As for {@linkcode SessionHeaders.commitSession}.
   * @returns The cookie; `null` if it need not be sent. A cookie that is to be cleared has the value `""` and an
   * `expires` in 1970.
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
   * Lists an owner's sessions, the most recently used first.
   *
   * @param owner The owner, as the option `owner` returns it.
   * @param options The session to mark as `current`.
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
   * Revokes an owner's sessions: "sign out everywhere" (OWASP ASVS 7.4). Once it resolves, none of them works, and a
   * save that is still running does not bring one back. If it rejects, call it again. If the engine's list of them was
   * damaged, sessions from before that are not found.
   *
   * @param owner The owner, as the option `owner` returns it.
   * @param options The session to keep, or the only one to revoke.
   * @returns How many sessions were revoked.
   * @throws {TypeError} If the storage was created without `owner`, `only` is `undefined`, or both `except` and `only` are
   * given.
   * @throws {SessionError} If the engine fails (`store-failed`), or new logins keep changing the list (`conflict`).
   */
  destroySessions(
    this: void,
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number>;
  /**
   * Removes the records that expired at least an hour ago. Absent if the engine removes them itself.
   *
   * @returns How many records this call removed: sessions, notes of replaced ids, and lists of owners' sessions.
   * `undefined` if the engine does not count.
   * @throws {SessionError} If the engine fails: `store-failed`. Some records may then be removed.
   */
  sweep?(): Promise<number | undefined>;
}

/**
 * A session as {@linkcode SessionStorage.listSessions} returns it, to show users where they are signed in. It does not
 * contain the session's id.
 */
export interface OwnedSession<Data = SessionData> {
  /** The hash of the session's id: its key in the engine. */
  readonly id: string;
  /** When it began, in milliseconds. */
  readonly created: number;
  /**
   * When it was last used, in milliseconds. Without `idleTimeout` that is its last save; with it, reads count, to
   * within `touchAfter` seconds.
   */
  readonly lastSeen: number;
  /** When it expires unless it is used, in milliseconds. */
  readonly expires: number;
  /** Its values. */
  readonly data: Readonly<Partial<Data>>;
  /** Whether it is the session that was given as `current`. */
  readonly current: boolean;
}

/** Options of {@linkcode SessionStorage.listSessions}. */
export interface ListSessionsOptions {
  /** The session of this request, or its id. */
  current?: SessionLike | string | undefined;
}

/** Options of {@linkcode SessionStorage.destroySessions}. At most one of them can be set. */
export interface DestroySessionsOptions {
  /** The only session to revoke: a session, an id, or the `id` of an {@linkcode OwnedSession}. */
  only?: SessionLike | string;
  /**
   * The session to keep: a session, an id, or the `id` of an {@linkcode OwnedSession}. Pass the session itself after
   * `restart()` or `regenerateId()`, so that its old id is kept too.
   */
  except?: SessionLike | string | undefined;
}

/** Options of {@linkcode SessionHeaders.commitSession}. */
export interface CommitOptions extends CookieSerializeOptions {
  /** Sends an existing session's cookie even if the session has not changed. @default {true} */
  renew?: boolean | undefined;
}

/** What happened to a session or a cookie. It does not contain an id or a value. */
export interface SessionEvent {
  /**
   * - `created`, `committed`, `destroyed`: a save created, changed or destroyed a session
   * - `expired`: the session of a cookie has expired
   * - `missing`: a cookie of the right form does not lead to a session; also for expired records that the engine has
   *   removed
   * - `late-save`: a change was dropped, because the session had been destroyed, its id replaced, or the visitor had
   *   left before the response
   * - `conflict`: another process had saved first, so the save is repeated on the newer record
   * - `rejected-cookie`: a cookie was forged, damaged or in a format that is not accepted
   * - `corrupt-record`: a stored record could not be decoded and is treated as absent
   * - `misfit`: the values of a stored session do not fit `schema`, so it is treated as absent. Reported once for each
   *   session in a process
   * - `evicted`: a full storage dropped a session, or an owner had more than `maxPerOwner`
   * - `engine-error`: the engine failed; `cause` says how
   */
  readonly type:
    | "created"
    | "committed"
    | "destroyed"
    | "expired"
    | "missing"
    | "late-save"
    | "conflict"
    | "rejected-cookie"
    | "corrupt-record"
    | "misfit"
    | "evicted"
    | "engine-error";
  /** The hash of the session's id, as in {@linkcode OwnedSession}. Absent if the session does not have an id. */
  readonly session?: string;
  /** For `missing`: whether the cookie was signed, so that only a session of this storage can have been in it. */
  readonly signed?: boolean;
  /** The keys of the values that do not fit, for `misfit`. */
  readonly keys?: readonly string[];
  /** The engine's error, for `engine-error`; for `misfit`, the error that `schema` or `migrate` threw, if one did. */
  readonly cause?: unknown;
}

/** Options that every storage takes. */
export interface StorageOptions<Data = SessionData> extends Timeouts {
  /** The cookie, or its options. A middleware may bring another.
   *
   * @default {a cookie named "__session"}
   */
  cookie?: Cookie | SessionCookieOptions | undefined;
  /**
   * Returns the owner of a session, such as the user's id; `undefined` while nobody is signed in. It lets you list a
   * user's sessions, or revoke them all. It sets `absoluteTimeout` to 400 days by default. A session is listed from its
   * next save on.
   *
   * Requires an engine with compare-and-set and strong reads. If it evicts live records, it must find sessions by their
   * owner ({@linkcode Engine.owned}).
   */
  owner?: ((data: Readonly<Partial<Data>>) => string | undefined) | undefined;
  /**
   * The most sessions of one owner. A login beyond it revokes the least recently used ones (OWASP ASVS 5, 7.1.2).
   * Requires `owner`.
   *
   * @default {500, or no limit if the engine finds sessions by their owner}
   */
  maxPerOwner?: number | undefined;
  /**
   * Checks the values of each session that is read, and types `Data`: a schema of Zod, Valibot, ArkType or any other
   * library that implements [Standard Schema](https://standardschema.dev).
   *
   * - The session shows the values as the schema returns them, and those that it does not know as they are. What it
   *   converts or adds is not written: a save writes what the request has set or changed. So the schema must accept
   *   what it returns.
   * - If the values do not fit, the session is treated as absent, and `onEvent` receives `misfit`. The record stays as it
   *   is until the visitor's new session is saved.
   * - A new session is not checked. Make each key optional that a session can lack.
   * - Flashes and CSRF tokens are not checked.
   */
  schema?: StandardSchemaLike<Data> | undefined;
  /**
   * Converts the values of a session that does not fit `schema`: an older release has written them. Returns all values
   * to keep, to be checked again. They are written when the session is saved for another reason.
   */
  migrate?: ((data: SessionData) => unknown) | undefined;
  /** The clock, in milliseconds. @default {Date.now} */
  now?: (() => number) | undefined;
  /** Seconds after which a call to the engine counts as failed (`store-failed`). @default {10} */
  engineTimeout?: number | undefined;
  /** Receives events. Its own errors are ignored. */
  onEvent?: ((event: SessionEvent) => void) | undefined;
}

/** What a storage guarantees. The conformance suite checks it. */
export interface StorageGuarantees {
  /** Changes are applied to the newest record, or not at all: parallel requests do not lose changes. */
  readonly compareAndSet: boolean;
  /** Whether a read sees the last completed write (`strong`) or may lag (`eventual`). */
  readonly reads: "strong" | "eventual";
  /** The cookie of a destroyed session, or of a replaced id, stops working at once. */
  readonly revoke: boolean;
  /** Sessions survive a restart. */
  readonly durable: boolean;
  /** Several processes see the same sessions. */
  readonly shared: boolean;
  /** The whole session travels in the cookie. */
  readonly selfContained: boolean;
  /**
   * What a full engine evicts: nothing, so that writes fail (`nothing`), the least recently written or used record
   * (`oldest`), among records without an owner first if the engine knows owners, or any record (`any`).
   * @default {"nothing"}
   */
  readonly evicts?: "nothing" | "oldest" | "any";
  /** The largest record, in bytes of UTF-8. */
  readonly maxBytes?: number;
  /** The shortest time, in seconds, for which the engine keeps a record. */
  readonly minSeconds?: number;
}

/** A stored record, as an engine returns it. */
export interface EngineRecord {
  /** The text as it was written. */
  readonly value: string;
  /** A value that changes with every write, and never repeats for the same key. It is not `null`. */
  readonly version: unknown;
  /** The deadline, as it was last written or touched, in milliseconds. */
  readonly expires: number;
}

/** A stored record with its key, as {@linkcode Engine.owned} returns it. */
export interface OwnedRecord extends EngineRecord {
  /** The key. */
  readonly key: string;
}

/** Options of {@linkcode Engine.write}. */
export interface WriteOptions {
  /** The deadline: the instant from which the record has expired, in milliseconds. */
  readonly expires: number;
  /**
   * The version that must be stored; `null` if the key must be absent. Without it, the write is unconditional. An
   * engine without `compareAndSet` may ignore it.
   */
  readonly ifVersion?: unknown;
  /** The key of the session's owner. Only an engine with `owned` needs it. */
  readonly owner?: string | undefined;
}

/** Options of {@linkcode Engine.delete} and {@linkcode Engine.touch}. */
export interface DeleteOptions {
  /** As in {@linkcode WriteOptions}. */
  readonly ifVersion?: unknown;
}

/** Options of {@linkcode Engine.move}. */
export interface MoveOptions {
  /** The deadline of the record that is created, in milliseconds. */
  readonly expires: number;
  /** The key of the session's owner. Only an engine with `owned` needs it. */
  readonly owner?: string | undefined;
  /** What is stored under the old key from then on. It does not have an owner. */
  readonly from: {
    /** The old key. */
    readonly key: string;
    /** The version that must be stored there. */
    readonly ifVersion: unknown;
    /** The text that replaces the old one. */
    readonly value: string;
    /** Its deadline, in milliseconds. */
    readonly expires: number;
  };
}

/** Conditions of {@linkcode Engine.deleteOwned}. */
export interface DeleteOwnedOptions {
  /** The version that the record must have. */
  readonly ifVersion: unknown;
  /** The key of another record that must exist. */
  readonly beside: string;
  /** The owner must have more records than this. Expired ones count. */
  readonly most: number;
}

/**
 * An engine: it stores a text under a key until a deadline. It does not know about sessions or cookies. `checkEngine`
 * of the conformance suite tries these sentences one by one.
 *
 * - **Keys** are the hash of an id: 43 letters, digits, `-` and `_`, which differ in case too. They do not contain a
 *   client's bytes.
 * - **Values** are text of at least one character, without control characters below U+0020 or lone surrogates. They do
 *   not begin with a byte-order mark, which some drivers remove. A value of up to `maxBytes`, or of a megabyte if that is
 *   not declared, is stored whole. A write that is refused changes nothing.
 * - **Absence**: for a missing record, `read` returns `null`, an unconditional `delete` resolves, `touch` returns
 *   `false`, and a write that expects a version returns `null`.
 * - **Expiry**: a record is there until its deadline, unless the engine evicts it. It may be returned after its deadline;
 *   the caller checks it.
 * - **Overwrite**: a write replaces the whole record. A read returns the old one or the new one, never parts of both.
 * - **Concurrency**: with `compareAndSet`, of several writes and deletes that expect the same version, one succeeds.
 *   Once a call has resolved, every later `read` sees its effect, unless `reads` is `eventual`.
 * - **Instances**: with `shared`, all of this holds between instances too, and closing one leaves the others working.
 *   With `durable`, a record and its version are there after a restart.
 * - **Errors**: the engine throws its client's errors; the caller wraps them. It never returns `null` for a failure.
 */
export interface Engine {
  /** What the engine guarantees. */
  readonly guarantees: StorageGuarantees;
  /** Returns the record, or `null`. */
  read(key: string): Promise<EngineRecord | null>;
  /** Writes the record. Returns its new version, or `null` if another version than `ifVersion` is stored. */
  write(key: string, value: string, options: WriteOptions): Promise<unknown>;
  /** Deletes the record. Returns `false` if another version than `ifVersion` is stored. */
  delete(key: string, options?: DeleteOptions): Promise<boolean>;
  /**
   * Moves the deadline, later or earlier, without rewriting the record: its value and version stay. Returns `false` if
   * the record is missing or another version than `ifVersion` is stored.
   */
  touch?(
    key: string,
    expires: number,
    options?: DeleteOptions,
  ): Promise<boolean>;
  /**
   * Creates a record under a new key and replaces the text under the old one, in one step: both or neither. Returns the
   * version of the new record. Returns `null`, and has changed nothing, if the new key exists, if another version than
   * `from.ifVersion` is stored under the old one, or if it takes more than one step here: the caller then writes one after
   * the other. With it, a login is one call, and not two writes.
   */
  move?(key: string, value: string, options: MoveOptions): Promise<unknown>;
  /**
   * Returns the records that were last written with this owner, as they are at one moment, the least recently written
   * first. An engine that has it finds an owner's sessions by an index; otherwise they are kept in lists.
   */
  owned?(owner: string): Promise<readonly OwnedRecord[]>;
  /**
   * Deletes a record of an owner, because there are too many: in one step with its conditions, so that of parallel logins
   * none deletes one that has deleted it, and together they do not delete too many. Returns `false` if a condition does
   * not hold. Without it, an engine with `owned` must not be shared by processes that set `maxPerOwner`.
   */
  deleteOwned?(
    owner: string,
    key: string,
    options: DeleteOwnedOptions,
  ): Promise<boolean>;
  /** Removes exactly the records that have expired at `now`, in milliseconds. May return how many this call removed. */
  sweep?(now: number): Promise<number | void>;
  /** Releases timers and handles. May be called more than once. */
  close?(): Promise<void>;
}

/**
 * An engine that answers at once: in the process's own memory, or by a synchronous database driver. The sentences of
 * {@linkcode Engine} hold for it too. Saving its sessions does not wait for promises.
 */
export interface SynchronousEngine
  extends Omit<Engine, "read" | "write" | "delete" | "touch"> {
  /** As {@linkcode Engine.read}. */
  read(key: string): EngineRecord | null;
  /** As {@linkcode Engine.write}. */
  write(key: string, value: string, options: WriteOptions): unknown;
  /** As {@linkcode Engine.delete}. */
  delete(key: string, options?: DeleteOptions): boolean;
  /** As {@linkcode Engine.touch}. */
  touch?(key: string, expires: number, options?: DeleteOptions): boolean;
}

/** An engine, whether its answers are promises or not. */
export type AnyEngine = Engine | SynchronousEngine;
