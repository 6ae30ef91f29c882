/**
 * The storage that a factory returns: sessions, bound to a cookie.
 *
 * @module
 */
import { after, type Awaitable, isThenable } from "../../core/awaitable.ts";
import type { CookieAttributes } from "../../core/attributes.ts";
import {
  type Cookie,
  type CookieParseOptions,
  type CookieSerializeOptions,
  SatchelCookie,
} from "../../core/cookie.ts";
import {
  type Lifetime,
  lifetimeOf,
  type StoredLifetime,
} from "../../core/lifetime.ts";
import { type Session, stateOf } from "../../core/session.ts";
import { parseSetCookie } from "../../core/set_cookie.ts";
import type {
  CommitOptions,
  CookieParts,
  DestroySessionsOptions,
  HeadersLike,
  ListSessionsOptions,
  OwnedSession,
  RequestLike,
  SaveOptions,
  SessionLike,
  SessionStorage,
  StorageGuarantees,
} from "../contract.ts";
import {
  type Carried,
  NO_COOKIE,
  requireState,
  type Sessions,
} from "./sessions.ts";
import type { StoredRecord } from "./records.ts";

/** The guarantees of another library's storage that does not declare any. */
const UNDECLARED: StorageGuarantees = {
  compareAndSet: false,
  reads: "eventual",
  revoke: false,
  durable: false,
  shared: false,
  selfContained: false,
};

/** A cookie to send. */
interface Outgoing {
  readonly value: unknown;
  /** The value's text in the header, if it is known. */
  readonly text?: string | undefined;
  /** The attributes that differ from the cookie's own. */
  readonly attributes?: CookieSerializeOptions | undefined;
}

/** Options of a {@linkcode BoundStorage}. */
export interface BindOptions {
  /** Whether the cookie is the default one. A middleware can then bring another. */
  readonly byDefault?: boolean;
  /** Whether the cookie must not be used, because it cannot protect the sessions of a cookie storage. */
  readonly unsafe?: boolean;
}

