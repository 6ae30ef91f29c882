/**
 * Keeps cookies between the requests of a test.
 *
 * @module
 */
import { parseSetCookie, type SetCookieParts } from "../core/set_cookie.ts";

/** Options of a {@linkcode CookieJar}. */
export interface CookieJarOptions {
  /** Where the application is, for paths such as `/login`. @default {"http://localhost"} */
  origin?: string | undefined;
  /**
   * Sends cookies with `Secure`, `__Host-` and `__Secure-` cookies included, to `http:` too: the tests of an application
   * do not use TLS.
   *
   * @default {false}
   */
  secureOverHttp?: boolean | undefined;
  /** The clock, in milliseconds. @default {Date.now} */
  now?: (() => number) | undefined;
}

/** An answer with cookies: a `Response`, or that of supertest, of `app.inject` or of Node's `http`. */
export type AnswerLike = {
  /** Its headers. */
  readonly headers: Pick<Headers, "getSetCookie"> | {
    /** The cookies, by a lower-case name. */
    readonly "set-cookie"?: string | readonly string[] | undefined;
  };
};

interface StoredCookie {
  readonly value: string;
  readonly name: string;
  /** The host that gets it; with a dot in front, also the hosts below. */
  readonly domain: string;
  readonly path: string;
  readonly secure: boolean;
  /** When it ends, in milliseconds. */
  readonly ends: number;
}

/**
 * The cookies of one visitor: it takes those of each answer, and returns those that a browser would send. It knows
 * `Domain`, `Path`, `Secure`, `Max-Age` and `Expires`; it does not know which site a request comes from (`SameSite`).
 *
 * @example A login, and a page behind it
 * ```ts
 * import { createMemorySessionStorage, withSession } from "@satchel/session";
 * import { CookieJar } from "@satchel/session/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage<{ userId: string }>({
 *   cookie: { name: "__Host-session" },
 * });
 * const handler = withSession(storage, (request, session) => {
 *   if (request.method === "POST") session.set("userId", "ann");
 *   return new Response(session.get("userId") ?? "nobody");
 * });
 *
 * const jar = new CookieJar({ secureOverHttp: true });
 * const visit = jar.fetch(handler);
 * await visit("/login", { method: "POST" });
 * assertEquals(await (await visit("/")).text(), "ann");
 * ```
 *
 * @example With supertest, or app.inject
 * ```ts
 * import { CookieJar } from "@satchel/session/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const jar = new CookieJar();
 * // const answer = await request(app).post("/login");
 * // const answer = await app.inject({ method: "POST", url: "/login" });
 * const answer = { headers: { "set-cookie": ["__session=abc; Path=/"] } };
 * jar.take(answer);
 *
 * // request(app).get("/").set("Cookie", jar.header());
 * // app.inject({ url: "/", headers: { cookie: jar.header() } });
 * assertEquals(jar.header(), "__session=abc");
 * ```
 */
export class CookieJar {
  readonly #origin: string;
  readonly #secureOverHttp: boolean;
  readonly #now: () => number;
  /** By name, domain and path. */
  readonly #cookies = new Map<string, StoredCookie>();

  /**
   * Creates an empty jar.
   *
   * @param options Where the application is, and whether to send `Secure` cookies without TLS.
   * @throws {TypeError} If `origin` is not a URL.
   */
  constructor(options: CookieJarOptions = {}) {
    const { origin = "http://localhost", secureOverHttp = false } = options;
    if (!/^https?:/.test(origin) || !URL.canParse(origin)) {
      throw new TypeError(
        `Cannot create cookie jar: origin must be a URL, received "${origin}"; write "http://localhost:8000", for example`,
      );
    }
    this.#origin = origin;
    this.#secureOverHttp = secureOverHttp;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Adds cookies that did not come with an answer, such as those of `signIn`.
   *
   * @param header The value of a `Cookie` header.
   */
  add(header: string): void {
    const { hostname: domain } = new URL(this.#origin);
    for (const pair of header.split(";")) {
      const parts = parseSetCookie(pair);
      if (!parts) continue;
      this.#store({
        ...parts,
        domain,
        path: "/",
        secure: false,
        ends: Infinity,
      });
    }
  }

