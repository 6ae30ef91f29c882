/**
 * The adapter for stores of express-session, and for those that have the same methods.
 *
 * @module
 */
import { isId, plainData, PlainSession, randomId } from "./plain_session.ts";
import type { StorageLike } from "../types.ts";

/** A store of express-session, as far as the adapter needs it. */
export interface ExpressStore {
  /** Reads a session. */
  get(
    sid: string,
    // deno-lint-ignore no-explicit-any -- a store of another library
    callback: (error?: any, session?: any) => void,
  ): unknown;
  /** Stores a session. */
  set(
    sid: string,
    // deno-lint-ignore no-explicit-any -- a store of another library
    session: any,
    // deno-lint-ignore no-explicit-any -- a store of another library
    callback: (error?: any) => void,
  ): unknown;
  /** Removes a session. */
  destroy(
    sid: string,
    // deno-lint-ignore no-explicit-any -- a store of another library
    callback: (error?: any) => void,
  ): unknown;
  /** Moves the deadline of a session that has not changed. */
  touch?(
    sid: string,
    // deno-lint-ignore no-explicit-any -- a store of another library
    session: any,
    // deno-lint-ignore no-explicit-any -- a store of another library
    callback: (error?: any) => void,
  ): unknown;
}

/** Options of {@linkcode fromExpressStore}. */
export interface FromExpressStoreOptions {
  /** The `cookie.maxAge` of the middleware, but in seconds. @default {the cookie ends with the browser} */
  readonly maxAge?: number | undefined;
  /**
   * The middleware. @fastify/session ends a session itself, by its `cookie.expires`, and does not fail on values that
   * JSON cannot carry.
   *
   * @default {"express-session"}
   */
  readonly middleware?: "express-session" | "@fastify/session";
}

/**
 * Adapts a store of express-session: the adapter creates the ids, and does what the middleware does for its store with
 * `resave: false` and `saveUninitialized: false`.
 *
 * The session is the adapter's own, because express-session's is an object without methods for values. A new id keeps the
 * values, as Passport's `keepSessionInfo` does. Cookies are bare ids; a text that cannot be an id never reaches the store,
 * as if cookies were signed.
 *
 * @param store The store.
 * @param options The lifetime of the cookie.
 * @returns The storage for {@linkcode Opened}.
 *
 * @example
 * ```ts
 * import session from "npm:express-session@1.19.0";
 * import { checkStorage, fromExpressStore } from "@satchel/session/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const report = await checkStorage({
 *   name: "express-session's MemoryStore",
 *   capabilities: ["revoke"],
 *   open: ({ idleTimeout }) => ({
 *     storage: fromExpressStore(new session.MemoryStore(), { maxAge: idleTimeout }),
 *   }),
 * }, { only: ["PERSIST"] });
 * assertEquals(report.verdict, "partial");
 * ```
 */
export function fromExpressStore(
  store: ExpressStore,
  options: FromExpressStoreOptions = {},
): StorageLike {
  const cookies = new WeakMap<object, StoreCookie>();
  const isFastify = options.middleware === "@fastify/session";
  const print = isFastify ? printAnything : JSON.stringify;
  const destroy = (sid: string) => call((done) => store.destroy(sid, done));

  function created(): PlainSession {
    const session = new PlainSession(randomId(), undefined, print);
    const { maxAge } = options;
    cookies.set(
      session,
      new StoreCookie(maxAge === undefined ? null : maxAge * 1000),
    );
    return session;
  }

  async function read(sid: string | null): Promise<PlainSession> {
    if (!isId(sid)) return created();
    const record = await call((done) => store.get(sid, done));
    const data = plainData(record);
    if (!data) return created();
    const { cookie: stored } = record as { cookie?: StoredCookie };
    if (isFastify && hasExpired(stored)) {
      await destroy(sid);
      return created();
    }
    const session = new PlainSession(sid, data, print);
    cookies.set(session, StoreCookie.from(stored));
    return session;
  }

  async function save(
    session: PlainSession,
    { maxAge }: { maxAge?: number } = {},
  ): Promise<string | null> {
    if (session.destroyed) {
      for (const sid of [...session.replaced, session.id]) await destroy(sid);
      session.settle();
      return "";
    }
    const { id, changed, replaced, stored } = session;
    const isNew = !stored || replaced.length > 0;
    const cookie = cookies.get(session) ?? new StoreCookie(null);
    if (maxAge === undefined) cookie.touch();
    else cookie.maxAge = maxAge * 1000;
    const record = { cookie, ...session.data };
    if (!changed) {
      if (stored && store.touch) {
        await call((done) => store.touch?.(id, record, done));
      }
      return null;
    }
    for (const sid of replaced) await destroy(sid);
    await call((done) => store.set(id, record, done));
    session.settle();
    return isNew || cookie.expires !== null ? id : null;
  }

  return { read, save };
}

/** Calls a method that reports to a callback. */
function call(
  method: (done: (error?: unknown, value?: unknown) => void) => unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    method((error, value) => {
      // express-session takes this error of a store for a session that does not exist.
      const missing = (error as { code?: unknown } | null)?.code === "ENOENT";
      if (error && !missing) reject(error);
      else resolve(value);
    });
  });
}

/** The JSON of a value; another text each time if it does not have one. */
function printAnything(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return crypto.randomUUID();
  }
}

/** A cookie as a store keeps it. */
interface StoredCookie {
  readonly expires?: Date | string | null;
  readonly originalMaxAge?: number | null;
}

function hasExpired(cookie: StoredCookie | undefined): boolean {
  const { expires } = cookie ?? {};
  return expires !== undefined && expires !== null &&
    Number(new Date(expires)) <= Date.now();
}

/** The `cookie` of a session, by which stores decide how long they keep it. */
class StoreCookie {
  expires: Date | null = null;
  /** Milliseconds. */
  originalMaxAge: number | null = null;
  readonly httpOnly = true;
  readonly path = "/";

  constructor(maxAge: number | null) {
    if (maxAge !== null) this.maxAge = maxAge;
  }

  static from(stored: StoredCookie | undefined): StoreCookie {
    const maxAge = stored?.originalMaxAge;
    // A damaged record may have a lifetime of which no date can be made.
    const known = typeof maxAge === "number" && maxAge > 0 && maxAge < 1e15;
    return new StoreCookie(known ? maxAge : null);
  }

  /** How long it lasts from now, in milliseconds. */
  get maxAge(): number | null {
    return this.expires && this.expires.valueOf() - Date.now();
  }

  set maxAge(ms: number) {
    this.expires = new Date(Date.now() + ms);
    this.originalMaxAge = ms;
  }

  /** Lasts as long again. */
  touch(): void {
    if (this.originalMaxAge !== null) this.maxAge = this.originalMaxAge;
  }

  toJSON(): Record<string, unknown> {
    const { expires, originalMaxAge, httpOnly, path } = this;
    return { originalMaxAge, expires, httpOnly, path };
  }
}
