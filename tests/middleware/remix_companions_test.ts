// Remix 3's own companions of the session show the same with this library's middleware as with Remix's.
import { assertEquals, assertMatch } from "@std/assert";
import { createCookie as remixCookie } from "@remix-run/cookie";
import { Session as RemixSession } from "@remix-run/session";
import { createCookieSessionStorage as remixCookieStorage } from "@remix-run/session/cookie-storage";
import { createMemorySessionStorage as remixMemoryStorage } from "@remix-run/session/memory-storage";
import {
  createCookie,
  createCookieSessionStorage,
  createMemorySessionStorage,
} from "../../mod.ts";
import { session } from "../../middleware/remix.ts";
import { withPackages } from "../engines/_packages.ts";
import { lineOf } from "../companions/_flow.ts";
import { Visitor } from "../guides/_visitor.ts";
import { quietly } from "../_quiet.ts";

const secrets = ["s3cr3t"];
const PACKAGES = [
  "npm:@remix-run/fetch-router@0.20.1",
  "npm:@remix-run/session-middleware@0.2.2",
  "npm:@remix-run/csrf-middleware@0.1.4",
  "npm:@remix-run/auth-middleware@0.1.2",
] as const;

/** The values of a request, by their keys. */
interface Context {
  readonly request: Request;
  get<T>(key: abstract new () => T): T;
  set(key: object, value: unknown): void;
}

type Handler = (context: Context) => unknown;
type Middleware = (
  context: Context,
  next: () => Promise<Response>,
) => unknown;

/** What is used of Remix's packages, whose versions have types that do not fit each other. */
interface Remix {
  createRouter(options: { middleware: unknown[] }): {
    get(path: string, handler: Handler): void;
    post(path: string, handler: Handler): void;
    fetch(request: Request): Promise<Response>;
  };
  session(cookie: unknown, storage: unknown): unknown;
  csrf(): unknown;
  getCsrfToken(context: Context): string;
  auth(options: object): unknown;
  Auth: abstract new () => { ok: boolean; identity?: { name: string } };
  createSessionAuthScheme(options: object): unknown;
}

type Values = InstanceType<typeof RemixSession>;

/** Serves a login that checks a token, and a page for users, and visits them. */
async function visit(remix: Remix, sessions: unknown): Promise<string[]> {
  const users = new Map([["u1", { name: "ann" }]]);
  const readForm: Middleware = async (context, next) => {
    if (context.request.method === "POST") {
      context.set(FormData, await context.request.formData());
    }
    return await next();
  };
  const scheme = remix.createSessionAuthScheme({
    read: (session: Values) => session.get("auth"),
    verify: (id: string) => users.get(id),
    invalidate: (session: Values) => session.unset("auth"),
  });
  const router = remix.createRouter({
    middleware: [
      sessions,
      readForm,
      remix.csrf(),
      remix.auth({ schemes: [scheme] }),
    ],
  });
  router.get("/", (context) => {
    const { ok, identity } = context.get(remix.Auth);
    const { size } = context.get(RemixSession);
    return new Response(`${ok ? identity?.name : "nobody"} ${size}`);
  });
  router.get(
    "/token",
    (context) => new Response(remix.getCsrfToken(context)),
  );
  router.post("/login", (context) => {
    const session = context.get(RemixSession);
    session.regenerateId(true);
    session.set("auth", "u1");
    return new Response(null, { status: 303, headers: { Location: "/" } });
  });
  router.post("/logout", (context) => {
    context.get(RemixSession).destroy();
    return new Response(null, { status: 303, headers: { Location: "/" } });
  });

  const ann = new Visitor((request) => router.fetch(request));
  const seen: string[] = [];
  const look = async (page: Parameters<typeof lineOf>[0]) =>
    void seen.push(lineOf(page));
  await look(await ann.open("/"));
  await look(await ann.send("/login"));
  const { text: _csrf } = await ann.open("/token");
  assertMatch(_csrf, /^[\da-f]{64}$/);
  assertEquals((await ann.open("/token")).text, _csrf);
  await look(await ann.send("/login", { _csrf: "0".repeat(64) }));
  await look(await ann.send("/login", { _csrf }));
  await look(await ann.open("/"));
  await look(await ann.send("/logout"));
  await look(await ann.send("/logout", { _csrf }));
  await look(await ann.open("/"));
  ann.plant("__session", "forged");
  await look(await ann.open("/"));
  return seen;
}

const SEEN = [
  "200 / nobody 1",
  "403 /login Forbidden: missing CSRF token",
  "403 /login Forbidden: invalid CSRF token",
  "200 / ann 2",
  "200 / ann 2",
  "403 /logout Forbidden: missing CSRF token",
  "200 / nobody 1",
  "200 / nobody 1",
  "200 / nobody 1",
];

await withPackages(
  "Remix 3's companions",
  PACKAGES,
  async () => ({
    ...await import("npm:@remix-run/fetch-router@0.20.1"),
    ...await import("npm:@remix-run/session-middleware@0.2.2"),
    ...await import("npm:@remix-run/csrf-middleware@0.1.4"),
    ...await import("npm:@remix-run/auth-middleware@0.1.2"),
  } as unknown as Remix),
  (remix) => {
    const own = { secrets };
    const kinds = {
      cookie: [remixCookieStorage(), createCookieSessionStorage()],
      memory: [remixMemoryStorage(), createMemorySessionStorage()],
    } as const;
    for (const [kind, [theirs, ours]] of Object.entries(kinds)) {
      Deno.test(`session() under Remix's key serves csrf() and auth() as Remix's own does, in ${kind}`, async () => {
        // In a cookie, Remix warns that an id was renewed.
        const there = await quietly("warn", () =>
          visit(
            remix,
            remix.session(remixCookie("__session", own), theirs),
          ));
        const here = await visit(
          remix,
          session(createCookie("__session", own), ours, {
            key: RemixSession,
            property: "session",
          }),
        );
        assertEquals({ there, here }, { there: SEEN, here: SEEN });
      });
    }
  },
);