/** Reads and writes sessions by their cookie. */
export class BoundStorage<Data, FlashData>
  implements SessionStorage<Data, FlashData> {
  readonly sessions: Sessions<Data, FlashData>;
  readonly cookie: Cookie;
  readonly byDefault: boolean;
  /** The lifetime if no commit has set one: the cookie's. */
  readonly defaultLifetime: Lifetime;
  readonly guarantees: StorageGuarantees;
  readonly sweep?: () => Promise<number | undefined>;
  readonly close?: () => Promise<void>;
  /** Why the cookie must not be used. */
  #problem: string | undefined;

  constructor(
    sessions: Sessions<Data, FlashData>,
    cookie: Cookie,
    { byDefault = false, unsafe = false }: BindOptions = {},
  ) {
    const own = cookie instanceof SatchelCookie ? cookie : undefined;
    this.sessions = own && !unsafe && sessions.withCookie
      ? sessions.withCookie(own)
      : sessions;
    this.cookie = cookie;
    this.byDefault = byDefault;
    // The cookie itself, because another library's cookie may compute `expires` on each access.
    this.defaultLifetime = own ? own.options : cookie;
    if (unsafe) {
      this.#problem =
        "a cookie storage requires secrets, or visitors could forge sessions; create it with cookie: { secrets: [...] }, or pass a cookie to the middleware";
    }
    this.guarantees = sessions.guarantees ?? UNDECLARED;
    if (sessions.sweep) this.sweep = sessions.sweep.bind(sessions);
    if (sessions.close) this.close = sessions.close.bind(sessions);
  }

  /** @throws {TypeError} If the cookie must not be used. */
  mustBeUsable(): void {
    if (this.#problem) fail(this.#problem);
  }

  /**
   * Binds the same sessions to another cookie.
   *
   * @throws {TypeError} If the storage does not support that.
   */
  bind(cookie: Cookie): BoundStorage<Data, FlashData> {
    if (this.byDefault) {
      this.#problem =
        `it was created without a cookie, and a middleware uses it with the cookie "${cookie.name}"; use that middleware's session, or create the storage with its cookie`;
    }
    return new BoundStorage(this.sessions, cookie);
  }

  // Arrow functions, because applications destructure these and export each of them.

  readonly getSession = async (
    from?: string | null | RequestLike | HeadersLike,
    options?: CookieParseOptions,
  ): Promise<Session<Data, FlashData>> => {
    const session = this.open(from, options);
    return isThenable(session) ? await session : session;
  };

  readonly commitSession = async (
    session: SessionLike,
    options?: CommitOptions,
  ): Promise<string> => {
    const setCookie = this.commit(session, options);
    return isThenable(setCookie) ? await setCookie : setCookie;
  };

  readonly #getSession = this.getSession;
  readonly #commitSession = this.commitSession;

  /** Whether {@linkcode open} and {@linkcode commit} do the same: an application may replace functions, to trace them. */
  get isOriginal(): boolean {
    return this.getSession === this.#getSession &&
      this.commitSession === this.#commitSession;
  }

  readonly commitCookie = async (
    session: SessionLike,
    options?: CommitOptions,
  ): Promise<CookieParts | null> => {
    const setCookie = await this.commit(session, options);
    return setCookie ? parseSetCookie(setCookie) : null;
  };

  readonly destroySession = async (
    session: SessionLike,
    options?: CookieAttributes,
  ): Promise<string> => {
    if (this.#problem) fail(this.#problem);
    requireState(session).destroy();
    await this.save(session);
    return await this.#serialize(cleared(options));
  };

  readonly listSessions = async (
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]> => {
    if (!this.sessions.listSessions) ownerless("list");
    return await this.sessions.listSessions(owner, options, this.lifetime);
  };

  readonly destroySessions = async (
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> => {
    if (!this.sessions.destroySessions) ownerless("destroy");
    return await this.sessions.destroySessions(owner, options);
  };

  async read(value: string | null): Promise<Session<Data, FlashData>> {
    const { lifetime, cookie: { isSigned: signed } } = this;
    return await this.sessions.read({ value, lifetime, signed });
  }

  /** The lifetime of the cookie, or `null`. */
  get lifetime(): StoredLifetime {
    const { cookie } = this;
    return cookie instanceof SatchelCookie
      ? cookie.lifetime
      : lifetimeOf(this.defaultLifetime);
  }

  async save(
    session: SessionLike,
    options?: SaveOptions,
  ): Promise<string | null> {
    const { defaultLifetime } = this;
    return await this.sessions.save(session, { defaultLifetime, ...options });
  }

  /** Reports that a change of a session was dropped: `late-save`. */
  reportLate(session: SessionLike): void {
    this.sessions.reportLate?.(session);
  }

  /** Returns what the cookie of a request carries. */
  decode(header: string, options?: CookieParseOptions): Awaitable<Carried> {
    const { cookie, lifetime } = this;
    const signed = cookie.isSigned;
    // A cookie with an empty value was cleared.
    const orNull = (value: unknown) => value === "" ? null : value;
    if (!(cookie instanceof SatchelCookie)) {
      return Promise.resolve(cookie.parse(header, options))
        .then((value) => ({ value: orNull(value), header, lifetime, signed }));
    }
    const reading = options?.decode ? cookie.with(options) : cookie;
    return after(reading.decode(header), (decoded) => {
      if (!decoded) {
        const rejected = decoded === undefined;
        return { value: null, header, lifetime, signed, rejected };
      }
      const { value, legacy, text, outdated, next } = decoded;
      return {
        value: orNull(value),
        header,
        lifetime,
        signed,
        legacy,
        text,
        outdated,
        next,
      };
    });
  }

  /** As {@linkcode getSession}, without a promise where nothing must be awaited. It then throws instead of rejecting. */
  open(
    from: string | null | undefined | RequestLike | HeadersLike,
    options?: CookieParseOptions,
  ): Awaitable<Session<Data, FlashData>> {
    if (this.#problem) fail(this.#problem);
    const header = typeof from === "object" ? headerOf(from) : from;
    const carried = header ? this.decode(header, options) : NO_COOKIE;
    return after(carried, (carried) => this.sessions.read(carried));
  }

  /** As {@linkcode commitSession}, without a promise where nothing must be awaited. It then throws instead of rejecting. */
  commit(
    session: SessionLike,
    options: CommitOptions = {},
  ): Awaitable<string> {
    if (this.#problem) fail(this.#problem);
    const state = stateOf(session);
    // The shortest path: most visitors do not have a session.
    if (state?.blank) return "";
    const { renew = true, maxAge, expires } = options;
    const { defaultLifetime } = this;
    const saving = { maxAge, expires, renew, defaultLifetime };
    return after(this.sessions.save(session, saving), (value) => {
      if (value === null) return "";
      const { renew: _, ...attributes } = options;
      if (value === "") return this.#serialize(cleared(attributes));
      const origin = state?.originIn(this.sessions) as StoredRecord | undefined;
      // An answer that arrives late must not put an old id over a login's.
      if (!renew && origin?.sends === false) return "";
      const lifetime = lifetimeOf(options) ?? state?.lifetime ?? null;
      if (typeof lifetime === "number") attributes.maxAge = lifetime;
      else if (lifetime) {
        // Browsers prefer Max-Age, so the cookie's own must not override this session's lifetime.
        attributes.maxAge = undefined;
        attributes.expires = new Date(lifetime[0]);
      } else {
        delete attributes.maxAge;
        delete attributes.expires;
      }
      // The cookie is sent as it came or was measured, if its value is the same: it need not be signed again.
      let carried = origin?.carried;
      while (carried && carried.value !== value) carried = carried.next;
      return this.#serialize({
        value: this.sessions.cookieValue?.(value) ?? value,
        text: carried?.text,
        attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
      });
    });
  }

  #serialize({ value, text, attributes }: Outgoing): Awaitable<string> {
    const { cookie } = this;
    return text !== undefined && !attributes?.encode &&
        cookie instanceof SatchelCookie
      ? cookie.withAttributes(text, attributes)
      : cookie.serialize(value, attributes);
  }
}

function headerOf(from: RequestLike | HeadersLike | null): string | null {
  if (from === null) return null;
  const headers = "headers" in from ? from.headers : from;
  return headers.get("Cookie");
}

function cleared(options: CookieAttributes = {}): Outgoing {
  const expired = { maxAge: undefined, expires: new Date(0) };
  return { value: "", attributes: { ...options, ...expired } };
}

function fail(why: string): never {
  throw new TypeError(`Cannot use storage: ${why}`);
}

function ownerless(verb: string): never {
  throw new TypeError(
    `Cannot ${verb} an owner's sessions: this storage does not support owner; use a storage that does`,
  );
}
