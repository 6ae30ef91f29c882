// Special to Next: its cookies, its errors, and components, which can only read. next_thorough.ts builds applications.
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  createCookieSessionStorage,
  createMemorySessionStorage,
} from "../../mod.ts";
import { type NextCookiesLike, session } from "../../middleware/next.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import type { SessionHeaders } from "../../storage/contract.ts";
import { cookieHeader } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";

type Data = Record<string, unknown>;

/** Cookies as those of Next, which decodes and encodes values. */
class Cookies implements NextCookiesLike {
  readonly all = new Map<string, string>();
  readonly sent: string[] = [];

  constructor(header: string) {
    for (const pair of header.split("; ")) {
      const [name = "", value] = pair.split("=");
      if (value) {
        this.all.set(name, decodeURIComponent(pair.slice(name.length + 1)));
      }
    }
  }

  getAll(): { name: string; value: string }[] {
    return [...this.all].map(([name, value]) => ({ name, value }));
  }

  set(name: string, value: string, options: { maxAge?: number }): void {
    this.all.set(name, value);
    this.sent.push(`${name}=${encodeURIComponent(value)}`);
    assert(typeof options === "object");
  }
}

/** A request to an application of Next. */
function visit(
  storage: SessionHeaders<Data>,
  cookie = "",
  headers: Record<string, string> = { Host: "localhost" },
  tasks: Promise<unknown>[] = [],
) {
  const store = new Cookies(cookie);
  const list = new Headers({ ...headers, ...(cookie && { cookie }) });
  return {
    store,
    ...session(storage, {
      cookies: () => Promise.resolve(store),
      headers: () => Promise.resolve(list),
      after: (task) => void tasks.push(task),
    }),
  };
}

/** The cookie of a new session. */
async function cookieOf(
  storage: SessionHeaders<Data>,
  change: (
    session: {
      flash(key: string, value: unknown): void;
      set(key: string, value: unknown): void;
    },
  ) => void,
): Promise<string> {
  const session = await storage.getSession();
  change(session as never);
  return cookieHeader(await storage.commitSession(session));
}

const redirect = Object.assign(new Error("NEXT_REDIRECT"), {
  digest: "NEXT_REDIRECT;replace;/home;a=1;307;",
});
const notFound = Object.assign(new Error("NEXT_HTTP_ERROR_FALLBACK;404"), {
  digest: "NEXT_HTTP_ERROR_FALLBACK;404",
});

Deno.test("action() commits, and sends the cookie by Next's own, when it returns or redirects", async () => {
  for (const error of [undefined, redirect, notFound]) {
    const storage = createMemorySessionStorage<Data>({ cookie: {} });
    const { action, store } = visit(storage);
    const run = action((session, name: string) => {
      session.set("user", name);
      if (error) throw error;
      return "done";
    });
    const ended = await run("ann").catch((error) => error);
    assertEquals(ended, error ?? "done", rowName(error));
    const found = await storage.getSession(store.sent.join("; "));
    assertEquals(found.get("user"), "ann", rowName(error));
  }
});

Deno.test("action() commits nothing but a logout, when it throws", async () => {
  const storage = createMemorySessionStorage<Data>({ cookie: {} });
  const cookie = await cookieOf(storage, (each) => each.set("user", "ann"));
  const { action, store } = visit(storage, cookie);
  const failing = (change: "set" | "destroy") =>
    action((session) => {
      if (change === "set") session.set("user", "bob");
      else session.destroy();
      throw new Error("the action failed");
    });
  await assertRejects(failing("set"), Error, "the action failed");
  assertEquals((await storage.getSession(cookie)).get("user"), "ann");
  assertEquals(store.sent, []);
  await assertRejects(failing("destroy"), Error, "the action failed");
  assertEquals((await storage.getSession(cookie)).get("user"), undefined);
  assertEquals(store.sent, ["__session="]);
});

Deno.test("action() shares its session with getSession() and the actions that it calls, and saves it once", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage<Data>({ engine, cookie: {} });
  const { action, getSession, store } = visit(storage);
  const inner = action((session) => session.set("inner", 1));
  const outer = action(async (session) => {
    assertStrictEquals(await getSession(), session);
    await inner();
    session.set("outer", session.get("inner"));
  });
  await outer();
  assertEquals(engine.calls, ["write"]);
  assertEquals(store.sent.length, 1);
  const next = await getSession();
  assertEquals(next.data, { inner: 1, outer: 1 }, "with the new cookie");
});

Deno.test("route() answers as Next does, with the cookie, when a handler redirects or finds nothing", async () => {
  const errors: [unknown, number, string | null][] = [
    [redirect, 307, "/home;a=1"],
    [notFound, 404, null],
    [Response.redirect("http://localhost/"), 302, "http://localhost/"],
  ];
  for (const [error, status, location] of errors) {
    const { route } = visit(createMemorySessionStorage());
    const answer = await route((_request, session) => {
      session.set("user", "ann");
      throw error;
    })(new Request("http://localhost/"), undefined);
    assertEquals(
      [
        answer.status,
        answer.headers.get("Location"),
        answer.headers.getSetCookie().length,
      ],
      [status, location, 1],
      rowName(status),
    );
  }
});

