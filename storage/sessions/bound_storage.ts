/**
 * The storage that a factory returns: sessions, however they are kept, and the cookie that leads to them.
 *
 * @module
 */
import { getSetCookies } from "@std/http/cookie";
import type { CookieAttributes } from "../../core/attributes.ts";
import { type Cookie, SatchelCookie } from "../../core/cookie.ts";
import { type Lifetime, lifetimeOf } from "../../core/lifetime.ts";
import { type Session, stateOf } from "../../core/session.ts";
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
import { type Carried, requireState, type Sessions } from "./sessions.ts";

/** A request without a cookie. */
const NOTHING: Carried = { value: null };

/** What is known of a third party's storage that declares nothing. */
const UNDECLARED: StorageGuarantees = {
  compareAndSet: false,
  reads: "eventual",
  revoke: false,
  durable: false,
  shared: false,
  selfContained: false,
};

/** The cookies in which sessions came, so that one can be sent again as it is, without signing it anew. */
const cameIn = new WeakMap<SessionLike, Carried>();

/** A cookie to send. */
interface Outgoing {
  readonly value: unknown;
  /** The value as it is written in the header, if that is known. */
  readonly text?: string | undefined;
  /** The attributes that differ from the cookie's own. */
  readonly attributes?: CookieAttributes | undefined;
}

/** How a storage was bound to its cookie. */
export interface BindOptions {
  /** Whether the cookie is the default one, which a middleware may replace. */
  readonly byDefault?: boolean;
  /** Whether the cookie may not be used, because it cannot protect the sessions: a cookie storage without secrets. */
  readonly unsafe?: boolean;
}

