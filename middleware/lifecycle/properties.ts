/**
 * A session as an object with properties, for what was written for express-session.
 *
 * The handler gets an object of its own. Just before the response, what differs is applied to the session: keys set and
 * deleted, so that parallel requests merge.
 *
 * @module
 */
import type { CookieAttributes } from "../../core/attributes.ts";
import { SatchelCookie } from "../../core/cookie.ts";
import { SessionError } from "../../core/errors.ts";
import { isSession, type Session, stateOf } from "../../core/session.ts";
import type { SessionHeaders } from "../../storage/contract.ts";
import { BoundStorage } from "../../storage/sessions/bound_storage.ts";
import { hold, mustBeNothing } from "./held.ts";
import {
  close,
  mustBeFree,
  openSession,
  type RequestInfo,
} from "./lifecycle.ts";
import type { OtherChanges } from "./node_response.ts";
import { SessionCookie } from "./properties_cookie.ts";
import { storable } from "./properties_json.ts";
import {
  control,
  type Controls,
  controlsOf,
  PropertiesSession,
} from "./properties_session.ts";

/** A request, and where it holds its session. */
export interface HolderOptions<Data, FlashData> {
  readonly storage: SessionHeaders<Data, FlashData>;
  readonly session: Session<Data, FlashData>;
  readonly info: RequestInfo;
  /** The framework's request or context. */
  readonly request: object;
  readonly key: string;
  /** What holds the session, for errors: `req.session`. */
  readonly name: string;
  /** Handles what a callback threw. */
  fail(error: unknown): void;
  /** The class of the objects, if the framework's users expect more methods. */
  readonly view?: (new () => PropertiesSession) | undefined;
}

/** The flashes in a session's data, which are not its values. */
const FLASH = /^__flash_.*__$/;

/** The session itself, behind an object with properties; `undefined` for anything else. */
export function sessionBehind(view: unknown): Session | undefined {
  const by = controlsOf(view);
  return by instanceof SessionHolder ? by.session as Session : undefined;
}

/**
 * Puts a session into a request.
 *
 * @returns What a handler can change by other means than the session's methods.
 * @throws {TypeError} If there is one already, or it cannot have properties.
 */
export function holdSession<Data, FlashData>(
  { properties = false, ...options }: HolderOptions<Data, FlashData> & {
    readonly properties?: boolean | undefined;
  },
): OtherChanges<Data, FlashData> {
  const { request, key, session, name } = options;
  const found = (request as Record<string, unknown>)[key];
  mustBeFree(sessionBehind(found) ?? found, name);
  if (!properties) return hold(request, key, session, name);
  if (isSession(session)) return new SessionHolder(options);
  throw new TypeError(
    "Cannot mount session: { properties: true } needs a storage of this library; create one, or leave the option out",
  );
}

