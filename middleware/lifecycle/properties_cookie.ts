/**
 * `req.session.cookie`, as in express-session: the session's lifetime, in milliseconds.
 *
 * @module
 */
import type { CookieAttributes } from "../../core/attributes.ts";
import type { StoredLifetime } from "../../core/lifetime.ts";

/** The cookie of a session, as in express-session. Its attributes are those of the storage's cookie. */
export interface PropertiesCookie {
  /** The lifetime, in milliseconds; `null` if the session ends with the browser. */
  readonly originalMaxAge: number | null;
  /** The time that is left, in milliseconds. Setting it sets the lifetime of this session: "remember me". */
  maxAge: number | null;
  /** When the session expires. `null` takes the session's own lifetime back, and so does `false` in JavaScript. */
  expires: Date | null;
  /** The attributes, which belong to the storage's cookie. */
  readonly path?: string | undefined;
  /** As above. */
  readonly domain?: string | undefined;
  /** As above. */
  readonly httpOnly?: boolean | undefined;
  /** As above. */
  readonly secure?: boolean | undefined;
  /** As above. */
  readonly sameSite?: CookieAttributes["sameSite"];
  /** As above. */
  readonly partitioned?: boolean | undefined;
  /** As above. */
  readonly priority?: CookieAttributes["priority"];
  /** The cookie as data. */
  toJSON(): Record<string, unknown>;
}

/** What the cookie begins with. */
export interface PropertiesCookieInit {
  /** The attributes of the storage's cookie. */
  readonly attributes: CookieAttributes;
  /** The lifetime of sessions whose handlers have not set one. */
  readonly storageLifetime: StoredLifetime;
  /** The lifetime that a handler has set, in this request or an earlier one. */
  readonly ownLifetime: StoredLifetime;
  /** When the session was last saved, in milliseconds. */
  readonly saved: number | undefined;
  now(): number;
}

const ATTRIBUTES = [
  "path",
  "domain",
  "httpOnly",
  "secure",
  "sameSite",
  "partitioned",
  "priority",
] as const;

/** The implementation. */
export class SessionCookie {
  readonly #init: PropertiesCookieInit;
  #originalMaxAge: number | null;
  #expires: number | null;
  /** The lifetime to set, in seconds, or `null` to take it back; `undefined` if nothing was changed. */
  #change: number | null | undefined;

  constructor(init: PropertiesCookieInit) {
    this.#init = init;
    const { ownLifetime, storageLifetime, saved, attributes } = init;
    const lifetime = ownLifetime ?? storageLifetime;
    const now = init.now();
    if (typeof lifetime === "number") {
      this.#originalMaxAge = lifetime * 1000;
      this.#expires = (saved ?? now) + lifetime * 1000;
    } else {
      this.#expires = lifetime && lifetime[0];
      this.#originalMaxAge = lifetime && lifetime[0] - now;
    }
    const own: CookieAttributes = { path: "/", httpOnly: true, ...attributes };
    for (const name of ATTRIBUTES) {
      Object.defineProperty(this, name, {
        enumerable: true,
        get: () => own[name],
        set: () => refuseAttribute(name),
      });
    }
  }

  get originalMaxAge(): number | null {
    return this.#originalMaxAge;
  }

  get maxAge(): number | null {
    return this.#expires === null ? null : this.#expires - this.#init.now();
  }

  set maxAge(maxAge: number | Date | null | undefined) {
    if (maxAge instanceof Date) this.expires = maxAge;
    else if (typeof maxAge === "number") this.#last(maxAge);
    else if (maxAge === null || maxAge === undefined) this.#takeBack();
    else {
      throw new TypeError(
        `Cannot set cookie.maxAge: it must be a number of milliseconds, received a ${typeof maxAge}`,
      );
    }
  }

  get expires(): Date | null {
    return this.#expires === null ? null : new Date(this.#expires);
  }

  set expires(expires: Date | null | false | undefined) {
    if (!expires) this.#takeBack();
    else if (expires instanceof Date) {
      this.#last(expires.getTime() - this.#init.now());
    } else {
      throw new TypeError(
        `Cannot set cookie.expires: it must be a Date, null or false, received a ${typeof expires}`,
      );
    }
  }

  get data(): Record<string, unknown> {
    return this.toJSON();
  }

  toJSON(): Record<string, unknown> {
    const { originalMaxAge, expires } = this;
    const data: Record<string, unknown> = { originalMaxAge, expires };
    for (const name of ATTRIBUTES) data[name] = Reflect.get(this, name);
    return data;
  }

  /** Counts the lifetime from now. */
  touch(): void {
    if (this.#originalMaxAge !== null) this.#last(this.#originalMaxAge);
  }

  /** What to do with the session's lifetime, as for `setMaxAge`; `"keep"` if nothing. It is done once. */
  takeChange(): number | undefined | "keep" {
    const change = this.#change;
    this.#change = undefined;
    return change === undefined ? "keep" : change ?? undefined;
  }

  /** Makes the lifetime that a handler has set a change again: the cookie was assigned to another session. */
  moved(): void {
    const { ownLifetime } = this.#init;
    if (ownLifetime !== null && this.#change === undefined) this.touch();
  }

  #last(milliseconds: number): void {
    if (!Number.isFinite(milliseconds)) {
      throw new RangeError(
        `Cannot set cookie.maxAge: it must be a finite number of milliseconds, received ${milliseconds}`,
      );
    }
    const lasts = Math.max(0, milliseconds);
    this.#originalMaxAge = lasts;
    this.#expires = this.#init.now() + lasts;
    this.#change = Math.ceil(lasts / 1000);
  }

  #takeBack(): void {
    if (this.#init.storageLifetime !== null) {
      throw new TypeError(
        "Cannot take the session's lifetime away: the storage's cookie has one; leave maxAge out of that cookie, and set req.session.cookie.maxAge for the visitors to remember",
      );
    }
    this.#originalMaxAge = null;
    this.#expires = null;
    this.#change = null;
  }
}

function refuseAttribute(name: string): never {
  throw new TypeError(
    `Cannot set cookie.${name}: it belongs to the storage's cookie; write cookie: { ${name}: … } where you create the storage`,
  );
}
