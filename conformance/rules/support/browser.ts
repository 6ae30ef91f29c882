/**
 * A visitor's browser, for storages that read and write HTTP headers.
 *
 * @module
 */
import { CookieJar, type StoredCookie } from "../../trial/jar.ts";
import { parseSetCookie } from "../../trial/set_cookie.ts";
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";

/** Options of {@linkcode Browser.visit}. */
export interface VisitOptions {
  /** The page, below the path of the cookie. @default {"account/settings/login"} */
  readonly page?: string;
  /** The `maxAge` of the commit, in seconds. */
  readonly maxAge?: number;
}

const LOGIN = "account/settings/login";

/** A browser: it stores cookies as RFC 6265bis describes, and sends them to the pages of a site. */
export class Browser {
  readonly #t: Trial;
  readonly #visitor: Visitor;
  readonly #jar: CookieJar;
  /** The address below which the cookie is used; a target can choose a domain and a path. */
  #site = new URL("https://www.example.com/");

  constructor(t: Trial, visitor: Visitor) {
    this.#t = t;
    this.#visitor = visitor;
    this.#jar = new CookieJar(t.now);
  }

  /** A new browser of a storage. */
  static async of(t: Trial, storage: OpenStorage): Promise<Browser> {
    return new Browser(t, await t.visitor(storage));
  }

  /** The cookies that it sends to a page. */
  cookies(page: string = LOGIN): readonly StoredCookie[] {
    return this.#jar.cookies(new URL(page, this.#site));
  }

  /** Begins a request. */
  async request(page: string = LOGIN): Promise<VisitorRequest> {
    return await this.#visitor.request(
      this.#jar.header(new URL(page, this.#site)),
    );
  }

  /** Takes the cookie that a request sent. Fails if a browser ignores it. */
  take({ sent }: VisitorRequest, page: string = LOGIN): void {
    if (sent.kind === "nothing" || sent.header === undefined) return;
    const { header } = sent;
    if (this.cookies(page).length === 0) this.#site = siteOf(header);
    const refusal = this.#jar.take(header, new URL(page, this.#site));
    this.#t.ok(
      refusal === undefined,
      `a browser ignores the cookie: ${refusal}`,
    );
  }

  /** A whole request: read, work, save, and take the cookie. */
  async visit(
    work: (request: VisitorRequest) => void,
    { page = LOGIN, maxAge }: VisitOptions = {},
  ): Promise<VisitorRequest> {
    const request = await this.request(page);
    work(request);
    await request.save(maxAge === undefined ? {} : { maxAge });
    this.take(request, page);
    return request;
  }
}

/** Opens a storage that reads `Cookie` headers; ends the trial if it does not. */
export async function openBound(
  t: Trial,
  options: { idleTimeout?: number } = {},
): Promise<OpenStorage> {
  const storage = await t.open(options);
  if (storage.port.http) return storage;
  t.notApplicable("it reads values, and not the Cookie header");
}

/** An address at which a cookie is used. */
function siteOf(header: string): URL {
  const attributes = parseSetCookie(header)?.attributes;
  const domain = attributes?.get("domain")?.replace(/^\./, "");
  const path = attributes?.get("path") ?? "";
  const folder = path.startsWith("/") ? path.replace(/\/?$/, "/") : "/";
  return new URL(folder, `https://${domain || "www.example.com"}`);
}