/** The session of one request. */
export class SessionHolder<Data, FlashData>
  implements Controls, OtherChanges<Data, FlashData> {
  readonly #options: HolderOptions<Data, FlashData>;
  #session: Session<Data, FlashData>;
  /** The object of the handlers, once they have asked for it, and what it wraps. */
  #view: object | undefined;
  #target: PropertiesSession | undefined;
  /** The texts of the values that the session has. */
  readonly #texts: Map<string, string | undefined> = new Map();
  /** What the handler has assigned instead of a session. */
  #nothing: { readonly value: unknown } | undefined;
  #saves: Promise<void> | undefined;
  #setCookie = "";
  #isReported = false;
  readonly #retired: WeakMap<object, string> = new WeakMap();

  constructor(options: HolderOptions<Data, FlashData>) {
    this.#options = options;
    this.#session = options.session;
    const { request, key } = options;
    const { holder, property } = placeOf(key);
    (request as Record<symbol, unknown>)[holder] = this;
    Object.defineProperty(request, key, property);
  }

  /** What the request's property is now. */
  get value(): unknown {
    return this.#nothing ? this.#nothing.value : this.view;
  }

  set value(value: unknown) {
    mustBeNothing(value, this.#options.name);
    this.#nothing = { value };
    if (this.#state.closed) this.destroy().catch(this.fail);
    else this.#session.destroy();
  }

  get session(): Session<Data, FlashData> {
    return this.#session;
  }

  /** The object of the handlers. */
  get view(): object {
    return this.#view ??= this.#open();
  }

  get #state() {
    return stateOf(this.#session)!;
  }

  #open(): object {
    const { view: View = PropertiesSession } = this.#options;
    const target = new View();
    const define = (key: string, value: unknown) =>
      Object.defineProperty(target, key, {
        value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    define("cookie", this.#cookie());
    for (const [key, value] of Object.entries(this.#session.data)) {
      if (key in target || FLASH.test(key)) continue;
      define(key, value);
      this.#texts.set(key, storable(value, key).text);
    }
    const view = new Proxy(target, {
      defineProperty: (_, key, property) => {
        this.#mustFit(target, key, property);
        this.#changing(target);
        return Reflect.defineProperty(target, key, property);
      },
      deleteProperty: (_, key) => {
        this.#changing(target);
        return Reflect.deleteProperty(target, key);
      },
    });
    this.#target = target;
    control(view, this);
    return view;
  }

  #cookie(): SessionCookie {
    const { storage } = this.#options;
    const bound = storage instanceof BoundStorage ? storage : undefined;
    const { cookie } = bound ?? {};
    const { record, lifetime } = this.#state;
    return new SessionCookie({
      attributes: cookie instanceof SatchelCookie
        ? cookie.options
        : (cookie ?? {}) as CookieAttributes,
      storageLifetime: bound?.lifetime ?? null,
      ownLifetime: lifetime,
      saved: record?.undated ? undefined : record?.saved,
      now: bound?.sessions.now ?? Date.now,
    });
  }

  #mustFit(
    target: PropertiesSession,
    key: string | symbol,
    { value }: PropertyDescriptor,
  ): void {
    if (key === "cookie" && value instanceof SessionCookie) {
      // Passport copies the old session's cookie to the new one.
      if (value !== target.cookie) value.moved();
    } else if (key === "cookie") {
      throw new TypeError(
        "Cannot set session.cookie: another object would not be saved; set session.cookie.maxAge",
      );
    }
    if (typeof key === "string" && FLASH.test(key)) {
      throw new TypeError(
        `Cannot set session.${key}: such names are kept for flash messages; choose another name`,
      );
    }
  }

  /** Reports a change that nothing will save, as a session without properties reports it. */
  #changing(target: object): void {
    if (target === this.#target && !this.#state.closed) return;
    const { storage } = this.#options;
    if (this.#isReported || this.#session.destroyed) return;
    this.#isReported = true;
    if (storage instanceof BoundStorage) storage.reportLate(this.#session);
  }

  readonly apply = (): Session<Data, FlashData> => {
    const session = this.#session as Session;
    if (this.#state.closed || session.destroyed) return this.#session;
    const { request, key } = this.#options;
    if (!(key in request)) session.destroy();
    else if (this.#target) this.#applyTo(session, this.#target);
    return this.#session;
  };

  #applyTo(session: Session, target: PropertiesSession): void {
    const values = new Map(
      Object.entries(target).filter(([key, value]) =>
        value !== undefined && key !== "cookie" &&
        !(key in Object.getPrototypeOf(target))
      ),
    );
    for (const key of this.#texts.keys()) {
      if (values.has(key)) continue;
      session.unset(key);
      this.#texts.delete(key);
    }
    for (const [key, given] of values) {
      const { value, text } = storable(given, key);
      if (text !== undefined && text === this.#texts.get(key)) continue;
      session.set(key, value);
      this.#texts.set(key, text);
    }
    const { cookie } = target as { cookie?: unknown };
    const change = cookie instanceof SessionCookie
      ? cookie.takeChange()
      : "keep";
    if (change !== "keep") session.setMaxAge(change);
  }

  readonly setCookie = (): Promise<string> | string =>
    this.#saves ? this.#saves.then(() => this.#setCookie) : this.#setCookie;

  readonly fail = (error: unknown): void => this.#options.fail(error);

  readonly idOf = (view: object): string =>
    this.#retired.get(view) ?? this.#session.id;

  readonly regenerate = (_view: object, keep: readonly string[]): void => {
    this.#mustBeOpen("regenerate");
    if (keep.length > 0) this.apply();
    this.#retire();
    const session = this.#session as Session;
    session.restart({ keep });
    this.#replace(this.#session);
  };

  readonly save = (): Promise<void> => {
    this.#mustBeOpen("save");
    this.apply();
    return this.#commit();
  };

  readonly reload = (): Promise<void> => {
    this.#mustBeOpen("reload");
    return this.#reload();
  };

  async #reload(): Promise<void> {
    await this.#saves;
    const { storage, info } = this.#options;
    const replaced = this.#state.replacesId || this.#state.restarts;
    const cookie = this.#setCookie.split(";")[0] || info.headers.get("cookie");
    const session = await openSession(storage, {
      method: info.method,
      headers: {
        get: (name) => /^cookie$/i.test(name) ? cookie : info.headers.get(name),
      },
    });
    this.#mustBeOpen("reload");
    if (replaced || !stateOf(session)?.stored) {
      throw new Error(
        "Cannot reload session: it is not stored; it has expired, was ended, or has not been saved under its id",
      );
    }
    this.#retire();
    close(this.#session);
    this.#replace(session);
  }

  readonly destroy = (): Promise<void> => {
    const { request, key, storage } = this.#options;
    if (this.#state.closed) {
      const { selfContained } = storage instanceof BoundStorage
        ? storage.guarantees
        : {};
      if (selfContained) throw late("destroy");
      // The cookie cannot be cleared any more, but the record can be ended.
      this.#state.abandon(() => {});
    }
    this.#retire();
    this.#session.destroy();
    Reflect.deleteProperty(request, key);
    return this.#commit();
  };

  readonly touch = (): void => {
    const { cookie } = this.#target ?? {} as { cookie?: unknown };
    if (cookie instanceof SessionCookie) cookie.touch();
  };

  /** Remembers the id of an object that is no longer the session. */
  #retire(): void {
    if (this.#view) this.#retired.set(this.#view, this.#session.id);
  }

  #replace(session: Session<Data, FlashData>): void {
    this.#session = session;
    this.#view = undefined;
    this.#target = undefined;
    this.#texts.clear();
  }

  /** Saves one after the other, and keeps the last cookie for the response. */
  #commit(): Promise<void> {
    const { storage } = this.#options;
    const session = this.#session;
    const work = async () => {
      const setCookie = await storage.commitSession(session, { renew: false });
      if (setCookie) this.#setCookie = setCookie;
    };
    const saved = this.#saves ? this.#saves.then(work) : work();
    const settled = saved.catch(() => {}).then(() => {
      if (this.#saves === settled) this.#saves = undefined;
    });
    this.#saves = settled;
    return saved;
  }

  #mustBeOpen(verb: string): void {
    if (this.#state.closed) throw late(verb);
    if (!this.#session.destroyed) return;
    throw new SessionError(
      "destroyed",
      `Cannot ${verb} session: it was destroyed`,
    );
  }
}

/** Where a request holds a session with properties. */
interface Place {
  readonly holder: symbol;
  readonly property: PropertyDescriptor;
}

/** The places, by key: to define the same property for each request is much faster than one of its own. */
const places = new Map<string, Place>();

function placeOf(key: string): Place {
  const known = places.get(key);
  if (known) return known;
  const holder = Symbol(key);
  type Holds = Record<symbol, { value: unknown }>;
  const property: PropertyDescriptor = {
    get(this: Holds) {
      return this[holder]?.value;
    },
    set(this: Holds, value: unknown) {
      this[holder]!.value = value;
    },
    configurable: true,
    enumerable: true,
  };
  const place = { holder, property };
  places.set(key, place);
  return place;
}

function late(verb: string): SessionError {
  return new SessionError(
    "late-change",
    `Cannot ${verb} session: its response has already been sent, so the visitor cannot get the cookie; do it before you send anything`,
  );
}
