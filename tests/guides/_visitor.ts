/**
 * A visitor of an application: keeps cookies and follows redirects, as a browser does.
 *
 * @module
 */

/** An application, called without a network. */
export type App = (request: Request) => Response | Promise<Response>;

/** The page that the visitor sees. */
export interface Page {
  /** The path and query, after redirects. */
  readonly path: string;
  readonly status: number;
  readonly text: string;
  /** Every `Set-Cookie` header, redirects included. */
  readonly setCookies: readonly string[];
}

interface Kept {
  readonly value: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** In milliseconds; `Infinity` for a cookie that is kept until the browser closes. */
  readonly expires: number;
}

/** A visitor with their own browser. */
export class Visitor {
  readonly #app: App;
  readonly #origin: URL;
  readonly #jar = new Map<string, Kept>();

  /** @param origin The application's origin. */
  constructor(app: App, origin = "https://app.example") {
    this.#app = app;
    this.#origin = new URL(origin);
  }

  /** Opens a page. */
  open(path: string): Promise<Page> {
    return this.#visit(path);
  }

  /** Sends a form. */
  send(path: string, form: Record<string, string> = {}): Promise<Page> {
    return this.#visit(path, new URLSearchParams(form));
  }

  /** Sends JSON, as a script does. */
  post(path: string, json: string): Promise<Page> {
    return this.#visit(path, json);
  }

  /** The `Cookie` header that the browser sends for a page. */
  cookies(path = "/"): string {
    const { protocol, pathname } = new URL(path, this.#origin);
    const sent: string[] = [];
    for (const [name, { value, attributes, expires }] of this.#jar) {
      const below = attributes.get("path") ?? "/";
      if (expires <= Date.now() || !pathname.startsWith(below)) continue;
      if (attributes.has("secure") && protocol !== "https:") continue;
      sent.push(`${name}=${value}`);
    }
    return sent.join("; ");
  }

  /** Sets a cookie in the browser, as an attacker would. */
  plant(name: string, value: string): void {
    this.#jar.set(name, { value, attributes: new Map(), expires: Infinity });
  }

  async #visit(path: string, body?: BodyInit): Promise<Page> {
    const setCookies: string[] = [];
    let url = new URL(path, this.#origin);
    let init: RequestInit = body ? { method: "POST", body } : {};
    for (let hops = 0; hops < 10; hops++) {
      const cookie = this.cookies(url.pathname);
      const headers: HeadersInit = cookie ? { cookie } : {};
      const response = await this.#app(new Request(url, { ...init, headers }));
      for (const setCookie of response.headers.getSetCookie()) {
        setCookies.push(setCookie);
        this.#keep(setCookie);
      }
      const text = await response.text();
      const { status } = response;
      const location = response.headers.get("location");
      if (status < 300 || status > 399 || location === null) {
        return { path: url.pathname + url.search, status, text, setCookies };
      }
      url = new URL(location, url);
      init = {};
    }
    throw new Error("Cannot open page: it redirects for ever");
  }

  #keep(setCookie: string): void {
    const [pair = "", ...rest] = setCookie.split(";").map((s) => s.trim());
    if (!pair.includes("=")) return;
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    const attributes = new Map(rest.map((text) => {
      const [key = "", value = ""] = text.split(/=(.*)/s);
      return [key.toLowerCase(), value];
    }));
    const { hostname, protocol } = this.#origin;
    const domain = attributes.get("domain") ?? hostname;
    if (hostname !== domain && !hostname.endsWith(`.${domain}`)) return;
    if (attributes.has("secure") && protocol !== "https:") return;
    const maxAge = attributes.get("max-age");
    const date = attributes.get("expires");
    const expires = maxAge !== undefined
      ? Date.now() + Number(maxAge) * 1000
      : date !== undefined
      ? Date.parse(date)
      : Infinity;
    if (expires <= Date.now()) this.#jar.delete(name);
    else this.#jar.set(name, { value, attributes, expires });
  }
}

/** A `Set-Cookie` header: the cookie, and its attributes in alphabetical order. */
export function partsOf(setCookie = ""): [string, string[]] {
  const [cookie = "", ...attributes] = setCookie.split("; ");
  return [cookie, attributes.sort()];
}

/** The attribute that makes a browser remove a cookie. */
export const GONE = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
