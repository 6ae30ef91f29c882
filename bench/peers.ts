/**
 * This library and its peers, each used as its documentation says, with its defaults and one secret.
 *
 * Middlewares get as little of a framework as they need: Hono's, a context without its router; Express's, a request and
 * a response with the members that they touch. What a framework costs is not counted against them.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- silences a library
import {
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createFileSessionStorage,
  createMemorySessionStorage,
  type SessionStorage,
} from "@satchel/session";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { handle } from "./express.ts";
import {
  type Answer,
  type ExpressMiddleware,
  type Kind,
  SECRET,
  type Subject,
  useMethods,
  useProperties,
  type Visit,
} from "./visit.ts";

/** This library's name in every table. */
export const OURS = "@satchel/session";

const name = "session";
const secrets = [SECRET];

/** This library's storages. */
export const STORAGES: Readonly<Record<Kind, () => SessionStorage>> = {
  signed: () =>
    createCookieSessionStorage({ cookie: { name, secrets, encrypt: false } }),
  sealed: () => createCookieSessionStorage({ cookie: { name, secrets } }),
  memory: () => createMemorySessionStorage({ cookie: { name, secrets } }),
  file: () =>
    createFileSessionStorage({
      dir: temporaryFolder(),
      cookie: { name, secrets },
    }),
  kv: () => createDenoKvSessionStorage({ cookie: { name, secrets } }),
};

function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function ours(kind: Kind): Subject {
  const storage = STORAGES[kind]();
  return {
    name: OURS,
    kind,
    async handle(visit) {
      const session = await storage.getSession(visit.cookie);
      useMethods(visit, session);
      if (!visit.ends) return "";
      return await storage.commitSession(session, { renew: false });
    },
  };
}

/** A storage of React Router, or of Remix 1 or 2. */
interface Bound {
  // deno-lint-ignore no-explicit-any -- each has its own class for sessions
  getSession(cookie: string | null): Promise<any>;
  // deno-lint-ignore no-explicit-any -- as above
  commitSession(session: any): Promise<string>;
}

function bound(name: string, kind: Kind, storage: Bound): Subject {
  return {
    name,
    kind,
    async handle(visit) {
      const session = await storage.getSession(visit.cookie);
      // An application commits where it changes something.
      return useMethods(visit, session)
        ? await storage.commitSession(session)
        : "";
    },
  };
}

async function reactRouter(kind: "signed" | "memory"): Promise<Subject> {
  const { createCookieSessionStorage, createMemorySessionStorage } =
    await import("npm:react-router@8.5.1");
  const cookie = { name, secrets };
  return bound(
    "react-router",
    kind,
    kind === "signed"
      ? createCookieSessionStorage({ cookie })
      : createMemorySessionStorage({ cookie }),
  );
}

async function remixNode(kind: "signed" | "memory" | "file"): Promise<Subject> {
  const storages = await import("npm:@remix-run/node@2.17.5");
  const cookie = { name, secrets };
  const storage = {
    signed: () => storages.createCookieSessionStorage({ cookie }),
    memory: () => storages.createMemorySessionStorage({ cookie }),
    file: () =>
      storages.createFileSessionStorage({ dir: temporaryFolder(), cookie }),
  };
  return bound("@remix-run/node", kind, storage[kind]());
}

async function remix(kind: "signed" | "memory"): Promise<Subject> {
  const { createCookie } = await import("npm:@remix-run/cookie@0.5.3");
  const cookie = createCookie(name, { secrets });
  const storage = kind === "signed"
    ? (await import("npm:@remix-run/session@0.4.2/cookie-storage"))
      .createCookieSessionStorage()
    : (await import("npm:@remix-run/session@0.4.2/memory-storage"))
      .createMemorySessionStorage();
  return {
    name: "@remix-run/session",
    kind,
    // What its middleware does.
    async handle(visit) {
      const session = await storage.read(await cookie.parse(visit.cookie));
      useMethods(visit, session);
      if (!visit.ends) return "";
      const value = await storage.save(session);
      return value === null ? "" : await cookie.serialize(value);
    },
  };
}

/** A request, as far as middlewares look at it. */
function requestOf(cookie: string | null): Request {
  const headers = new Headers(cookie === null ? {} : { cookie });
  return { url: "http://localhost/", method: "GET", headers } as Request;
}

async function ironSession(): Promise<Subject> {
  const { getIronSession } = await import("npm:iron-session@9.0.1");
  const options = { cookieName: name, password: SECRET };
  return {
    name: "iron-session",
    kind: "sealed",
    async handle(visit) {
      const headers = new Headers();
      const session = await getIronSession<Record<string, unknown>>(
        requestOf(visit.cookie),
        { headers } as globalThis.Response,
        options,
      );
      if (!useProperties(visit, session)) return "";
      await session.save();
      return headers.getSetCookie();
    },
  };
}

// deno-lint-ignore no-explicit-any -- contexts of two versions' types
type Context = any;
type HonoMiddleware = (
  context: Context,
  next: () => Promise<void>,
) => Promise<unknown>;