  /**
   * Takes the cookies of an answer.
   *
   * @param answer The answer.
   * @param url The URL that was requested. @default {the jar's origin}
   */
  take(answer: AnswerLike, url: string | URL = "/"): void {
    const { hostname, pathname } = new URL(url, this.#origin);
    for (const header of setCookiesOf(answer)) {
      const parts = parseSetCookie(header);
      if (!parts) continue;
      const { path = "", secure = false } = parts.options;
      const own = parts.options.domain?.replace(/^\./, "").toLowerCase();
      const domain = own ? `.${own}` : hostname;
      if (!isWithin(hostname, domain)) continue;
      this.#store({
        name: parts.name,
        value: parts.value,
        domain,
        path: path.startsWith("/") ? path : folderOf(pathname),
        secure,
        ends: this.#endOf(parts),
      });
    }
  }

  /**
   * Returns the `Cookie` header of a request.
   *
   * @param url The URL to request. @default {the jar's origin}
   * @returns The header's value; `""` if there are no cookies for it.
   */
  header(url: string | URL = "/"): string {
    const { hostname, pathname, protocol } = new URL(url, this.#origin);
    const isSecure = protocol === "https:" || this.#secureOverHttp;
    return [...this.#cookies.values()]
      .filter(({ ends }) => ends > this.#now())
      .filter(({ secure }) => isSecure || !secure)
      .filter(({ domain }) => isWithin(hostname, domain))
      .filter(({ path }) => isBelow(pathname, path))
      // Browsers send those with longer paths first (RFC 6265bis, section 5.8.3).
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  /**
   * Returns a function that sends a request with the jar's cookies, and takes those of the answer. It does not follow
   * redirects, so that a test sees each answer.
   *
   * @param handler The application, or `fetch`.
   * @returns The function. It takes a `Request`, a URL, or a path at the jar's origin.
   */
  fetch<Answer extends Response>(
    handler: (request: Request) => Answer | Promise<Answer>,
  ): (input: string | URL | Request, init?: RequestInit) => Promise<Answer> {
    return async (input, init) => {
      const to = input instanceof Request
        ? input
        : new URL(input, this.#origin);
      const request = new Request(to, { redirect: "manual", ...init });
      const cookies = [request.headers.get("Cookie"), this.header(request.url)];
      const header = cookies.filter(Boolean).join("; ");
      if (header) request.headers.set("Cookie", header);
      const answer = await handler(request);
      this.take(answer, request.url);
      return answer;
    };
  }

  /** Removes all cookies: another visitor, or a browser that was closed. */
  clear(): void {
    this.#cookies.clear();
  }

  #store(cookie: StoredCookie): void {
    const { name, domain, path } = cookie;
    const key = JSON.stringify([name, domain, path]);
    if (cookie.ends > this.#now()) this.#cookies.set(key, cookie);
    else this.#cookies.delete(key);
  }

  #endOf({ options: { maxAge, expires } }: SetCookieParts): number {
    if (maxAge !== undefined && !Number.isNaN(maxAge)) {
      return maxAge <= 0 ? -Infinity : this.#now() + maxAge * 1000;
    }
    const ends = expires?.getTime() ?? NaN;
    return Number.isNaN(ends) ? Infinity : ends;
  }
}

function setCookiesOf({ headers }: AnswerLike): readonly string[] {
  // Not `instanceof`, because some frameworks have a class of their own.
  if ("getSetCookie" in headers) return headers.getSetCookie();
  const cookies = headers["set-cookie"] ?? [];
  return typeof cookies === "string" ? [cookies] : cookies;
}

/** A cookie's default path: the folder of the page (RFC 6265bis, section 5.1.4). */
function folderOf(pathname: string): string {
  return pathname.slice(0, pathname.lastIndexOf("/")) || "/";
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || `.${host}`.endsWith(domain) && domain[0] === ".";
}

function isBelow(path: string, above: string): boolean {
  return path === above ||
    path.startsWith(above.endsWith("/") ? above : `${above}/`);
}