/** Reads and writes sessions by their cookie. */
export class BoundStorage<Data, FlashData>
  implements SessionStorage<Data, FlashData> {
  readonly sessions: Sessions<Data, FlashData>;
  readonly cookie: Cookie;
  readonly byDefault: boolean;
  /** The lifetime of a session that no commit gave one: the cookie's. */
  readonly defaultLifetime: Lifetime;
  readonly guarantees: StorageGuarantees;
  readonly sweep?: () => Promise<void>;
  readonly close?: () => Promise<void>;
  /** Why the cookie must not be used. */
  #problem: string | undefined;

  constructor(
    sessions: Sessions<Data, FlashData>,
    cookie: Cookie,
    { byDefault = false, unsafe = false }: BindOptions = {},
  ) {
    const own = cookie instanceof SatchelCookie ? cookie : undefined;
    this.sessions = own && !unsafe && sessions.in ? sessions.in(own) : sessions;
    this.cookie = cookie;
    this.byDefault = byDefault;
    // The cookie itself, because another library's may compute its end anew each time.
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
   * The same sessions in another cookie.
   *
   * @throws {TypeError} If the storage cannot be bound to another one.
   */
  bind(cookie: Cookie): BoundStorage<Data, FlashData> {
    if (this.byDefault) {
      this.#problem =
        `it was created without a cookie, and a middleware uses it with the cookie "${cookie.name}"; use that middleware's session, or create the storage with its cookie`;
    }
    return new BoundStorage(this.sessions, cookie);
  }

  // Arrow functions, because applications take these out of their object and export each by itself.

  readonly getSession = async (
    from?: string | null | RequestLike | HeadersLike,
  ): Promise<Session<Data, FlashData>> => {
    if (this.#problem) fail(this.#problem);
    const header = typeof from === "object" ? headerOf(from) : from;
    if (!header) return await this.sessions.read(NOTHING);
    const carried = await this.decode(header);
    const session = await this.sessions.read(carried);
    if (carried.text !== undefined) cameIn.set(session, carried);
    return session;
  };

  readonly commitSession = async (
    session: SessionLike,
    options?: CommitOptions,
  ): Promise<string> => {
    const outgoing = await this.#commit(session, options);
    return outgoing ? await this.#serialize(outgoing) : "";
  };

  readonly commitCookie = async (
    session: SessionLike,
    options?: CommitOptions,
  ): Promise<CookieParts | null> => {
    const outgoing = await this.#commit(session, options);
    return outgoing ? partsOf(await this.#serialize(outgoing)) : null;
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

  read(value: string | null): Promise<Session<Data, FlashData>> {
    return this.sessions.read({ value });
  }

  save(session: SessionLike, options?: SaveOptions): Promise<string | null> {
    const { defaultLifetime } = this;
    return this.sessions.save(session, { defaultLifetime, ...options });
  }

  async listSessions(
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]> {
    if (!this.sessions.listSessions) ownerless("list");
    return await this.sessions.listSessions(owner, options);
  }

  async destroySessions(
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> {
    if (!this.sessions.destroySessions) ownerless("destroy");
    return await this.sessions.destroySessions(owner, options);
  }

  /** What the cookie carries in a request. */
  async decode(header: string): Promise<Carried> {
    const { cookie } = this;
    if (!(cookie instanceof SatchelCookie)) {
      const value = await cookie.parse(header);
      return { header, value: value === "" ? null : value };
    }
    const decoded = await cookie.decode(header);
    if (!decoded) {
      return { header, value: null, rejected: decoded === undefined };
    }
    // A cookie that was cleared, however that was done, is not a cookie.
    return {
      ...decoded,
      header,
      value: decoded.value === "" ? null : decoded.value,
    };
  }

  async #commit(
    session: SessionLike,
    options: CommitOptions = {},
  ): Promise<Outgoing | undefined> {
    if (this.#problem) fail(this.#problem);
    const state = stateOf(session);
    // Most requests of most sites: a visitor without a session, and a handler that left it so.
    if (state?.blank) return undefined;
    const { renew = true, ...attributes } = options;
    const { maxAge, expires } = attributes;
    const { defaultLifetime } = this;
    const saving = { maxAge, expires, renew, defaultLifetime };
    const value = await this.sessions.save(session, saving);
    if (value === null) return undefined;
    if (value === "") return cleared(attributes);
    const lifetime = lifetimeOf(attributes) ?? state?.lifetime;
    if (typeof lifetime === "number") attributes.maxAge = lifetime;
    else if (lifetime) {
      // Browsers prefer Max-Age: the cookie's own must not outlast what this session was given.
      attributes.maxAge = undefined;
      attributes.expires = new Date(lifetime[0]);
    } else {
      delete attributes.maxAge;
      delete attributes.expires;
    }
    const carried = cameIn.get(session);
    return {
      value: this.sessions.cookieValue?.(value) ?? value,
      text: carried?.value === value ? carried.text : undefined,
      attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
    };
  }

  async #serialize({ value, text, attributes }: Outgoing): Promise<string> {
    const { cookie } = this;
    return text !== undefined && cookie instanceof SatchelCookie
      ? cookie.withAttributes(text, attributes)
      : await cookie.serialize(value, attributes);
  }
}

function headerOf(from: RequestLike | HeadersLike | null): string | null {
  if (from === null) return null;
  const headers = "headers" in from ? from.headers : from;
  return headers.get("Cookie");
}

function cleared(options: CookieAttributes = {}): Outgoing {
  const over = { maxAge: undefined, expires: new Date(0) };
  return { value: "", attributes: { ...options, ...over } };
}

/** The parts of a `Set-Cookie` header. */
function partsOf(setCookie: string): CookieParts | null {
  const [cookie] = getSetCookies(new Headers({ "Set-Cookie": setCookie }));
  if (!cookie) return null;
  const { name, value, sameSite, expires, unparsed, ...attributes } = cookie;
  const options: CookieAttributes = attributes;
  if (sameSite) options.sameSite = sameSite;
  if (expires !== undefined) options.expires = new Date(expires);
  const priority = /^Priority=(low|medium|high)$/i.exec(unparsed?.[0] ?? "");
  if (priority) {
    options.priority = priority[1]?.toLowerCase() as "low" | "medium" | "high";
  }
  return { name, value, options };
}

function fail(why: string): never {
  throw new TypeError(`Cannot use storage: ${why}`);
}

function ownerless(verb: string): never {
  throw new TypeError(
    `Cannot ${verb} an owner's sessions: this storage does not support owner; use a storage that does`,
  );
}
