/**
 * A session: what one visitor carries from request to request. It does no I/O; storages read and save it.
 *
 * @module
 */
import { toBase64Url } from "./bytes.ts";
import { typeOf } from "./options.ts";
import { randomBytes } from "./runtime.ts";
import { SessionState } from "./session_state.ts";

/** The data of a session whose shape was not declared. */
// deno-lint-ignore no-explicit-any -- untyped sessions read as they do in every predecessor
export type SessionData = { [key: string]: any };

/** The type of one entry: a value's, a flash's, or either where both may stand under the key. */
export type SessionEntry<Data, FlashData, Key> =
  | (Key extends keyof Data ? Data[Key] : never)
  | (Key extends keyof FlashData ? FlashData[Key] : never);

/** The keys of a session. */
export type SessionKey<Data, FlashData> =
  & (keyof Data | keyof FlashData)
  & string;

/** A session as one object: its values, and each unread flash under `__flash_NAME__`, as in React Router. */
export type FlashSessionData<Data, FlashData> = Partial<
  & Data
  & {
    [Key in keyof FlashData as `__flash_${Key & string}__`]: FlashData[Key];
  }
>;

/** The inner state of a session; `undefined` for anything that is not a session of this library. */
export let stateOf: (session: unknown) => SessionState | undefined;

/**
 * What one visitor carries from request to request: values that stay, and flashes that are read once.
 *
 * Values are JSON. An array or object that was read may be changed in place; saving notices.
 *
 * @example Values and flashes
 * ```ts
 * import { createSession } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = createSession<{ cart: string[] }, { notice: string }>();
 * session.set("cart", ["tea"]);
 * session.get("cart")?.push("cups");
 * session.flash("notice", "Added to your cart");
 *
 * assertEquals(session.get("cart"), ["tea", "cups"]);
 * assertEquals(session.get("notice"), "Added to your cart");
 * assertEquals(session.get("notice"), undefined);
 * ```
 */
export class Session<Data = SessionData, FlashData = Data> {
  readonly #state: SessionState;

  static {
    stateOf = (session) =>
      typeof session === "object" && session !== null && #state in session
        ? session.#state
        : undefined;
  }

  /**
   * A session that no storage knows of; {@linkcode createSession} is the usual way to one.
   *
   * @param initialData Values that the session begins with: a plain object. @default {{}}
   * @param id An id for a session that is only looked at, as for {@linkcode createSession}. @default {a new one}
   * @throws {TypeError} If `initialData` is no plain object, or `id` no string.
   */
  constructor(initialData?: Partial<Data>, id?: string) {
    if (initialData !== undefined && !isPlain(initialData)) {
      fail("initialData must be a plain object", initialData);
    }
    if (id !== undefined && typeof id !== "string") {
      fail("id must be a string", id);
    }
    this.#state = new SessionState(mintId, initialData, id);
  }

  /** The id: at least 128 random bits, safe in a cookie. Made when it is first asked for. */
  get id(): string {
    return this.#state.id;
  }

  /** A copy of all values, without flashes. */
  get data(): Readonly<FlashSessionData<Data, FlashData>> {
    return this.#state.entries() as FlashSessionData<Data, FlashData>;
  }

  /** How many entries there are, values and unread flashes together. */
  get size(): number {
    return this.#state.size;
  }

  /** Whether there is something to save, values changed in place included. */
  get dirty(): boolean {
    return this.#state.dirty;
  }

  /** Whether {@linkcode Session.destroy} was called. */
  get destroyed(): boolean {
    return this.#state.destroyed;
  }

  /**
   * Whether there is a value or an unread flash under a key. Does not consume the flash.
   *
   * @param key The key.
   * @returns `true` if {@linkcode Session.get} would give something.
   */
  has(key: SessionKey<Data, FlashData>): boolean {
    return this.#state.has(key);
  }

  /**
   * The value under a key; where there is none, the flash, which this consumes.
   *
   * @param key The key.
   * @returns The value, or `undefined`.
   * @throws {SessionError} If it would consume a flash after the response has gone: `late-change`.
   */
  get<Key extends SessionKey<Data, FlashData>>(
    key: Key,
  ): SessionEntry<Data, FlashData, Key> | undefined {
    return this.#state.get(key) as
      | SessionEntry<Data, FlashData, Key>
      | undefined;
  }

