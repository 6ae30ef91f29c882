/**
 * Reads and writes one cookie. Its secrets sign or encrypt the value.
 *
 * @module
 */
import {
  attributesText,
  checkName,
  checkSecrets,
  type CookieAttributes,
  effective,
  fail,
} from "./attributes.ts";
import { after, type Awaitable } from "./awaitable.ts";
import { SessionError } from "./errors.ts";
import {
  coded,
  type Decoded,
  type Format,
  type LegacyFormat,
  legacyFormat,
  satchelFormat,
} from "./formats.ts";
import { lifetimeOf, type StoredLifetime } from "./lifetime.ts";
import { checkOptions, type OptionNames, typeOf } from "./options.ts";

/** Options of {@linkcode Cookie.parse}. They replace the cookie's own for this call. */
export interface CookieParseOptions {
  /** Reverses `encode`. If it throws or returns `undefined`, the cookie is not accepted. @default {the reverse of encode's default} */
  decode?: ((text: string) => string | undefined) | undefined;
}

/** Options of {@linkcode Cookie.serialize}. They replace the cookie's own for this call. */
export interface CookieSerializeOptions extends CookieAttributes {
  /**
   * Encodes the text for the header, after it was signed or encrypted. In the format `remix`, it encodes the value before
   * that, as in Remix 3.
   *
   * @default {the text is safe in a header; encodeURIComponent in the formats react-router and remix}
   */
  encode?: ((text: string) => string) | undefined;
}

/** Options of {@linkcode createCookie}. */
export interface CookieOptions
  extends CookieSerializeOptions, CookieParseOptions {
  /** Secrets that sign the value. The first one writes; all of them read. Without secrets, anybody can forge the value. */
  secrets?: readonly string[] | undefined;
  /** Encrypts the value (AES-256-GCM), so that its holder cannot read it. @default {false; true for a cookie storage} */
  encrypt?: boolean | undefined;
  /** The format to write. @default {"satchel"} */
  format?: "satchel" | LegacyFormat | undefined;
  /** Older formats that are read too. Remove an entry when its cookies have expired. @default {[]} */
  accept?: readonly LegacyFormat[] | undefined;
}

/** A cookie that parses the `Cookie` header and serializes `Set-Cookie`. */
export interface Cookie {
  /** The cookie's name. */
  readonly name: string;
  /** Whether the value is signed, so that a changed value is rejected. */
  readonly isSigned: boolean;
  /** When a cookie that is written now expires; absent if the browser keeps it until it closes. */
  readonly expires?: Date;
  /** The same as `isSigned`, as in Remix 3. This and what follows is absent in another library's cookie. */
  readonly signed?: boolean;
  /** The domain that receives the cookie; `undefined` for the host that set it. */
  readonly domain?: string | undefined;
  /** Whether the cookie is hidden from scripts. */
  readonly httpOnly?: boolean;
  /** Seconds after which the browser deletes the cookie. */
  readonly maxAge?: number | undefined;
  /** Whether each top-level site has its own copy of the cookie. */
  readonly partitioned?: boolean;
  /** The path that receives the cookie. */
  readonly path?: string;
  /** Whether requests from other sites carry the cookie; `undefined` if the attribute is not written. */
  readonly sameSite?: "Lax" | "Strict" | "None" | undefined;
  /** Whether the cookie is sent over HTTPS only. */
  readonly secure?: boolean;
  /**
   * Reads the cookie from a request.
   *
   * @param cookieHeader The `Cookie` header, or `null` if the request does not have one.
   * @returns The value; `null` if the cookie is absent, forged or in a format that is not accepted.
   */
  parse(
    cookieHeader: string | null,
    options?: CookieParseOptions,
  ): Promise<unknown | null>;
  /**
   * Writes the cookie for a response.
   *
   * @param value The value: JSON. `""` is written as an empty value.
   * @returns The `Set-Cookie` header.
   * @throws {SessionError} If the value is not JSON (`unserializable`) or the cookie exceeds 4,096 bytes (`too-large`).
   * @throws {TypeError} If an attribute is malformed or contradicts another.
   * @throws {RangeError} If `maxAge` is negative or not finite.
   */
  serialize(value: unknown, options?: CookieSerializeOptions): Promise<string>;
}

