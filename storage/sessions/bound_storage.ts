/**
 * A storage bound to a cookie: `Cookie` header in, `Set-Cookie` header out.
 *
 * @module
 */
import {
  type Cookie,
  type CookieSerializeOptions,
  SatchelCookie,
} from "../../core/cookie.ts";
import { lifetimeOf } from "../../core/lifetime.ts";
import { type Session, stateOf } from "../../core/session.ts";
import { CookieStorage, cookieValue } from "./cookie_storage.ts";
import type { Policy } from "./policy.ts";
import type {
  CommitOptions,
  HttpSessionStorage,
  OwnerIndex,
  SaveOptions,
  SessionStorage,
  StorageGuarantees,
} from "../contract.ts";

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

/** Reads and writes sessions by their cookie. */
export class BoundStorage<Data, FlashData>
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
