/**
 * The adapter for hono-sessions.
 *
 * @module
 */
import type { SessionLike, StorageLike } from "../types.ts";

/** A session of hono-sessions, as far as the adapter needs it. */
export interface HonoSession {
  /** The value or flash under a key. */
  get(key: string): unknown;
  /** Sets a value. */
  set(key: string, value: unknown): void;
  /** Removes a value. */
  forget(key: string): void;
  /** Sets a flash. */
  flash(key: string, value: unknown): void;
  /** Ends the session. */
  deleteSession(): void;
  /** All that it contains. */
  getCache(): {
    _id?: string | undefined;
    _data: Record<string, unknown>;
  };
}

/** An application of Hono that uses the `sessionMiddleware`. */
export interface HonoApp {
  /** Adds a route. */
  // deno-lint-ignore no-explicit-any -- Hono's types, which the adapter does not need
  all(path: string, handler: (context: any) => Promise<Response>): unknown;
  /** Answers a request. */
  fetch(request: Request): Response | Promise<Response>;
}

/** Options of {@linkcode fromHonoSessions}. */
export interface FromHonoSessionsOptions {
  /**
   * Whether the store supports `session_key_rotation`. The `CookieStore` does not.
   *
   * @default {true}
   */
  readonly rotation?: boolean;
}

/** The context of a request. */
interface Context {
  readonly req: { readonly raw: Request };
  get(name: string): HonoSession;
  set(name: string, value: unknown): void;
  body(data: null): Response;
}

/** A request that has begun. */
interface Begun {
  readonly context: Context;
  /** Lets the handler return. Resolves with the `Set-Cookie` header. */
  finish(): Promise<string>;
}

/**
 * Adapts hono-sessions: the adapter adds a route to the application, and sends it a request for each session that is
 * read. The request's handler waits until the session is saved.
 *
 * @param app The application, with the middleware in use.
 * @param options What its store supports.
 * @returns The storage for {@linkcode Opened}.
 *
 * @example
 * ```ts
 * import { Hono } from "npm:hono@4.13.19";
 * import { MemoryStore, sessionMiddleware } from "npm:hono-sessions@0.8.1";
 * import { checkStorage, fromHonoSessions } from "@satchel/session/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const report = await checkStorage({
 *   name: "hono-sessions",
 *   capabilities: ["revoke"],
 *   open() {
 *     const app = new Hono();
 *     app.use(sessionMiddleware({ store: new MemoryStore() }));
 *     return { storage: fromHonoSessions(app) };
 *   },
 * }, { only: ["PERSIST-01"] });
 * assertEquals(report.verdict, "partial");
 * ```
 */
export function fromHonoSessions(
  app: HonoApp,
  { rotation = true }: FromHonoSessionsOptions = {},
): StorageLike {
  const waiting = new WeakMap<Request, (context: Context) => Promise<void>>();
  app.all("*", async (context: Context) => {
    await waiting.get(context.req.raw)?.(context);
    // A bare Response would not carry the cookie that the middleware has set before.
    return context.body(null);
  });

  function begin(header: string | null | undefined): Promise<Begun> {
    return new Promise((resolve, reject) => {
      const request = new Request("http://localhost/", {
        headers: headersOf(header),
      });
      let finish = () => {};
      const finished = new Promise<void>((done) => void (finish = done));
      waiting.set(request, (context) => {
        resolve({
          context,
          async finish() {
            finish();
            return cookieOf(await answer);
          },
        });
        return finished;
      });
      const answer = Promise.resolve(app.fetch(request));
      // If the middleware fails before it calls the handler, the answer is there first.
      answer.then(cookieOf).catch(reject);
    });
  }

  async function commit(outer: OuterSession): Promise<string> {
    // A second save of a session is another request with the same data.
    if (outer.saved) outer.move(await begin(outer.cookie));
    outer.apply();
    const header = await outer.begun.finish();
    if (header !== "") outer.cookie = header.split(";")[0] ?? null;
    outer.saved = true;
    return header;
  }

  return {
    async getSession(header?: string | null) {
      const session = new OuterSession(await begin(header), header ?? null);
      if (!rotation) Object.assign(session, { regenerateId: undefined });
      return session;
    },
    commitSession: commit,
    destroySession(session: OuterSession) {
      session.destroy();
      return commit(session);
    },
  };
}

/** The session with the methods that the suite calls. */
class OuterSession implements SessionLike {
  begun: Begun;
  /** What the browser would send next. */
  cookie: string | null;
  saved = false;
  #isRenewed = false;
  #isDestroyed = false;

  constructor(begun: Begun, cookie: string | null) {
    this.begun = begun;
    this.cookie = cookie;
  }

  get #inner(): HonoSession {
    return this.begun.context.get("session");
  }

  /** Goes on in another request. */
  move(begun: Begun): void {
    const { _data } = this.#inner.getCache();
    this.begun = begun;
    Object.assign(this.#inner.getCache(), { _data });
  }

  /** What can only be said to the request that saves. */
  apply(): void {
    if (this.#isRenewed) this.begun.context.set("session_key_rotation", true);
    if (this.#isDestroyed) this.#inner.deleteSession();
    this.#isRenewed = false;
  }

  get id(): string | undefined {
    return this.#inner.getCache()._id;
  }

  get(key: string): unknown {
    return this.has(key) ? this.#inner.get(key) : undefined;
  }

  set(key: string, value: unknown): void {
    this.#inner.set(key, value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#inner.getCache()._data, key);
  }

  unset(key: string): void {
    this.#inner.forget(key);
  }

  flash(key: string, value: unknown): void {
    this.#inner.flash(key, value);
  }

  regenerateId(): void {
    this.#isRenewed = true;
  }

  destroy(): void {
    this.#isDestroyed = true;
  }
}

/** The header of a request; without it if an HTTP server would refuse it. */
function headersOf(cookie: string | null | undefined): Headers {
  try {
    return new Headers(cookie ? { cookie } : {});
  } catch {
    return new Headers();
  }
}

/** @throws {Error} If the application answered with an error. */
function cookieOf(response: Response): string {
  if (response.status >= 500) {
    throw new Error(`the application answered with ${response.status}`);
  }
  return response.headers.getSetCookie().at(-1) ?? "";
}
