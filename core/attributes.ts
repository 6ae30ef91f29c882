/**
 * Checks a cookie's name, attributes and secrets.
 *
 * @module
 */
import { lifetimeOf } from "./lifetime.ts";
import { typeOf } from "./options.ts";

/** The attributes of `Set-Cookie` (RFC 6265bis): where a browser sends a cookie, and how it protects it. */
export interface CookieAttributes {
  /** The domain that receives the cookie, with its subdomains. @default {the host that set it} */
  domain?: string | undefined;
  /** When the browser deletes the cookie. `maxAge` takes precedence. @default {when the browser closes} */
  expires?: Date | undefined;
  /**
   * Hides the cookie from scripts.
   * @default {false; true for a session's cookie, and if the name begins with __Http- or __Host-Http-}
   */
  httpOnly?: boolean | undefined;
  /**
   * Seconds after which the browser deletes the cookie. Browsers cap it at 400 days, and more is refused for a session's
   * cookie.
   */
  maxAge?: number | undefined;
  /** Gives each top-level site its own copy of the cookie (CHIPS). Requires `secure`. @default {false} */
  partitioned?: boolean | undefined;
  /** The path that receives the cookie, with the paths below it. @default {"/"} */
  path?: string | undefined;
  /** Cookies with a higher priority are deleted later when the browser runs out of space. @default {"medium"} */
  priority?: "low" | "medium" | "high" | undefined;
  /**
   * Whether requests from other sites carry the cookie. `true` means strict; `false` omits the attribute.
   * @default {"lax"}
   */
  sameSite?:
    | boolean
    | "lax"
    | "strict"
    | "none"
    | "Lax"
    | "Strict"
    | "None"
    | undefined;
  /**
   * Sends the cookie over HTTPS only.
   * @default {false; true if the name begins with __Secure-, __Host-, __Http- or __Host-Http-}
   */
  secure?: boolean | undefined;
}

/** Browsers ignore longer attributes, and with them a restriction of the cookie (RFC 6265bis, section 5.6). */
const MAX_ATTRIBUTE = 1024;
/** Browsers cap an age at 400 days (RFC 6265bis, section 5.5). Very large numbers would not be written as digits. */
const MAX_AGE = 2_147_483_647;

export function fail(name: string, why: string): never {
  throw new TypeError(`Cannot create cookie "${name}": ${why}`);
}

/** @throws {TypeError} If the name is not a token. */
export function checkName(name: string): void {
  // A token, RFC 9110, section 5.6.2.
  if (typeof name !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    throw new TypeError(
      "Cannot create cookie: name must consist of letters, digits and !#$%&'*+-.^_`|~",
    );
  }
}

/** Returns a copy of the secrets. */
export function checkSecrets(
  name: string,
  secrets: readonly string[],
): string[] {
  if (!Array.isArray(secrets)) {
    fail(name, `secrets must be an array, received ${typeOf(secrets)}`);
  }
  secrets.forEach((secret, index) => {
    if (typeof secret !== "string" || secret === "") {
      fail(
        name,
        `secrets[${index}] must be a non-empty string, received ${
          secret === "" ? "an empty string" : typeOf(secret)
        }; check that its environment variable is set`,
      );
    }
  });
  return [...secrets];
}

const SAME_SITE = new Map(
  [["lax", "Lax"], ["strict", "Strict"], ["none", "None"]] as const,
);

/** What browsers require of a cookie whose name begins with this text. */
interface Prefix {
  readonly text: string;
  /** Whether the cookie must be for one host and all its paths. */
  readonly host?: boolean;
  /** Whether the cookie must be hidden from scripts. */
  readonly httpOnly?: boolean;
}

/** The prefixes of RFC 6265bis, section 4.1.3. All require `secure`. */
const PREFIXES: readonly Prefix[] = [
  { text: "__Host-Http-", host: true, httpOnly: true },
  { text: "__Host-", host: true },
  { text: "__Http-", httpOnly: true },
  { text: "__Secure-" },
];

/** Browsers compare the prefixes without regard to case (RFC 6265bis, section 5.7). */
function prefixOf(name: string): Prefix | undefined {
  if (!name.startsWith("__")) return undefined;
  const lower = name.toLowerCase();
  return PREFIXES.find(({ text }) => lower.startsWith(text.toLowerCase()));
}

