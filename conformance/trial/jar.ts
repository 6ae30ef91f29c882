/**
 * A browser's cookie jar, as RFC 6265bis describes it (sections 5.1, 5.7 and 5.8).
 *
 * It leaves out the list of public suffixes, the requests of other sites and scripts that read cookies.
 *
 * @module
 */
import {
  bytesIn,
  endOf,
  parseSetCookie,
  type SetCookie,
} from "./set_cookie.ts";

/** A cookie in a jar. */
export interface StoredCookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  /** Whether it is sent to this host only, and not to the hosts below its domain. */
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  /** When it ends, in milliseconds; `undefined` if it ends with the browser's session. */
  readonly expires: number | undefined;
  /** How many cookies were created before it. */
  readonly created: number;
}

/** How long a browser keeps a cookie at most, in milliseconds. */
export const LONGEST_MS: number = 400 * 24 * 60 * 60 * 1000;

/** How many bytes the name and the value of a cookie can have together. */
export const LARGEST_BYTES = 4096;

/** The cookies of a browser. */
export class CookieJar {
  readonly #now: () => number;
  readonly #cookies = new Map<string, StoredCookie>();
  #created = 0;

  /** @param now The time, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Stores the cookie of a `Set-Cookie` header, or removes one.
   *
   * @param header The header.
   * @param from The page that sent it.
   * @returns Why a browser ignores the header; `undefined` if it does not.
   */
  take(header: string, from: URL): string | undefined {
    const set = parseSetCookie(header);
    if (!set) return "it contains a control character";
    const refusal = whyIgnored(set, from);
    if (refusal) return refusal;
    const { name, value, attributes } = set;
    const domain = domainOf(set);
    const cookie = {
      name,
      value,
      domain: domain || from.hostname,
      hostOnly: domain === "",
      path: pathOf(set, from),
      secure: attributes.has("secure"),
      httpOnly: attributes.has("httponly"),
    };
    if (from.protocol !== "https:" && this.#hides(cookie)) {
      return "a page without TLS cannot replace a cookie that is Secure";
    }
    const key = JSON.stringify(
      [name, cookie.domain, cookie.hostOnly, cookie.path],
    );
    const now = this.#now();
    const end = endOf(set, now);
    if (end !== undefined && end <= now) {
      this.#cookies.delete(key);
      return undefined;
    }
    this.#cookies.set(key, {
      ...cookie,
      expires: end === undefined ? undefined : Math.min(end, now + LONGEST_MS),
      created: this.#cookies.get(key)?.created ?? this.#created++,
    });
    return undefined;
  }

  /** The cookies that a browser sends to a page, in their order. */
  cookies(to: URL): readonly StoredCookie[] {
    const now = this.#now();
    return [...this.#cookies.values()]
      .filter(({ expires = Infinity }) => expires > now)
      .filter(({ secure }) => !secure || to.protocol === "https:")
      .filter(({ path }) => isBelow(to.pathname, path))
      .filter(({ domain, hostOnly }) =>
        hostOnly ? to.hostname === domain : isWithin(to.hostname, domain)
      )
      .sort((a, b) => b.path.length - a.path.length || a.created - b.created);
  }

  /** The `Cookie` header that a browser sends to a page; `null` if it sends none. */
  header(to: URL): string | null {
    const pairs = this.cookies(to)
      .map(({ name, value }) => name === "" ? value : `${name}=${value}`);
    return pairs.length > 0 ? pairs.join("; ") : null;
  }

  /** Whether a cookie would hide one that is Secure. */
  #hides(
    { name, domain, path }: Pick<StoredCookie, "name" | "domain" | "path">,
  ) {
    return [...this.#cookies.values()].some((other) =>
      other.secure && other.name === name && isBelow(path, other.path) &&
      (isWithin(other.domain, domain) || isWithin(domain, other.domain))
    );
  }
}

/** Why a browser ignores a cookie, whatever is in its jar. */
function whyIgnored(set: SetCookie, from: URL): string | undefined {
  const { name, value, attributes } = set;
  if (name === "" && value === "") return "its name and value are empty";
  const bytes = bytesIn(name) + bytesIn(value);
  if (bytes > LARGEST_BYTES) {
    return `its name and value have ${bytes} bytes, and the limit is ${LARGEST_BYTES}`;
  }
  const domain = domainOf(set);
  if (domain !== "" && !isWithin(from.hostname, domain)) {
    return "its domain is not the site's";
  }
  if (domain !== "" && !domain.includes(".") && domain !== from.hostname) {
    return "its domain is a public suffix";
  }
  const secure = attributes.has("secure");
  if (secure && from.protocol !== "https:") return "Secure needs TLS";
  if (attributes.get("samesite")?.toLowerCase() === "none" && !secure) {
    return "SameSite=None needs Secure";
  }
  if (attributes.has("partitioned") && !secure) {
    return "Partitioned needs Secure";
  }
  if (hasPrefix(name, "__Secure-") && !secure) {
    return "the prefix __Secure- needs Secure";
  }
  const isHost = secure && domain === "" && attributes.get("path") === "/";
  if (hasPrefix(name, "__Host-") && !isHost) {
    return "the prefix __Host- needs Secure and Path=/, and no Domain";
  }
  if (
    name === "" && ["__Secure-", "__Host-"].some((p) => hasPrefix(value, p))
  ) {
    return "a cookie without a name has a prefix in its value";
  }
  return undefined;
}

function hasPrefix(text: string, prefix: string): boolean {
  return text.toLowerCase().startsWith(prefix.toLowerCase());
}

/** A cookie's domain; empty without one. */
function domainOf({ attributes }: SetCookie): string {
  return (attributes.get("domain") ?? "").replace(/^\./, "").toLowerCase();
}

/** A cookie's path: by default, the folder of the page. */
function pathOf({ attributes }: SetCookie, { pathname }: URL): string {
  const path = attributes.get("path") ?? "";
  if (path.startsWith("/")) return path;
  return pathname.slice(0, pathname.lastIndexOf("/")) || "/";
}

/** Whether a path is another one, or below it. */
function isBelow(path: string, above: string): boolean {
  return path === above ||
    path.startsWith(above.endsWith("/") ? above : `${above}/`);
}

/** Whether a host is a domain, or below it. */
function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