/** The names of a cookie's options. */
export const COOKIE_OPTIONS: OptionNames<CookieOptions> = {
  accept: true,
  decode: true,
  domain: true,
  encode: true,
  encrypt: true,
  expires: true,
  format: true,
  httpOnly: true,
  maxAge: true,
  partitioned: true,
  path: true,
  priority: true,
  sameSite: true,
  secrets: true,
  secure: true,
};

/** The limit for name and value (RFC 6265bis, section 5.7, step 6). */
export const MAX_COOKIE = 4096;
/** How many cookies of one name are tried. An attacker on a subdomain can set more. */
const MAX_CANDIDATES = 3;

/**
 * Creates a cookie.
 *
 * @param name The cookie's name.
 * @param options Attributes, secrets and format.
 * @returns The cookie.
 * @throws {TypeError} If an option is unknown or malformed, if two contradict each other or the RFC, or if `encrypt` is
 * set without secrets or with another format than `satchel`.
 * @throws {RangeError} If `maxAge` is negative or not finite.
 *
 * @example Write and read a signed cookie
 * ```ts
 * import { createCookie } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const theme = createCookie("theme", { secrets: ["s3cr3t"], maxAge: 604_800 });
 * const setCookie = await theme.serialize("dark");
 * const cookieHeader = setCookie.split(";")[0]!;
 *
 * assertEquals(await theme.parse(cookieHeader), "dark");
 * assertEquals(await theme.parse(cookieHeader + "x"), null);
 * ```
 */
export function createCookie(
  name: string,
  options: CookieOptions = {},
): Cookie {
  return new SatchelCookie(name, options) as Cookie;
}

/**
 * Whether a value is a cookie of this library, or has the same shape.
 *
 * @param value Anything.
 * @returns `true` for an object with a name, `isSigned`, `parse` and `serialize`.
 *
 * @example Tell a cookie from another object
 * ```ts
 * import { createCookie, isCookie } from "@satchel/session";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(isCookie(createCookie("theme")));
 * assertFalse(isCookie({ name: "theme" }));
 * ```
 */
export function isCookie(value: unknown): value is Cookie {
  if (typeof value !== "object" || value === null) return false;
  const cookie = value as Partial<Record<keyof Cookie, unknown>>;
  return typeof cookie.name === "string" &&
    typeof cookie.isSigned === "boolean" &&
    typeof cookie.parse === "function" &&
    typeof cookie.serialize === "function";
}

/** An authentic value of a cookie in a header. */
export interface Candidate extends Pick<Decoded, "value" | "legacy"> {
  /** The value's text, if it can be sent again as it is. */
  readonly text?: string | undefined;
  /** Whether it came in an older format, or was written with an older secret. */
  readonly outdated?: boolean;
  /** The next authentic value in the header: a browser can send several cookies of one name. */
  readonly next?: Candidate | undefined;
}

/** The library's own cookie, with what the session storages need beyond {@linkcode Cookie}. */
export class SatchelCookie implements Omit<Cookie, "expires"> {
  readonly name: string;
  readonly options: CookieOptions;
  /** The lifetime of a cookie if a commit does not set one. */
  readonly lifetime: StoredLifetime;
  readonly #secrets: readonly string[];
  readonly #writes: Format;
  readonly #reads: readonly Format[];
  readonly #suffix: string;
  /** What precedes the value in a header. */
  readonly #beginning: string;
  /** The cookie of a storage's sessions, if a storage was given this one. */
  #session: SatchelCookie | undefined;