/** Hono's context, which it does not export. */
async function honoContext(): Promise<new (request: Request) => Context> {
  const { Hono } = await import("npm:hono@4.13.19");
  const app = new Hono();
  let context: unknown;
  app.all("*", (c) => {
    context = c.constructor;
    return c.body(null);
  });
  await app.request("/");
  return context as new (request: Request) => Context;
}

async function honoSubject(
  name: string,
  kind: Kind,
  middleware: HonoMiddleware,
  use: (visit: Visit, context: Context) => Promise<void> | void,
): Promise<Subject> {
  const Context = await honoContext();
  return {
    name,
    kind,
    async handle(visit): Promise<Answer> {
      const context = new Context(requestOf(visit.cookie));
      await middleware(context, async () => await use(visit, context));
      return visit.set ? context.res.headers.getSetCookie() : "";
    },
  };
}

async function honoSessionsMiddleware(
  kind: "sealed" | "memory",
): Promise<HonoMiddleware> {
  const { CookieStore, MemoryStore, sessionMiddleware } = await import(
    "npm:hono-sessions@0.8.1"
  );
  return sessionMiddleware({
    store: kind === "sealed" ? new CookieStore() : new MemoryStore(),
    sessionCookieName: name,
    ...kind === "sealed" ? { encryptionKey: SECRET } : {},
  });
}

async function honoSessions(kind: "sealed" | "memory"): Promise<Subject> {
  const middleware = await honoSessionsMiddleware(kind);
  return await honoSubject(
    "hono-sessions",
    kind,
    middleware,
    (visit, context) => void useMethods(visit, context.get("session")),
  );
}

/** Does what the handler does, on @hono/session's session. */
async function useHonoSession(
  visit: Visit,
  context: Context,
): Promise<void> {
  const { session } = context.var;
  const { set } = visit;
  if (set) await session.update((data: object) => ({ ...data, ...set }));
  else visit.got = (await session.get())?.[visit.get];
}

async function honoSession(): Promise<Subject> {
  const { useSession } = await import("npm:@hono/session@0.2.1");
  const middleware = useSession({ secret: SECRET });
  return await honoSubject(
    "@hono/session",
    "sealed",
    middleware as HonoMiddleware,
    useHonoSession,
  );
}

const H3_OPTIONS: { password: string; name: string } = {
  password: SECRET,
  name,
};

async function h3(): Promise<Subject> {
  const { H3Event, useSession } = await import("npm:h3@2.0.8");
  return {
    name: "h3",
    kind: "sealed",
    async handle(visit) {
      const event = new H3Event(requestOf(visit.cookie));
      const session = await useSession<Record<string, unknown>>(
        event,
        H3_OPTIONS,
      );
      const { set } = visit;
      if (set) await session.update(set);
      else visit.got = session.data[visit.get];
      return set ? event.res.headers.getSetCookie() : "";
    },
  };
}

function express(
  name: string,
  kind: Kind,
  middleware: ExpressMiddleware,
): Subject {
  return {
    name,
    kind,
    middleware,
    handle: (visit) =>
      handle(middleware, visit.cookie, ({ session }) => {
        useProperties(visit, session ?? {});
      }),
  };
}

async function expressSession(): Promise<Subject> {
  const { default: session } = await import("npm:express-session@1.19.0");
  const { warn } = console;
  // It warns of its own default store.
  console.warn = () => {};
  const options = { resave: false, saveUninitialized: false };
  const middleware = session({ name, secret: secrets, ...options });
  console.warn = warn;
  return express("express-session", "memory", middleware);
}

async function cookieSession(): Promise<Subject> {
  const { default: session } = await import("npm:cookie-session@2.1.1");
  return express(
    "cookie-session",
    "signed",
    session({ name, keys: secrets }),
  );
}

/** A library with one of its storages. Its packages are loaded when it is made. */
export interface Peer {
  readonly name: string;
  readonly kind: Kind;
  make(): Subject | Promise<Subject>;
}

const peer = (name: string, kind: Kind, make: Peer["make"]): Peer => ({
  name,
  kind,
  make,
});

/** Every library: this one is first among its kind. */
export const PEERS: readonly Peer[] = [
  peer(OURS, "signed", () => ours("signed")),
  peer("react-router", "signed", () => reactRouter("signed")),
  peer("@remix-run/session", "signed", () => remix("signed")),
  peer("@remix-run/node", "signed", () => remixNode("signed")),
  peer("cookie-session", "signed", cookieSession),
  peer(OURS, "sealed", () => ours("sealed")),
  peer("iron-session", "sealed", ironSession),
  peer("hono-sessions", "sealed", () => honoSessions("sealed")),
  peer("@hono/session", "sealed", honoSession),
  peer("h3", "sealed", h3),
  peer(OURS, "memory", () => ours("memory")),
  peer("react-router", "memory", () => reactRouter("memory")),
  peer("@remix-run/session", "memory", () => remix("memory")),
  peer("@remix-run/node", "memory", () => remixNode("memory")),
  peer("hono-sessions", "memory", () => honoSessions("memory")),
  peer("express-session", "memory", expressSession),
  peer(OURS, "file", () => ours("file")),
  peer("@remix-run/node", "file", () => remixNode("file")),
  // Other runtimes need a package of native code for it.
  ..."Deno" in globalThis ? [peer(OURS, "kv", () => ours("kv"))] : [],
];
