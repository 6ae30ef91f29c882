/**
 * Binds a storage to a cookie: `Cookie` header in, `Set-Cookie` header out.
 *
 * @module
 */
import {
  type Cookie,
  type CookieOptions,
  type CookieSerializeOptions,
  createCookie,
  isCookie,
  SatchelCookie,
} from "../core/cookie.ts";
import { lifetimeOf } from "../core/lifetime.ts";
import { type Session, stateOf } from "../core/session.ts";
import { CookieStorage, cookieValue } from "./_cookie_storage.ts";
import { type Policy, policyOf } from "./_policy.ts";
import type { RecordStore } from "./_record_store.ts";
import { createRecordStorage } from "./_records.ts";
import type {
  CommitOptions,
  HttpSessionStorage,
  OwnerIndex,
  SaveOptions,
  SessionStorage,
  StorageGuarantees,
} from "./contract.ts";

/** Options of a session's own cookie: those of any cookie, and its name. */
export interface SessionCookieOptions extends CookieOptions {
  /** The cookie's name. @default {"__session"} */
  name?: string | undefined;
}

/**
 * Binds a storage to a cookie.
 *
 * @throws {TypeError} If the cookie cannot carry the storage's sessions safely.
 */
export function bind<Data, FlashData>(
  storage: SessionStorage<Data, FlashData>,
  cookie: Cookie | SessionCookieOptions,
  policy?: Policy,
): HttpSessionStorage<Data, FlashData> {
  const selfContained = storage.guarantees?.selfContained ?? false;
  if (partsOf(storage)?.older) {
    throw new TypeError(
      "Cannot bind cookie: the storage reads two cookies already, its own and the older one; leave the cookie out",
    );
  }
  const own = sessionCookie(cookie, selfContained);
  if (selfContained && !own.isSigned) {
    throw new TypeError(
      `Cannot bind cookie "${own.name}": a cookie storage needs secrets, or visitors could write their own sessions`,
    );
  }
  // A storage that a middleware binds has a policy already, and with it somebody to tell of rejected cookies.
  policy ??= policyOf(storage);
  const placed =
    storage instanceof CookieStorage && own instanceof SatchelCookie
      ? storage.in(own) as CookieStorage<Data, FlashData>
      : storage;
  return new BoundStorage(placed, own, policy);
}

/** A storage for records, bound to the cookie if there is one: what every factory but the cookie storage's returns. */
export function recordStorage<Data, FlashData>(
  store: RecordStore,
  cookie: Cookie | SessionCookieOptions | undefined,
  policy: Policy,
): SessionStorage<Data, FlashData> {
  const storage = createRecordStorage<Data, FlashData>(store, policy);
  return cookie ? bind(storage, cookie, policy) : storage;
}

/** What a bound storage is made of. */
export interface Parts<Data = unknown, FlashData = Data> {
  readonly storage: SessionStorage<Data, FlashData>;
  readonly cookie: Cookie;
  readonly fallback: SaveOptions;
  readonly older: OlderCookie<Data, FlashData> | undefined;
  /** What the cookie carries in a request. */
  decode(cookieHeader: string): Promise<Carried>;
}

/** What a request's cookie carries. */
export interface Carried {
  readonly value: unknown;
  /** Whether it came in an older format. */
  readonly legacy: boolean;
  /** As it stands in the header, where that can be sent again. */
  readonly text?: string | undefined;
  /** Whether there is a cookie, and none that is authentic. */
  readonly rejected: boolean;
}

/** Where to look for sessions that the storage's own cookie does not lead to. */
export interface OlderCookie<Data, FlashData> {
  /** Whether the storage's own cookie may carry this. */
  accepts(value: unknown): boolean;
  find(
    cookieHeader: string,
    value: unknown,
  ): Promise<Session<Data, FlashData> | undefined>;
}

/** What a storage is made of; `undefined` where it is not bound, or another library's. */
export function partsOf<Data, FlashData>(
  storage: SessionStorage<Data, FlashData>,
): Parts<Data, FlashData> | undefined {
  return storage instanceof BoundStorage ? storage.parts() : undefined;
}