  constructor(name: string, options: CookieOptions) {
    checkName(name);
    checkOptions(`create cookie "${name}"`, options, COOKIE_OPTIONS);
    const secrets = checkSecrets(name, options.secrets ?? []);
    const { format = "satchel", accept = [], encrypt = false } = options;
    for (const coder of ["encode", "decode"] as const) {
      const given: unknown = options[coder];
      if (given === undefined || typeof given === "function") continue;
      fail(name, `${coder} must be a function, received ${typeOf(given)}`);
    }
    if (encrypt && (format !== "satchel" || secrets.length === 0)) {
      fail(
        name,
        format === "satchel"
          ? "encrypt requires secrets"
          : `encrypt requires format "satchel", received "${format}"`,
      );
    }
    const protection = encrypt
      ? "sealed"
      : secrets.length > 0
      ? "signed"
      : "none";
    const satchel = coded(
      satchelFormat(name, secrets, protection),
      name,
      options,
    );
    const legacy = new Set([format, ...accept].filter((f) => f !== "satchel"));
    const formats = new Map<string, Format>([["satchel", satchel]]);
    for (const older of legacy) {
      if (older !== "react-router" && older !== "remix") {
        fail(
          name,
          "format and accept must name satchel, react-router or remix",
        );
      }
      formats.set(older, legacyFormat(older, name, secrets, options));
    }
    this.name = name;
    this.#beginning = `${name}=`;
    this.options = { ...options };
    this.lifetime = lifetimeOf(options);
    this.#secrets = secrets;
    this.#writes = formats.get(format) ?? satchel;
    this.#reads = [...formats.values()];
    this.#suffix = attributesText(name, this.options);
  }

  get isSigned(): boolean {
    return this.#secrets.length > 0;
  }

  get expires(): Date | undefined {
    const lifetime = this.lifetime;
    if (lifetime === null) return undefined;
    return new Date(
      typeof lifetime === "number" ? Date.now() + lifetime * 1000 : lifetime[0],
    );
  }

  get signed(): boolean {
    return this.isSigned;
  }

  get domain(): string | undefined {
    return this.options.domain;
  }

  get httpOnly(): boolean {
    return this.#effective.httpOnly;
  }

  get maxAge(): number | undefined {
    return this.options.maxAge;
  }

  get partitioned(): boolean {
    return this.options.partitioned ?? false;
  }

  get path(): string {
    return this.#effective.path;
  }

  get sameSite(): "Lax" | "Strict" | "None" | undefined {
    return this.#effective.sameSite;
  }

  get secure(): boolean {
    return this.#effective.secure;
  }

