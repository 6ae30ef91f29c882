/**
 * The session. It does no I/O; storages read and save it.
 *
 * @module
 */
import { toBase64Url } from "./bytes.ts";
import { guardSessions } from "./guard.ts";
import { checkOptions, typeOf } from "./options.ts";
import { randomBytes } from "./runtime.ts";
import { SessionState } from "./session_state.ts";

/** The data of a session without declared types. */
// deno-lint-ignore no-explicit-any -- untyped sessions read as they do in every predecessor
export type SessionData = { [key: string]: any };

/** The type under a key: the value's, the flash's, or either. */
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

/** The state of a session; `undefined` for anything that is not a session of this library. */
export let stateOf: (session: unknown) => SessionState | undefined =
  (): undefined => undefined;

/** Whether there was a session yet. Before, nothing can be one. */
let prepared = false;

/**
 * What one visitor carries from request to request: values, and flashes, which are read once.
 *
 * Values are JSON. You can change an array or object in place; the next save detects it.
 *
 * A session is not a plain object: `session.userId = 7` throws a `TypeError` that says to write
 * `session.set("userId", 7)`. A subclass can declare fields; they are not saved.
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

  /** Not when the module is loaded: a bundle that has no sessions is to have no trace of them. */
  static #prepare(): void {
    prepared = true;
    stateOf = (session) =>
      typeof session === "object" && session !== null && #state in session
        ? session.#state
        : undefined;
    guardSessions(this.prototype);
  }

  /**
   * Creates a session that is not stored yet, as {@linkcode createSession} does.
   *
   * @param initialData Its first values: a plain object. @default {{}}
   * @param id An id, as for {@linkcode createSession}. @default {a new id}
   * @throws {TypeError} If `initialData` is not a plain object, or `id` not a string.
   */
  constructor(initialData?: Partial<Data>, id?: string) {
    if (initialData !== undefined && !isPlain(initialData)) {
      fail("initialData must be a plain object", initialData);
    }
    if (id !== undefined && typeof id !== "string") {
      fail("id must be a string", id);
    }
    if (!prepared) Session.#prepare();
    this.#state = new SessionState(mintId, initialData, id);
  }

  /** The id: at least 128 random bits, safe in a cookie. Created on first use. */
  get id(): string {
    return this.#state.id;
  }

  /**
   * A copy of all values, and of each unread flash under `__flash_NAME__`, as in React Router. Reading it does not remove
   * a flash, and assigning its properties does not change the session.
   */
  get data(): Readonly<FlashSessionData<Data, FlashData>> {
    return this.#state.entries() as FlashSessionData<Data, FlashData>;
  }

  /** The number of values and unread flashes. */
  get size(): number {
    return this.#state.size;
  }

  /** Whether there is anything to save, including values changed in place. */
  get dirty(): boolean {
    return this.#state.dirty;
  }

  /** Whether {@linkcode Session.destroy} was called. */
  get destroyed(): boolean {
    return this.#state.destroyed;
  }

  /**
   * Whether there is a value or an unread flash under a key. The flash stays unread.
   *
   * @param key The key.
   * @returns `true` if {@linkcode Session.get} would return a value or a flash.
   */
  has(key: SessionKey<Data, FlashData>): boolean {
    return this.#state.has(key);
  }

  /**
   * Returns the value under a key. Without a value, returns the flash and removes it.
   *
   * @param key The key.
   * @param fallback What to return if there is neither. It is not stored. @default {undefined}
   * @returns The value or the flash; `fallback` if there is neither.
   * @throws {SessionError} If it would remove a flash after the response was sent: `late-change`.
   */
  get<Key extends SessionKey<Data, FlashData>, Fallback = undefined>(
    key: Key,
    fallback?: Fallback,
  ): Exclude<SessionEntry<Data, FlashData, Key>, undefined> | Fallback {
    const found = this.#state.get(key);
    return (found === undefined ? fallback : found) as
      | Exclude<SessionEntry<Data, FlashData, Key>, undefined>
      | Fallback;
  }

  /**
   * Sets a value. `undefined` removes the value and a flash under the key.
   *
   * @param key The key.
   * @param value The value: JSON. `null` is a value.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response was already sent (`late-change`).
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
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response was already sent (`late-change`).
   */
  unset(key: SessionKey<Data, FlashData>): void {
    this.#state.unset(key);
  }

  /**
   * Sets a flash: a value that the first {@linkcode Session.get} removes, in this request or a later one.
   *
   * @param key The key.
   * @param value The value: JSON.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response was already sent (`late-change`).
   */
  flash<Key extends keyof FlashData & string>(
    key: Key,
    value: FlashData[Key],
  ): void {
    this.#state.flash(key, value);
  }

  /**
   * Removes all values and flashes. The session stays, with its id.
   *
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response was already sent (`late-change`).
   */
  clear(): void {
    this.#state.clear();
  }

  /**
   * Begins the session anew, for a visitor who signs in: a new id, and nothing of what the old one carried, unless
   * `keep` names it. Its age, its lifetime and `absoluteTimeout` begin anew. Set what identifies the visitor afterwards.
   *
   * Without an entry, the session is not stored: its save destroys it, and clears the cookie.
   *
   * The old id is revoked once the new session is stored. Otherwise an id that an attacker planted would be signed in too
   * (OWASP Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level Change").
   *
   * @param options `keep` names the values and flashes that stay. `keep: "all"` also keeps the lifetime: the visitor's
   * password was asked again. @default {{ keep: [] }}
   * @throws {TypeError} If `keep` is neither an array of keys nor `"all"`, or there is another option.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response was already sent (`late-change`).
   *
   * @example Sign in, and keep the cart
   * ```ts
   * import { createSession } from "@satchel/session";
   * import { assertEquals } from "@std/assert";
   *
   * type Data = { cart: string[]; draft: string; userId: string };
   * const session = createSession<Data>({ cart: ["tea"], draft: "Dear" });
   * session.restart({ keep: ["cart"] });
   * session.set("userId", "ann");
   *
   * assertEquals(session.data, { cart: ["tea"], userId: "ann" });
   * ```
   */
  restart(
    options?: {
      keep?: readonly SessionKey<Data, FlashData>[] | "all" | undefined;
    },
  ): void {
    if (options !== undefined) {
      checkOptions("restart session", options, RESTART_OPTIONS);
    }
    const keep: unknown = options?.keep ?? [];
    if (keep === "all") return this.#state.restart("all");
    if (Array.isArray(keep) && keep.every((key) => typeof key === "string")) {
      return this.#state.restart(new Set(keep));
    }
    throw new TypeError(
      `Cannot restart session: keep must be an array of keys or "all", received ${
        typeOf(keep)
      }; write restart({ keep: ["cart"] })`,
    );
  }

  /** When the visitor last signed in: the last {@linkcode Session.restart}, in milliseconds; `undefined` if never. */
  get authenticatedAt(): number | undefined {
    return this.#state.authenticatedAt;
  }

  /**
   * Replaces the id and keeps the data. The old id is revoked once the new one is stored.
   *
   * Call it when a signed-in visitor gains rights. For a login, call {@linkcode Session.restart}.
   *
   * @param options `keepOld: true` does not revoke the old id.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response was already sent (`late-change`).
   */
  regenerateId(options?: { keepOld?: boolean }): void {
    // Remix 3 passes whether to delete the old record. A boolean always deletes it here, which is the safe choice.
    this.#state.regenerate(
      typeof options === "object" && options?.keepOld === true,
    );
  }

  /**
   * Sets the session's own lifetime: "remember me". Later saves keep it and renew it. It takes precedence over the
   * cookie's `maxAge`; `idleTimeout` and `absoluteTimeout` still apply. Without a middleware,
   * `commitSession(session, { maxAge })` does the same.
   *
   * @param seconds The lifetime, in seconds from each save; `undefined` takes it back, so that the cookie's applies.
   * @throws {RangeError} If it is negative or not finite.
   * @throws {SessionError} If the session was destroyed (`destroyed`) or its response was already sent (`late-change`).
   */
  setMaxAge(seconds: number | undefined): void {
    this.#state.setMaxAge(seconds);
  }

  /**
   * Empties the session. The next save revokes every id that the request knew, and clears the cookie.
   *
   * @throws {SessionError} If the response was already sent: `late-change`.
   */
  destroy(): void {
    this.#state.destroy();
  }
}

const RESTART_OPTIONS = { keep: true } as const;

/** The bytes of a new id: 144 bits, a multiple of base64url's 6. */
const ID_BYTES = 18;

/** A new id. */
export function mintId(): string {
  return toBase64Url(randomBytes(ID_BYTES));
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // Only Object.prototype, of this realm or another, has a null prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function fail(why: string, received: unknown): never {
  throw new TypeError(
    `Cannot create session: ${why}, received ${
      typeOf(received)
    }; pass (initialData, id), as in React Router, not (id, data), as in Remix 3`,
  );
}

/**
 * Creates a session that is not stored yet. Most code gets its sessions from a storage instead.
 *
 * The order of the arguments is that of React Router; Remix 3 takes the id first.
 *
 * @param initialData Its first values: a plain object. @default {{}}
 * @param id An id, for tests. A storage saves only ids of the form that it makes. @default {a new id}
 * @returns The session.
 * @throws {TypeError} If `initialData` is not a plain object, or `id` not a string.
 *
 * @example Create a session with a value
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
 * @returns `true` if {@linkcode createSession} or a storage of this library made it.
 *
 * @example Tell a session from another object
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