/**
 * Binds a storage to the cookie of another that is bound, and to an older cookie.
 *
 * @param older Where to look for sessions that the cookie does not lead to; left out, nowhere.
 */
export function bindLike<Data, FlashData>(
  { cookie }: Pick<Parts, "cookie">,
  storage: SessionStorage<Data, FlashData>,
  older: OlderCookie<Data, FlashData> | undefined,
): HttpSessionStorage<Data, FlashData> {
  return new BoundStorage(storage, cookie, policyOf(storage), older);
}

/** Whether a storage is bound to a cookie already. */
export function isBound<Data, FlashData>(
  storage: SessionStorage<Data, FlashData>,
): storage is HttpSessionStorage<Data, FlashData> {
  return "getSession" in storage && "commitSession" in storage;
}

/** A session's cookie is HttpOnly unless told otherwise, and sealed where it holds the session itself. */
function sessionCookie(
  cookie: Cookie | SessionCookieOptions,
  selfContained: boolean,
): Cookie {
  if (isCookie(cookie) && !(cookie instanceof SatchelCookie)) return cookie;
  if ("serialize" in cookie && !isCookie(cookie)) {
    // Remix 3's own: taken for options it would lose its secrets.
    throw new TypeError(
      "Cannot use cookie: it lacks name, isSigned or parse; create it with this library's createCookie",
    );
  }
  const { name = "__session", options } = cookie instanceof SatchelCookie
    ? cookie
    : { name: cookie.name, options: cookie };
  const { httpOnly = true, format = "satchel", secrets = [] } = options;
  const encrypt = options.encrypt ??
    (selfContained && format === "satchel" && secrets.length > 0);
  return createCookie(name, { ...options, httpOnly, encrypt });
}