  /**
   * Sets a value. `undefined` removes it, and a flash under the same key with it.
   *
   * @param key The key.
   * @param value The value, as JSON can carry it; `null` is a value.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response has gone (`late-change`).
   */
  set<Key extends keyof Data & string>(
    key: Key,
    value: Data[Key] | undefined,
  ): void {
    this.#state.set(key, value);
  }

  /**
   * Removes the value and the unread flash under a key.
   *
   * @param key The key.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response has gone (`late-change`).
   */
  unset(key: SessionKey<Data, FlashData>): void {
    this.#state.unset(key);
  }

  /**
   * Sets a value that the first {@linkcode Session.get} consumes, in this request or a later one.
   *
   * @param key The key.
   * @param value The value, as JSON can carry it.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response has gone (`late-change`).
   */
  flash<Key extends keyof FlashData & string>(
    key: Key,
    value: FlashData[Key],
  ): void {
    this.#state.flash(key, value);
  }

  /**
   * Gives the session a new id and keeps its data. The old id dies once the new one is stored.
   *
   * Do this whenever a visitor signs in or gains rights, or an id planted before would gain them too
   * (OWASP Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level Change").
   *
   * @param options `keepOld: true` leaves the old record as it was.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response has gone (`late-change`).
   */
  regenerateId(options?: { keepOld?: boolean }): void {
    // Remix 3 passes a boolean here; either value of it means what it means there or is safer.
    this.#state.regenerate(
      typeof options === "object" && options?.keepOld === true,
    );
  }

  /**
   * Gives the session a lifetime of its own: "remember me". It lasts, counted anew from each save, and wins over the
   * cookie's `maxAge`; `idleTimeout` and `absoluteTimeout` hold all the same. `commitSession(session, { maxAge })` does
   * the same where there is no `withSession` to commit.
   *
   * @param seconds From a save.
   * @throws {RangeError} If it is negative or not finite.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response has gone (`late-change`).
   */
  setMaxAge(seconds: number): void {
    this.#state.setMaxAge(seconds);
  }

  /**
   * Empties the session for good. Saving it removes every id that the request knew and clears the cookie.
   *
   * @throws {SessionError} If the response has gone: `late-change`.
   */
  destroy(): void {
    this.#state.destroy();
  }
}

/** The bytes of a new id: 144 random bits, which fill base64url's letters to the last bit. */
const ID_BYTES = 18;

/** A new id. */
export function mintId(): string {
  return toBase64Url(randomBytes(ID_BYTES));
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // A prototype without a prototype is Object.prototype, of this realm or of another.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Refuses an argument: by its type alone, because it may be an id or data that got into the other's place. */
function fail(why: string, received: unknown): never {
  throw new TypeError(
    `Cannot create session: ${why}, received ${
      typeOf(received)
    }; pass (initialData, id), as in React Router, not (id, data), as in Remix 3`,
  );
}

/**
 * Creates a session that is in no storage yet. Most code gets its sessions from a storage instead.
 *
 * The arguments come in the order of React Router; Remix 3 has the id first.
 *
 * @param initialData Values that the session begins with: a plain object. @default {{}}
 * @param id An id for a session that is only looked at, in a test say; a storage refuses to save an id that it could not
 * have made. @default {a new one}
 * @returns The session.
 * @throws {TypeError} If `initialData` is no plain object, or `id` no string.
 *
 * @example A session with a value, and a new id
 * ```ts
 * import { createSession } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = createSession({ theme: "dark" });
 *
 * assertEquals(session.get("theme"), "dark");
 * assertEquals(session.id.length, 24);
 * ```
 */
export function createSession<Data = SessionData, FlashData = Data>(
  initialData?: Partial<Data>,
  id?: string,
): Session<Data, FlashData> {
  return new Session<Data, FlashData>(initialData, id);
}

/**
 * Whether a value is a session of this library.
 *
 * @param value Anything.
 * @returns `true` for what {@linkcode createSession} or a storage made.
 *
 * @example A session, and what only looks like one
 * ```ts
 * import { createSession, isSession } from "@satchel/session";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(isSession(createSession({ theme: "dark" })));
 * assertFalse(isSession({ theme: "dark" }));
 * ```
 */
export function isSession(value: unknown): value is Session {
  return stateOf(value) !== undefined;
}
