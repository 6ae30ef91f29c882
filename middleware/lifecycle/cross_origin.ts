/**
 * Refuses requests that another origin has made a browser send: cross-site request forgery, without tokens.
 *
 * The rules are those of `CrossOriginProtection` in Go 1.25 (https://pkg.go.dev/net/http#CrossOriginProtection).
 *
 * @module
 */
import { SessionError } from "../../core/errors.ts";

/** What to do with requests of other origins: refuse all, or all but those of some origins. */
export type CrossOrigin = "refuse" | {
  /** The origins whose requests are let through, such as `https://app.example.com`. */
  readonly trust: readonly string[];
};

/** The option of every middleware about requests of other origins. */
export interface CrossOriginOptions {
  /**
   * `"refuse"` answers a request of another origin with 403, before the session is read, unless its method is GET, HEAD
   * or OPTIONS. Otherwise another site, or another subdomain of yours, could act for a visitor who is signed in, or sign
   * a visitor in to another account. To let some origins through, write
   * `{ trust: ["https://app.example.com"] }`.
   *
   * A browser says where a request comes from, in `Sec-Fetch-Site` or `Origin`. A request with neither is let through:
   * it comes from another program, such as a webhook, which does not carry a visitor's cookie.
   *
   * @default {all requests are let through}
   */
  crossOrigin?: CrossOrigin | undefined;
}

/** The parts of a request that tell where it comes from: a `Request`, for example. */
export interface OriginRequestLike {
  /** The method. */
  readonly method: string;
  /** The headers. */
  readonly headers: {
    /** Returns the value of a header, or `null`. */
    get(name: string): string | null;
  };
  /** The URL, in case the request does not have a `Host` header. */
  readonly url?: string | URL | undefined;
}

/** Methods that must not change anything (RFC 9110, section 9.2.1). */
const SAFE = /^(GET|HEAD|OPTIONS)$/;

/**
 * Whether a request comes from another origin, and its method can change something. For an application that guards some
 * routes itself; the option `crossOrigin` of the middlewares refuses such requests everywhere.
 *
 * - `Sec-Fetch-Site` counts if it is there: `same-origin` and `none` (the visitor has typed the address) are not another
 *   origin; `same-site`, another subdomain, is.
 * - Otherwise the host of `Origin` must be that of `Host`. An older browser that sends both is recognized by it.
 * - A request with neither header was not sent by a browser for another site.
 *
 * @param request The request.
 * @param options The origins to trust.
 * @returns `true` if the request should be refused.
 *
 * @example Refuse forms of other sites
 * ```ts
 * import { isCrossOrigin } from "@satchel/session";
 * import { assert, assertFalse } from "@std/assert";
 *
 * const post = (site: string) =>
 *   new Request("https://example.com/", {
 *     method: "POST",
 *     headers: { "Sec-Fetch-Site": site },
 *   });
 *
 * assert(isCrossOrigin(post("cross-site")));
 * assert(isCrossOrigin(post("same-site")));
 * assertFalse(isCrossOrigin(post("same-origin")));
 * ```
 */
export function isCrossOrigin(
  request: OriginRequestLike,
  { trust = [] }: { trust?: readonly string[] | undefined } = {},
): boolean {
  const { method, headers } = request;
  if (SAFE.test(method)) return false;
  const origin = headers.get("Origin");
  if (origin !== null && trust.includes(origin)) return false;
  const site = headers.get("Sec-Fetch-Site");
  if (site) return site !== "same-origin" && site !== "none";
  if (!origin) return false;
  const host = headers.get("Host") ?? hostOf(request);
  return host === undefined || hostOf({ url: origin }) !== host.toLowerCase();
}

/** The host and port; `undefined` if the URL is malformed: sandboxed frames send the origin `null`. */
function hostOf(
  request: Pick<OriginRequestLike, "url">,
): string | undefined {
  try {
    return new URL(request.url ?? "").host;
  } catch {
    return undefined;
  }
}

/** @throws {SessionError} If the option refuses the request: `cross-origin`. */
export function mustBeAllowed(
  request: OriginRequestLike,
  crossOrigin: CrossOrigin | undefined,
): void {
  if (!crossOrigin) return;
  const options = crossOrigin === "refuse" ? {} : crossOrigin;
  if (!isCrossOrigin(request, options)) return;
  throw new SessionError(
    "cross-origin",
    "Cannot accept request: it comes from another origin; add that to crossOrigin: { trust: [...] } if you trust it",
  );
}

/** @throws {TypeError} If the option is malformed. */
export function checkCrossOrigin(attempt: string, option: unknown): void {
  if (option === undefined || option === "refuse") return;
  const { trust, ...rest } = Object(option);
  if (
    Array.isArray(trust) && trust.every(isOrigin) &&
    Object.keys(rest).length === 0
  ) return;
  throw new TypeError(
    `Cannot ${attempt}: crossOrigin must be "refuse" or { trust: ["https://app.example.com"] }, with origins only`,
  );
}

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) &&
    new URL(value).origin === value;
}