  get #effective(): ReturnType<typeof effective> {
    const { name, options }: SatchelCookie = this.#session ?? this;
    return effective(name, options);
  }

  /**
   * Writes as the cookie of a storage's sessions does. An application sends a session's cookie again by parsing and
   * serializing the cookie that it gave to the storage. An encrypted session must stay encrypted then.
   */
  writeAs(session: SatchelCookie): void {
    if (!this.#session?.options.encrypt) this.#session = session;
  }

  async parse(
    cookieHeader: string | null,
    options?: CookieParseOptions,
  ): Promise<unknown | null> {
    if (!cookieHeader) return null;
    if (options?.decode) return await this.with(options).parse(cookieHeader);
    const decoded = await this.decode(cookieHeader);
    return decoded ? decoded.value : null;
  }

  async serialize(
    value: unknown,
    options?: CookieSerializeOptions,
  ): Promise<string> {
    if (this.#session) return await this.#session.serialize(value, options);
    if (options?.encode) {
      const { encode, ...attributes } = options;
      return await this.with({ encode }).serialize(value, attributes);
    }
    const text = await this.encode(value);
    const size = this.sizeOf(text);
    if (size <= MAX_COOKIE) return this.withAttributes(text, options);
    throw new SessionError(
      "too-large",
      `Cannot serialize cookie "${this.name}": name and value take ${size} bytes, and the limit is ${MAX_COOKIE}; store less in it`,
    );
  }

  /** The same cookie, encoded in another way. */
  with(options: Pick<CookieOptions, "encode" | "decode">): SatchelCookie {
    return new SatchelCookie(this.name, { ...this.options, ...options });
  }

  /**
   * The value's text in a header, of any size.
   *
   * @throws {SessionError} If the value is not JSON: `unserializable`.
   */
  encode(value: unknown): Awaitable<string> {
    return value === "" ? "" : this.#writes.encode(value);
  }

  /** The `Set-Cookie` header for a value's text. */
  withAttributes(text: string, options?: CookieSerializeOptions): string {
    return `${this.name}=${text}${
      options
        ? attributesText(this.name, { ...this.options, ...options })
        : this.#suffix
    }`;
  }

  /**
   * The authentic values of the cookie in a header, each with the next; `null` if the header does not name the cookie,
   * `undefined` if it does but no value is authentic.
   */
  decode(cookieHeader: string): Awaitable<Candidate | null | undefined> {
    const texts = cookieValues(cookieHeader, this.name);
    const [only] = texts;
    if (only === undefined && !cookieHeader.includes(this.#beginning)) {
      return null;
    }
    return only === undefined || texts.length > 1
      ? this.#decodeSeveral(cookieHeader, texts)
      : after(
        this.#authenticate(only),
        (found) => found ?? this.#decodeSeveral(cookieHeader, texts),
      );
  }

  async #decodeSeveral(
    cookieHeader: string,
    texts: readonly string[],
  ): Promise<Candidate | null | undefined> {
    let next: Candidate | undefined;
    // From the last to the first, so that each can refer to the next. A repeated one is the same candidate.
    for (let at = texts.length - 1; at >= 0; at--) {
      const text = texts[at] as string;
      if (at > 0 && texts.indexOf(text) < at) continue;
      next = await this.#authenticate(text, next) ?? next;
    }
    if (next) return next;
    const joined = this.isSigned &&
      await this.#decodeJoined(cookieHeader, texts);
    if (joined) return joined;
    if (texts.length === 0) return null;
    // An empty value is not signed, so it must not hide an authentic one.
    return texts.includes("") ? { value: "" } : undefined;
  }

  /**
   * The authentic value after a comma, if it is the only one. Some runtimes join `Cookie` fields by commas. But another
   * cookie's value can contain a comma too, and an attacker may have chosen it, so any doubt rejects all.
   */
  async #decodeJoined(
    cookieHeader: string,
    texts: readonly string[],
  ): Promise<Candidate | undefined> {
    const joined = cookieValues(cookieHeader, this.name, ",");
    if (texts.length + joined.length > MAX_CANDIDATES) return undefined;
    let only: Candidate | undefined;
    for (const text of joined) {
      const candidate = await this.#authenticate(text);
      if (candidate && only) return undefined;
      only ??= candidate;
    }
    return only;
  }

  /** @param from The first format to try. */
  #authenticate(
    given: string,
    next?: Candidate,
    from = 0,
  ): Awaitable<Candidate | undefined> {
    const format = this.#reads[from];
    // A protected value does not contain a comma, so another field begins there.
    const comma = this.isSigned ? given.indexOf(",") : -1;
    const text = comma < 0 ? given : given.slice(0, comma).trim();
    // This cookie never writes a text beyond the limit.
    if (!format || text === "" || this.sizeOf(text) > MAX_COOKIE) {
      return undefined;
    }
    return after(format.decode(text), (decoded) => {
      if (!decoded) return this.#authenticate(given, next, from + 1);
      const { value, legacy, current } = decoded;
      const outdated = format !== this.#writes || current === false;
      const again = !outdated && current !== undefined ? text : undefined;
      return { value, legacy, text: again, outdated, next };
    });
  }

  /** The size of the name and a value's text, in bytes. */
  sizeOf(text: string): number {
    return this.name.length + text.length;
  }
}

/**
 * The values of the cookie `name` in a header, in the header's order, at most three.
 *
 * One pass, linear in the header's length.
 *
 * @param separator What precedes the name. After a comma, at most four values, so that a caller sees that there are more
 * than three.
 */
export function cookieValues(
  header: string,
  name: string,
  separator: ";" | "," = ";",
): string[] {
  const values: string[] = [];
  const needle = name + "=";
  const most = separator === ";" ? MAX_CANDIDATES : MAX_CANDIDATES + 1;
  let at = header.indexOf(needle);
  while (at >= 0 && values.length < most) {
    const start = at + needle.length;
    let next = start;
    if (follows(separator, header, at)) {
      const end = header.indexOf(";", start);
      values.push(header.slice(start, end < 0 ? undefined : end).trim());
      if (separator === ";") next = end < 0 ? header.length : end;
    }
    at = header.indexOf(needle, next);
  }
  return values;
}

/** Whether only spaces are between a separator, or the header's beginning, and a position. */
function follows(separator: ";" | ",", header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (header[before] === " " || header[before] === "\t")) {
    before--;
  }
  return before < 0 ? separator === ";" : header[before] === separator;
}