Deno.test("getSession() reads once, when components ask at the same time", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage<Data>({ engine, cookie: {} });
  const cookie = await cookieOf(storage, (each) => each.set("user", "ann"));
  engine.calls = [];
  const { getSession } = visit(storage, cookie);
  const [first, second] = await Promise.all([getSession(), getSession()]);
  assertStrictEquals(first, second);
  assertEquals(first.get("user"), "ann");
  assertEquals(engine.calls, ["read"]);
});

Deno.test("getSession() refuses changes in a component, and says where to make them", async () => {
  const { getSession } = visit(createMemorySessionStorage());
  const session = await getSession();
  const changes = {
    set: () => session.set("a", 1),
    unset: () => session.unset("a"),
    flash: () => session.flash("a", 1),
    clear: () => session.clear(),
    restart: () => session.restart(),
    regenerateId: () => session.regenerateId(),
    setMaxAge: () => session.setMaxAge(1),
    destroy: () => session.destroy(),
  };
  for (const [name, change] of Object.entries(changes)) {
    assertThrows(
      change,
      TypeError,
      `Cannot call ${name}: the session can only be read here; change it in a server action made by action(), or in a route handler made by route()`,
      name,
    );
  }
});

Deno.test("getSession() consumes the flashes that a component reads, and only those", async () => {
  const storage = createMemorySessionStorage<Data>({ cookie: {} });
  const cookie = await cookieOf(storage, (session) => {
    for (const key of ["a", "b", "c"]) session.flash(key, key);
    session.set("user", "ann");
  });
  const tasks: Promise<unknown>[] = [];
  const page = await visit(storage, cookie, undefined, tasks).getSession();
  assertEquals([page.get("a"), page.get("user")], ["a", "ann"]);
  await Promise.resolve();
  assertEquals([page.get("a"), page.get("b")], [undefined, "b"]);
  await Promise.all(tasks);
  const next = await visit(storage, cookie).getSession();
  assertEquals(
    ["a", "b", "c", "user"].map((key) => next.get(key)),
    [undefined, undefined, "c", "ann"],
  );
});

Deno.test("getSession() keeps a serverless function alive until a flash is consumed", async () => {
  const storage = createMemorySessionStorage<Data>({ cookie: {} });
  const cookie = await cookieOf(storage, (each) => each.flash("a", "a"));
  const tasks: Promise<unknown>[] = [];
  const { getSession } = visit(storage, cookie, undefined, tasks);
  (await getSession()).get("a");
  assertEquals(tasks.length, 1);
  await Promise.all(tasks);
  assertEquals((await storage.getSession(cookie)).has("a"), false);
});

Deno.test("getSession() says why a flash cannot be shown, when the session is in its cookie", async () => {
  const storage = createCookieSessionStorage<Data>({
    cookie: { secrets: ["s3cr3t"] },
  });
  const cookie = await cookieOf(storage, (session) => {
    session.flash("notice", "saved");
    session.set("user", "ann");
  });
  const session = await visit(storage, cookie).getSession();
  assertEquals(session.get("user"), "ann");
  assertThrows(() => session.get("notice"), TypeError, "Cannot show flash");
});

Deno.test("session() reads and sets cookies whose values Next encodes", async () => {
  const storage = createCookieSessionStorage<Data>({
    cookie: { secrets: ["s3cr3t"], format: "react-router", encrypt: false },
  });
  const { action, store } = visit(storage);
  await action((session) => session.set("user", "ann"))();
  const [sent = ""] = store.sent;
  assert(/%[0-9A-F]{2}/.test(sent), sent);
  assertEquals((await storage.getSession(sent)).get("user"), "ann");
  const found = await visit(storage, sent).getSession();
  assertEquals(found.get("user"), "ann");
});

Deno.test("getSession() finds the live session of two cookies with one name, of which Next knows the last", async () => {
  const storage = createMemorySessionStorage<Data>({ cookie: {} });
  const live = await cookieOf(storage, (each) => each.set("user", "ann"));
  const dead = await cookieOf(storage, (each) => each.set("user", "bob"));
  await storage.destroySession(await storage.getSession(dead));
  const session = await visit(storage, `a=1; ${live}; ${dead}`).getSession();
  assertEquals(session.get("user"), "ann");
});

Deno.test("getSession() reads the cookie that an action has set, when the page is rendered in the same request", async () => {
  const storage = createMemorySessionStorage<Data>({ cookie: {} });
  const cookie = await cookieOf(storage, (each) => each.set("user", "ann"));
  const { action, store } = visit(storage, cookie);
  await action((session) => {
    session.restart();
    session.set("user", "bob");
  })();
  const { getSession } = session(storage, {
    // Next has another object for the page, with the cookies of the action. The headers are the browser's.
    cookies: async () => new Cookies(store.sent.join("; ")),
    headers: async () => new Headers({ cookie }),
  });
  assertEquals((await getSession()).get("user"), "bob");
});

Deno.test("session() refuses a static route, Next 14, and missing functions", async () => {
  const storage = createMemorySessionStorage<Data>();
  await assertRejects(
    () => visit(storage, "", {}).getSession(),
    TypeError,
    "this route is static",
  );
  const old = session(storage, {
    cookies: (() => new Cookies("")) as never,
    headers: () => Promise.resolve(new Headers()),
  });
  await assertRejects(
    () => old.getSession(),
    TypeError,
    "this entry is for Next 15 and 16",
  );
  assertThrows(
    () => session(storage, {} as never),
    TypeError,
    'write import { cookies, headers } from "next/headers"',
  );
});
