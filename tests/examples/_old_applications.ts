/**
 * Applications on other libraries, and the storage of this library that reads and writes their sessions, as
 * `docs/coming-from.md` shows it.
 */
import { createFileSessionStorage as reactRouterFiles } from "@react-router/node";
import { createCookie as remixCookie } from "@remix-run/cookie";
import { createFsSessionStorage as remixFiles } from "@remix-run/session/fs-storage";
import {
  type Session as TokenSession,
  useSession,
  useSessionStorage,
} from "npm:@hono/session@0.2.1";
import express from "npm:express@5.3.0";
import expressSession from "npm:express-session@^1.19.0";
import { Hono } from "npm:hono@4.13.19";
import {
  CookieStore,
  MemoryStore,
  type Session as HonoSession,
  sessionMiddleware,
} from "npm:hono-sessions@0.8.1";
import { getIronSession, webCookies } from "npm:iron-session@^9.0.1";
import nextSession from "npm:next-session@4.0.5";
import { promisifyStore } from "npm:next-session@4.0.5/lib/compat";
import { createServer, type RequestListener } from "node:http";
import {
  expressCookie,
  expressSessions,
} from "../../examples/moving/express_session.ts";
import {
  tokenCookie,
  tokenSessionCookie,
  tokenSessions,
} from "../../examples/moving/hono_session.ts";
import {
  honoCookie,
  honoSealedCookie,
  honoSessions,
} from "../../examples/moving/hono_sessions.ts";
import { ironCookie } from "../../examples/moving/iron_session.ts";
import {
  nextCookie,
  nextSessions,
} from "../../examples/moving/next_session.ts";
import { reactRouterSessions } from "../../examples/moving/react_router.ts";
import { remixSessions } from "../../examples/moving/remix_3.ts";
import {
  createCookieSessionStorage,
  createSessionStorage,
  type SessionData,
  type SessionStorage,
} from "../../mod.ts";

/** An application on another library. */
export interface OldApplication {
  readonly name: string;
  /** Its sessions, for this library. */
  readonly sessions: SessionStorage;
  /** Whether its sessions are in the cookie, and a logout cannot end a copy of it. */
  readonly inCookie?: boolean;
  /** Whether its cookie is the plain id. */
  readonly unsigned?: boolean;
  /** A request that sets values. Returns what the session had before, and the cookie that the browser has then. */
  visit(cookie: string, values?: SessionData): Promise<Visit>;
  close?(): Promise<void>;
}

export interface Visit {
  readonly data: SessionData;
  readonly cookie: string;
}

const SECRET = "an old secret of thirty-two letters";

/** The first part of the last `Set-Cookie`, or the cookie as it was. */
function kept(cookie: string, response: Response): string {
  const set = response.headers.getSetCookie().at(-1)?.split(";")[0];
  return set ?? cookie;
}

/** Answers on a port of its own with what `respond` returns. */
async function served(
  listener: RequestListener,
): Promise<Pick<OldApplication, "visit" | "close">> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    async visit(cookie, values) {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { cookie, values: JSON.stringify(values ?? null) },
      });
      return { data: await response.json(), cookie: kept(cookie, response) };
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** A request to a Hono application, whose only route calls `handle`. */
function honoVisit(app: Hono): OldApplication["visit"] {
  return async (cookie, values) => {
    const response = await app.request("/", {
      headers: { cookie, values: JSON.stringify(values ?? null) },
    });
    return { data: await response.json(), cookie: kept(cookie, response) };
  };
}

async function onExpress(): Promise<OldApplication> {
  const store = new expressSession.MemoryStore();
  const app = express();
  app.use(expressSession({
    store,
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
  }));
  // deno-lint-ignore no-explicit-any -- the session's fields are the application's
  app.get("/", (req: any, res: any) => {
    const { cookie: _, ...data } = req.session;
    Object.assign(req.session, JSON.parse(req.headers.values));
    res.json(data);
  });
  return {
    name: "express-session",
    sessions: createSessionStorage({
      cookie: expressCookie("connect.sid", [SECRET]),
      ...expressSessions(store),
    }),
    ...await served(app),
  };
}

async function onNextSession(): Promise<OldApplication> {
  const store = promisifyStore(new expressSession.MemoryStore());
  const getSession = nextSession({ store });
  return {
    name: "next-session",
    unsigned: true,
    sessions: createSessionStorage({
      cookie: nextCookie("sid"),
      ...nextSessions(store),
    }),
    ...await served(async (req, res) => {
      const session = await getSession(req as never, res as never);
      const { cookie: _, ...data } = session;
      Object.assign(session, JSON.parse(String(req.headers["values"])));
      res.end(JSON.stringify(data));
    }),
  };
}

function onReactRouter(dir: string): OldApplication {
  const cookie = { name: "__session", secrets: [SECRET], maxAge: 3600 };
  const { getSession, commitSession } = reactRouterFiles({ dir, cookie });
  return {
    name: "React Router, files",
    sessions: createSessionStorage({
      cookie: { ...cookie, format: "react-router" },
      ...reactRouterSessions((cookie) => reactRouterFiles({ dir, cookie })),
    }),
    async visit(cookie, values) {
      const session = await getSession(cookie);
      const { data } = session;
      if (!values) return { data, cookie };
      for (const [key, value] of Object.entries(values)) {
        session.set(key, value);
      }
      const set = (await commitSession(session)).split(";")[0];
      return { data, cookie: set ?? cookie };
    },
  };
}

