/**
 * Reproductions for hono-sessions: a few lines of an application for each rule that it breaks.
 *
 * `deno run -A conformance/reports/reproductions/hono_sessions.ts [memory | cookie] [rule]`
 */
import { type Context, Hono } from "npm:hono@4.13.19";
import {
  CookieStore,
  MemoryStore,
  sessionMiddleware,
} from "npm:hono-sessions@0.8.1";
import { cookieShows } from "./shared/hono_cookies.ts";
import { pageShows } from "./shared/hono_pages.ts";
import { sizeShows } from "./shared/hono_sizes.ts";
import type { Site } from "./shared/hono_site.ts";
import { type Reproduction, run, shared } from "./run.ts";

/** A site that answers each request with a page that the reproduction brings. */
function site(store: MemoryStore | CookieStore, options = {}): Site {
  const pages = new WeakMap<Request, (c: Context) => unknown>();
  const app = new Hono();
  app.use(sessionMiddleware({
    store,
    encryptionKey: "password_at_least_32_characters_long",
    expireAfterSeconds: 900,
    cookieOptions: { sameSite: "Lax", path: "/", httpOnly: true },
    ...options,
  }));
  app.onError(() => new Response(null, { status: 500 }));
  app.get("/", async (c) => {
    await pages.get(c.req.raw)?.(c);
    return c.body(null);
  });
  return {
    with: (more) =>
      site(store instanceof MemoryStore ? store : new CookieStore(), more),
    async visit(cookie, page = () => {}) {
      const request = new Request("http://localhost/", {
        headers: cookie ? { cookie } : {},
      });
      pages.set(request, (c) => page(c.get("session"), c));
      const response = await app.fetch(request);
      const header = response.headers.getSetCookie().at(-1) ?? "";
      return {
        status: response.status,
        header,
        cookie: header.split(";")[0] || (cookie ?? ""),
      };
    },
  };
}

/** The sites. */
export const storages: Readonly<Record<string, () => Site>> = {
  memory: () => site(new MemoryStore()),
  cookie: () => site(new CookieStore()),
};

/** The reproductions, by rule. */
export const reproductions: Readonly<Record<string, Reproduction<Site>>> =
  shared({ ...cookieShows, ...pageShows, ...sizeShows }, {
    "PERSIST-02": ["memory", "cookie"],
    "PERSIST-05": ["memory"],
    "PERSIST-06": ["memory"],
    "PERSIST-11": ["memory", "cookie"],
    "FLASH-06": ["memory"],
    "FLASH-08": ["memory", "cookie"],
    "FLASH-11": ["memory", "cookie"],
    "UNSET-02": ["memory", "cookie"],
    "EXPIRY-09": ["memory", "cookie"],
    "EXPIRY-12": ["cookie"],
    "REGEN-04": ["memory"],
    "REGEN-09": ["memory"],
    "ISO-01": ["memory"],
    "ISO-02": ["memory"],
    "CONC-02": ["memory"],
    "CONC-09": ["memory"],
    "COOKIE-01": ["memory", "cookie"],
    "COOKIE-02": ["memory", "cookie"],
    "COOKIE-03": ["memory"],
    "COOKIE-07": ["memory", "cookie"],
    "COOKIE-09": ["cookie"],
    "HOSTILE-05": ["cookie"],
    "HOSTILE-06": ["cookie"],
    "SERIAL-03": ["memory", "cookie"],
    "SIZE-01": ["cookie"],
    "SIZE-02": ["cookie"],
    "SIZE-03": ["cookie"],
    "SIZE-04": ["cookie"],
    "MODEL-01": ["memory", "cookie"],
    "MODEL-02": ["memory"],
  });

if (import.meta.main) await run(storages, reproductions);