class BoundStorage<Data, FlashData>
  implements HttpSessionStorage<Data, FlashData> {
  readonly #storage: SessionStorage<Data, FlashData>;
  readonly #cookie: Cookie;
  readonly #policy: Policy | undefined;
  readonly #fallback: SaveOptions;
  readonly #older: OlderCookie<Data, FlashData> | undefined;
  readonly guarantees?: StorageGuarantees;
  readonly sweep?: () => Promise<void>;
  readonly close?: () => Promise<void>;
  readonly listSessions?: OwnerIndex<Data>["listSessions"];
  readonly destroySessions?: OwnerIndex<Data>["destroySessions"];
  // Arrow functions, because these are taken out of their object and exported on their own.
  readonly getSession: HttpSessionStorage<Data, FlashData>["getSession"];
  readonly commitSession: HttpSessionStorage<Data, FlashData>["commitSession"];
  readonly destroySession: HttpSessionStorage<
    Data,
    FlashData
  >["destroySession"];

  constructor(
    storage: SessionStorage<Data, FlashData>,
    cookie: Cookie,
    policy: Policy | undefined,
    older?: OlderCookie<Data, FlashData>,
  ) {
    this.#older = older;
    this.#storage = storage;
    this.#cookie = cookie;
    this.#policy = policy;
    // The cookie itself, because another library's may count its end anew each time that it is asked.
    this.#fallback = {
      fallback: cookie instanceof SatchelCookie ? cookie.options : cookie,
    };
    if (storage.guarantees) this.guarantees = storage.guarantees;
    if (storage.sweep) this.sweep = storage.sweep.bind(storage);
    if (storage.close) this.close = storage.close.bind(storage);
    const { listSessions, destroySessions } = storage;
    if (listSessions) this.listSessions = listSessions.bind(storage);
    if (destroySessions) this.destroySessions = destroySessions.bind(storage);
    this.getSession = (cookieHeader = null) => this.#get(cookieHeader);
    this.commitSession = (session, options) => this.#commit(session, options);
    this.destroySession = (session, options) => this.#destroy(session, options);
  }

  parts(): Parts<Data, FlashData> {
    return {
      storage: this.#storage,
      cookie: this.#cookie,
      fallback: this.#fallback,
      older: this.#older,
      decode: (cookieHeader) => this.#decode(cookieHeader),
    };
  }

  read(value: string | null): Promise<Session<Data, FlashData>> {
    return this.#storage.read(value);
  }

  save(
    session: Session<Data, FlashData>,
    options?: SaveOptions,
  ): Promise<string | null> {
    return this.#storage.save(session, { ...this.#fallback, ...options });
  }

  async #get(cookieHeader: string | null): Promise<Session<Data, FlashData>> {
    if (!cookieHeader) return await this.#storage.read(null);
    const carried = await this.#decode(cookieHeader);
    const older = this.#older;
    if (!older) return await this.#open(carried);
    // What this cookie cannot carry may be what the older one does, and is no reason to tell of a forged one.
    const own = older.accepts(carried.value);
    if (own) {
      const session = await this.#open(carried);
      if (stateOf(session)?.origin) return session;
    }
    const found = await older.find(cookieHeader, carried.value);
    if (found && stateOf(found)?.origin) return found;
    return await this.#open(own ? { ...carried, value: null } : carried);
  }

  async #open(
    { value, legacy, text, rejected }: Carried,
  ): Promise<Session<Data, FlashData>> {
    if (rejected) this.#policy?.tell("rejected-cookie");
    if (legacy && this.#storage instanceof CookieStorage) {
      return await this.#storage.read(value, legacy);
    }
    const session = await this.#storage.read(value as string | null);
    const state = stateOf(session);
    if (text && state) state.sentBy = { value, text };
    return session;
  }

  async #decode(cookieHeader: string): Promise<Carried> {
    let value: unknown = null;
    let legacy = false;
    let text: string | undefined;
    let rejected = false;
    if (this.#cookie instanceof SatchelCookie) {
      const decoded = await this.#cookie.decode(cookieHeader);
      if (decoded) ({ value, text, legacy = false } = decoded);
      rejected = decoded === undefined;
    } else value = await this.#cookie.parse(cookieHeader);
    // A cookie that was cleared, by whatever means, is no cookie.
    if (value === "") value = null;
    return { value, legacy, text, rejected };
  }

  async #commit(
    session: Session<Data, FlashData>,
    options: CommitOptions = {},
  ): Promise<string> {
    // Most requests of most sites: a visitor without a session, and a handler that left it so.
    if (stateOf(session)?.blank) return "";
    const { renew = true, ...attributes } = options;
    const { maxAge, expires } = attributes;
    const value = await this.save(session, { maxAge, expires, renew });
    if (value === null) return "";
    if (value === "") return await this.#clear(attributes);
    const lasting = lifetimeOf(attributes) ?? stateOf(session)?.base?.lifetime;
    if (typeof lasting === "number") attributes.maxAge = lasting;
    else if (lasting) {
      // Browsers prefer Max-Age: the cookie's own must not outlast what this session was given.
      attributes.maxAge = undefined;
      attributes.expires = new Date(lasting[0]);
    } else {
      delete attributes.maxAge;
      delete attributes.expires;
    }
    const overrides = Object.keys(attributes).length > 0
      ? attributes
      : undefined;
    const sentBy = stateOf(session)?.sentBy;
    if (sentBy?.value === value && this.#cookie instanceof SatchelCookie) {
      return this.#cookie.withAttributes(sentBy.text, overrides);
    }
    return await this.#cookie.serialize(
      this.#storage instanceof CookieStorage
        ? cookieValue(this.#cookie, value)
        : value,
      overrides,
    );
  }

  async #destroy(
    session: Session<Data, FlashData>,
    options: CookieSerializeOptions = {},
  ): Promise<string> {
    session.destroy();
    await this.save(session);
    return await this.#clear(options);
  }

  #clear(options: CookieSerializeOptions): Promise<string> {
    const over = { maxAge: undefined, expires: new Date(0) };
    return this.#cookie.serialize("", { ...options, ...over });
  }
}