function onRemix(dir: string): OldApplication {
  const cookie = remixCookie("__session", { secrets: [SECRET] });
  const storage = remixFiles(dir);
  return {
    name: "Remix 3, files",
    sessions: createSessionStorage({
      cookie: { name: "__session", secrets: [SECRET], format: "remix" },
      ...remixSessions(storage, ["notice"]),
    }),
    async visit(header, values) {
      const session = await storage.read(await cookie.parse(header));
      const [data] = session.data;
      for (const [key, value] of Object.entries(values ?? {})) {
        session.set(key, value);
      }
      const id = await storage.save(session);
      if (id === null) return { data, cookie: header };
      return { data, cookie: (await cookie.serialize(id)).split(";")[0] ?? "" };
    },
  };
}

function onIron(): OldApplication {
  return {
    name: "iron-session",
    inCookie: true,
    sessions: createCookieSessionStorage({
      cookie: ironCookie("sid", { password: SECRET }),
    }),
    async visit(cookie, values) {
      const headers = new Headers();
      const session = await getIronSession<SessionData>(
        webCookies(
          new Request("https://app.example/", { headers: { cookie } }),
          headers,
        ),
        { cookieName: "sid", password: SECRET },
      );
      const data = { ...session };
      if (values) {
        Object.assign(session, values);
        await session.save();
      }
      return { data, cookie: kept(cookie, new Response(null, { headers })) };
    },
  };
}

function onHonoSessions(
  store: MemoryStore | CookieStore,
  encryptionKey?: string,
): Pick<OldApplication, "visit"> {
  const app = new Hono<{ Variables: { session: HonoSession } }>();
  app.use(sessionMiddleware({
    store,
    ...encryptionKey ? { encryptionKey } : {},
    expireAfterSeconds: 900,
    cookieOptions: { path: "/", httpOnly: true },
  }));
  app.get("/", (c) => {
    const session = c.get("session");
    const { _data } = session.getCache();
    const data = Object.fromEntries(
      Object.entries(_data).map(([key, { value }]) => [key, value]),
    );
    const values = JSON.parse(c.req.header("values") ?? "null") ?? {};
    for (const [key, value] of Object.entries(values)) session.set(key, value);
    return c.json(data);
  });
  return { visit: honoVisit(app as unknown as Hono) };
}

function onHonoStore(key?: string): OldApplication {
  const store = new MemoryStore();
  return {
    name: `hono-sessions, ${key ? "encrypted" : "plain"} ids`,
    unsigned: key === undefined,
    sessions: createSessionStorage({
      cookie: honoCookie("session", key),
      ...honoSessions(store),
    }),
    ...onHonoSessions(store, key),
  };
}

function onHonoCookie(): OldApplication {
  return {
    name: "hono-sessions, CookieStore",
    inCookie: true,
    sessions: createCookieSessionStorage({
      cookie: honoSealedCookie("session", {
        key: SECRET,
        expireAfterSeconds: 900,
      }),
    }),
    ...onHonoSessions(new CookieStore(), SECRET),
  };
}

function onHonoSession(stored: boolean): OldApplication {
  const rows = new Map<string, SessionData>();
  const storage = {
    get: (id: string) => rows.get(id) ?? null,
    set: (id: string, data: SessionData) => void rows.set(id, data),
    delete: (id: string) => void rows.delete(id),
  };
  const app = new Hono<{ Variables: { session: TokenSession<SessionData> } }>();
  const duration = { absolute: 3600, inactivity: 600 };
  if (stored) app.use(useSessionStorage(storage) as never);
  app.use(useSession<SessionData>({ secret: SECRET, duration }) as never);
  app.get("/", async (c) => {
    const { session } = c.var;
    const data = await session.get() ?? {};
    const values = JSON.parse(c.req.header("values") ?? "null");
    if (values) await session.update({ ...data, ...values });
    return c.json(data);
  });
  const options = { secret: SECRET, duration };
  return {
    name: `@hono/session, ${stored ? "a storage" : "the cookie"}`,
    inCookie: !stored,
    sessions: stored
      ? createSessionStorage({
        cookie: tokenCookie(options),
        ...tokenSessions(storage),
      })
      : createCookieSessionStorage({ cookie: tokenSessionCookie(options) }),
    visit: honoVisit(app as unknown as Hono),
  };
}

/** All of them. */
export async function oldApplications(dir: string): Promise<OldApplication[]> {
  return [
    onReactRouter(`${dir}/react-router`),
    onRemix(`${dir}/remix`),
    await onExpress(),
    onIron(),
    onHonoStore(),
    onHonoStore(SECRET),
    onHonoCookie(),
    onHonoSession(true),
    onHonoSession(false),
    await onNextSession(),
  ];
}