/** The attributes of a cookie whose options were left out, or depend on its name. */
interface Effective {
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly path: string;
  /** `undefined` if the attribute is not written. */
  readonly sameSite: "Lax" | "Strict" | "None" | undefined;
}

/**
 * What a browser is told about a cookie.
 *
 * @throws {TypeError} If `sameSite` is malformed.
 */
export function effective(
  name: string,
  options: CookieAttributes,
): Effective {
  const prefix = prefixOf(name);
  const { sameSite = "lax", path = "/" } = options;
  return {
    secure: options.secure ?? prefix !== undefined,
    httpOnly: options.httpOnly ?? prefix?.httpOnly ?? false,
    path,
    sameSite: sameSite === true
      ? "Strict"
      : sameSite === false
      ? undefined
      : SAME_SITE.get(String(sameSite).toLowerCase() as "lax") ??
        fail(name, "sameSite must be lax, strict, none, true or false"),
  };
}

/**
 * The attributes as text: `; Path=/; …`.
 *
 * @throws {TypeError} If one is malformed, or contradicts another or the RFC.
 * @throws {RangeError} If `maxAge` is negative or not finite.
 */
export function attributesText(
  name: string,
  options: CookieAttributes,
): string {
  const lifetime = lifetimeOf(options);
  const { domain, partitioned, priority } = options;
  for (const key of ["secure", "httpOnly", "partitioned"] as const) {
    const given: unknown = options[key] ?? false;
    if (typeof given === "boolean") continue;
    const received = given === "auto" ? '"auto"' : typeOf(given);
    fail(
      name,
      `${key} must be true or false, received ${received}; write ${key}: true`,
    );
  }
  const prefix = prefixOf(name);
  const { secure, httpOnly, path, sameSite: site } = effective(name, options);
  if (prefix?.host && (domain !== undefined || path !== "/")) {
    fail(
      name,
      `a name that begins with ${prefix.text} requires path "/" and no domain`,
    );
  }
  if (prefix && !secure) {
    fail(name, `a name that begins with ${prefix.text} requires secure: true`);
  }
  if (prefix?.httpOnly && !httpOnly) {
    fail(
      name,
      `a name that begins with ${prefix.text} requires httpOnly: true`,
    );
  }
  if (!secure && site === "None") {
    fail(name, 'sameSite "none" requires secure: true');
  }
  if (!secure && partitioned) fail(name, "partitioned requires secure: true");
  for (const [key, value] of Object.entries({ domain, path })) {
    if (value === undefined) continue;
    // deno-lint-ignore no-control-regex
    if (typeof value !== "string" || /[\x00-\x20\x7f-\uffff;,]/.test(value)) {
      fail(name, `${key} must be printable ASCII without spaces, ";" and ","`);
    }
    if (value.length > MAX_ATTRIBUTE) {
      fail(name, `${key} must be at most ${MAX_ATTRIBUTE} bytes long`);
    }
  }
  if (domain && /[:/]|^-|[-.]$/.test(domain)) {
    fail(
      name,
      'domain must be a host without scheme, port and path; write domain: "example.com"',
    );
  }
  if (!path.startsWith("/")) {
    fail(name, `path must begin with "/"; write path: "/${path}"`);
  }
  const level = String(priority ?? "low").toLowerCase();
  if (!["low", "medium", "high"].includes(level)) {
    fail(name, "priority must be low, medium or high");
  }
  let text = "";
  if (secure) text += "; Secure";
  if (httpOnly) text += "; HttpOnly";
  if (partitioned) text += "; Partitioned";
  if (typeof lifetime === "number") {
    // Max-Age is in whole seconds, and 0 would delete a cookie that has not expired yet.
    text += `; Max-Age=${Math.min(Math.ceil(lifetime), MAX_AGE)}`;
  }
  if (domain) text += `; Domain=${domain}`;
  if (site) text += `; SameSite=${site}`;
  text += `; Path=${path}`;
  if (lifetime && typeof lifetime !== "number") {
    text += `; Expires=${new Date(lifetime[0]).toUTCString()}`;
  }
  if (priority) {
    text += `; Priority=${level[0]?.toUpperCase()}${level.slice(1)}`;
  }
  return text;
}
