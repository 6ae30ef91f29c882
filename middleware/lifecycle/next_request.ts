/**
 * What Next's `cookies()` and `headers()` say about a request, and how its errors are answered.
 *
 * @module
 */
import type { CookieAttributes } from "../../core/attributes.ts";
import { environment } from "../../core/runtime.ts";
import { parseSetCookie } from "../../core/set_cookie.ts";
import type { Carrier, RequestInfo } from "./lifecycle.ts";

/** The parts of the result of Next's `cookies()` that are used. */
export interface NextCookiesLike {
  /** Returns all cookies. */
  getAll(): { name: string; value: string }[];
  /** Sets a cookie. Only server actions and route handlers can. */
  // deno-lint-ignore no-explicit-any -- Next's own type of the attributes
  set?(name: string, value: string, options?: any): unknown;
}

/** The parts of the result of Next's `headers()` that are used. */
export interface NextHeadersLike {
  /** Returns a header. */
  get(name: string): string | null;
  /** Returns the names of all headers. */
  keys(): Iterable<string>;
}

/** `cookies` and `headers` of `next/headers`. */
export interface NextFunctions {
  /** `cookies` of `next/headers`. */
  cookies: () => Promise<NextCookiesLike>;
  /** `headers` of `next/headers`. */
  headers: () => Promise<NextHeadersLike>;
}

/** A request, as Next shows it. */
export interface NextRequestInfo extends RequestInfo {
  /** The cookies, one object for each request. */
  readonly cookies: NextCookiesLike;
}

/**
 * Asks Next for the request.
 *
 * @throws {TypeError} If there is none, because the page is made for everybody; or if this Next is too old.
 * @throws Next's own errors, with which it finds out that a page is dynamic.
 */
export async function requestOf(
  { cookies, headers }: NextFunctions,
): Promise<NextRequestInfo> {
  const asked = cookies();
  if (typeof Object(asked).then !== "function") {
    throw new TypeError(
      "Cannot read session: this entry is for Next 15 and 16, where cookies() is a promise",
    );
  }
  const store = await asked;
  const list = await headers();
  // A visitor's request always has headers, if only those that Next's server adds.
  const isEmpty = [...list.keys()].length === 0;
  if (isEmpty || environment("NEXT_PHASE") === "phase-production-build") {
    throw new TypeError(
      'Cannot use session: this route is static, so there is no visitor; remove `dynamic = "force-static"`, or do not use the session there',
    );
  }
  return {
    cookies: store,
    // Components do not know it.
    method: "GET",
    headers: {
      get: (name) =>
        /^cookie$/i.test(name) ? cookieHeader(store, list) : list.get(name),
    },
  };
}

/** The `Cookie` header. After a server action, it has the cookies that the action set. */
function cookieHeader(
  store: NextCookiesLike,
  list: NextHeadersLike,
): string | null {
  const all = store.getAll();
  const header = list.get("Cookie");
  const sent = new Map<string, string>();
  for (const pair of header?.split(/; */) ?? []) {
    const at = pair.indexOf("=");
    if (at > 0) sent.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const isSame = sent.size === all.length &&
    all.every(({ name, value }) => decoded(sent.get(name)) === value);
  // It may have several cookies with one name, of which Next knows one.
  if (isSame) return header;
  return all.length === 0
    ? null
    : all.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join(
      "; ",
    );
}

function decoded(value = ""): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Sets a cookie by Next's own cookies. */
export function setCookie(store: NextCookiesLike, setCookie: string): void {
  const parts = parseSetCookie(setCookie);
  if (!parts) return;
  const options: CookieAttributes = parts.options;
  // Next encodes the value.
  store.set?.(parts.name, decoded(parts.value), options);
}

/** The status with which Next answers `redirect()`, `notFound()` and the like; `undefined` for any other error. */
export function errorStatus(error: unknown): number | undefined {
  const { digest } = Object(error);
  if (typeof digest !== "string") return undefined;
  const [name, ...parts] = digest.split(";");
  if (name === "NEXT_HTTP_ERROR_FALLBACK") return Number(parts[0]);
  // NEXT_REDIRECT;replace;/url;307; and the URL may have semicolons.
  return name === "NEXT_REDIRECT" ? Number(parts.at(-2)) : undefined;
}

/** The answer that Next makes of `redirect()`, `notFound()` and the like in a route handler. */
export function answerOf(error: unknown): Response | undefined {
  if (error instanceof Response) return error;
  const status = errorStatus(error);
  if (status === undefined) return undefined;
  if (status >= 400) return new Response(null, { status });
  const Location = String((error as { digest: string }).digest).split(";")
    .slice(2, -2).join(";");
  return new Response(null, { status, headers: { Location } });
}

/** Sets the cookie, and returns the answer or the error as it is. */
export function carrierOf<T>(store: NextCookiesLike, value: T): Carrier<T> {
  return (header) => {
    if (header) setCookie(store, header);
    return value;
  };
}
