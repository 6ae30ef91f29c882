import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { createCookie as createRemixCookie } from "@remix-run/cookie";
import { createCookie as createReactRouterCookie } from "react-router";
import { withSession } from "../../middleware/with_session.ts";
import { createCloudflareKVSessionStorage } from "../../storage/cloudflare_kv.ts";
import type { SessionStorage, StorageOptions } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { createFileSessionStorage } from "../../storage/file.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { createReadThroughSessionStorage } from "../../storage/read_through.ts";
import { rowName } from "../_row.ts";
import { Clock, cookieHeader } from "../core/_support.ts";
import { kvNamespace } from "../engines/_kv_namespace.ts";
import { FakeEngine } from "./_fake_engine.ts";
import { Model } from "./_lifetime_model.ts";
import {
  BEGIN,
  Browser,
  DAY,
  HOUR,
  type Kind,
  KINDS,
  MINUTE,
  SECOND,
  SETTINGS,
  type Visit,
} from "./_lifetimes.ts";

const WEEK = 7 * DAY / SECOND;
const secrets = ["s3cr3t"];
const rolling = { name: "rolling", maxAge: WEEK, timeouts: { rolling: true } };

/** Engines whose clock is the test's, and a cookie storage. */
const SOME = KINDS.filter(({ slow }) => !slow);

async function setUp(kind: Kind, setting: typeof SETTINGS[number]) {
  const clock = new Clock(BEGIN);
  const { open, close } = await kind.make(clock);
  const storage = open(setting);
  const browser = new Browser(storage, clock);
  await browser.begin({ maxAge: setting.own });
  return { clock, storage, browser, close, open };
}

Deno.test("withSession() renews a rolling session, when the visitor sees the answer, and not otherwise", async () => {
  const unseen: [name: string, visit: Visit][] = [
    ["HEAD", { method: "HEAD" }],
    ["prefetch", { headers: { "Sec-Purpose": "prefetch" } }],
    ["prerender", { headers: { "Sec-Purpose": "prefetch;prerender" } }],
    ["a 500", { path: "/fail" }],
    ["a thrown error", { path: "/throw" }],
  ];
  for (const kind of SOME) {
    for (const [name, visit] of unseen) {
      const row = rowName(kind.name, name);
      const { clock, browser, close } = await setUp(kind, rolling);
      clock.time = BEGIN + 3 * DAY;
      browser.sent = [];
      await browser.request(visit).catch(() => {});
      assertEquals(browser.sent, [], row);
      clock.time = BEGIN + 7 * DAY - 1;
      assertEquals(browser.cookie !== undefined, true, row);
      clock.time = BEGIN + 7 * DAY;
      assertFalse(await browser.read(), row);
      await close();
    }
    const { clock, browser, close } = await setUp(kind, rolling);
    for (const path of ["/read", "/ignore"]) {
      clock.time += 6 * DAY;
      await browser.request({ path });
      assertEquals(browser.sent.length, 1, rowName(kind.name, path));
    }
    clock.time += 7 * DAY - 1;
    assertEquals(await browser.read(), true, kind.name);
    await close();
  }
});

Deno.test("withSession() keeps what a failed request had no right to move, when the session is rolling", async () => {
  const { clock, storage, browser } = await setUp(SOME[0]!, rolling);
  const { cookie } = browser;
  clock.time = BEGIN + 6 * DAY;
  for (const path of ["/fail", "/throw"]) {
    await browser.request({ path }).catch(() => {});
  }
  await browser.request({ method: "HEAD" });
  clock.time = BEGIN + 7 * DAY;
  // The browser's cookie aside, the record has ended too.
  assertEquals((await storage.getSession(cookie)).size, 0);
});

Deno.test("withSession() sends a rolling cookie once per touchAfter, a tenth of the lifetime and at most a day by default", async () => {
  const cases: [
    maxAge: number,
    touchAfter: number | undefined,
    every: number,
  ][] = [
    [WEEK, undefined, WEEK / 10],
    [100 * 86_400, undefined, 86_400],
    [3600, undefined, 360],
    [WEEK, 7200, 7200],
    [WEEK, 0, 0],
    [WEEK, 3 * 86_400, 3 * 86_400],
    // Otherwise it would end before it is renewed.
    [WEEK, WEEK, WEEK / 2],
  ];
  for (const kind of SOME) {
    for (const [maxAge, touchAfter, every] of cases) {
      const row = rowName(kind.name, maxAge, touchAfter);
      const timeouts = { rolling: true, touchAfter };
      const { clock, browser, close } = await setUp(kind, {
        name: row,
        maxAge,
        timeouts,
      });
      for (let renewals = 0; renewals < 3; renewals++) {
        if (every > 0) {
          clock.time += every * SECOND - 1;
          assertEquals(await browser.read(), true, row);
          assertEquals(browser.sent, [], row);
          clock.time += 1;
        }
        assertEquals(await browser.read(), true, row);
        assertEquals(browser.sent.length, 1, row);
      }
      await close();
    }
  }
});

Deno.test("withSession() does not renew a rolling session, when another request has changed it since it was read", async () => {
  const clock = new Clock(BEGIN);
  const storage = createMemorySessionStorage({
    cookie: { name: "s", maxAge: WEEK },
    rolling: true,
    now: clock.now,
  });
  const first = await storage.getSession();
  first.set("n", 1);
  const cookie = cookieHeader(await storage.commitSession(first));
  clock.time += 3 * DAY;
  const changes: [string, (header: string) => Promise<unknown>][] = [
    ["a change", async (header) => {
      const session = await storage.getSession(header);
      session.set("n", 2);
      await storage.commitSession(session);
    }],
    ["a login", async (header) => {
      const session = await storage.getSession(header);
      session.restart({ keep: ["n"] });
      await storage.commitSession(session);
    }],
  ];
  for (const [name, change] of changes) {
    clock.time += 3 * DAY;
    const handler = withSession(storage, async (_request, session) => {
      session.get("n");
      await change(cookie);
      return new Response("");
    });
    const answer = await handler(
      new Request("http://x/", { headers: { cookie } }),
    );
    assertEquals(answer.headers.getSetCookie(), [], name);
  }
  assertEquals(
    (await storage.getSession(cookie)).size,
    0,
    "the login's id won",
  );
});

Deno.test("withSession() sends no cookie for a save that keeps the id, unless its lifetime must be renewed", async () => {
  const records = SOME.filter(({ inCookie, database }) =>
    !inCookie && !database
  );
  const cases: [
    name: string,
    setting: typeof SETTINGS[number],
    saves: [after: number, path: string, sends: boolean][],
  ][] = [
    ["no lifetime", { name: "" }, [
      [10, "/set/1/", false],
      [DAY, "/set/1/", false],
    ]],
    ["maxAge", { name: "", maxAge: WEEK }, [
      [10 * SECOND, "/set/1/", false],
      [49 * SECOND, "/set/1/", false],
      [SECOND, "/set/1/", true],
      [10 * SECOND, "/set/1/", false],
      [MINUTE, "/read", false],
      [HOUR, "/set/1/", true],
    ]],
    ["a short maxAge", { name: "", maxAge: 100 }, [
      [9 * SECOND, "/set/1/", false],
      [SECOND, "/set/1/", true],
    ]],
    ["touchAfter", {
      name: "",
      maxAge: WEEK,
      timeouts: { touchAfter: 3600 },
    }, [
      [HOUR - 1, "/set/1/", false],
      [1, "/set/1/", true],
    ]],
    ["setMaxAge", { name: "" }, [
      [10, "/set/1/600", true],
      [10, "/set/1/600", true],
      [MINUTE, "/set/1/", true],
      [10, "/set/1/", false],
    ]],
    ["idleTimeout", { name: "", timeouts: { idleTimeout: 3600 } }, [
      [MINUTE, "/set/1/", false],
      [30 * MINUTE, "/read", false],
    ]],
  ];
  for (const kind of records) {
    for (const [name, setting, saves] of cases) {
      const { clock, browser, close } = await setUp(kind, setting);
      for (const [step, [after, path, sends]] of saves.entries()) {
        clock.time += after;
        await browser.request({ path });
        assertEquals(
          browser.sent.length,
          sends ? 1 : 0,
          rowName(kind.name, name, step, path),
        );
      }
      await close();
    }
  }
});

/** A cookie that an older application has set, and the storages that read it. */
const PREDECESSORS = [
  {
    format: "react-router",
    write: () => createReactRouterCookie("s", { secrets }).serialize({ n: 0 }),
  },
  {
    format: "remix",
    write: () =>
      createRemixCookie("s", { secrets }).serialize(
        JSON.stringify({ i: "i".repeat(24), d: [{ n: 0 }, {}] }),
      ),
  },
] as const;

Deno.test("withSession() counts a predecessor's cookie from its first read, and writes it anew, when a lifetime must travel", async () => {
  for (const { format, write } of PREDECESSORS) {
    for (const plain of [true, false]) {
      for (const setting of SETTINGS.filter(({ own }) => own === undefined)) {
        for (const reads of [1, 3]) {
          const row = rowName(format, plain, setting.name, reads);
          const clock = new Clock(BEGIN);
          const storage = createCookieSessionStorage({
            ...setting.timeouts,
            now: clock.now,
            cookie: {
              name: "s",
              secrets,
              maxAge: setting.maxAge,
              ...plain ? { format } : { accept: [format] },
            },
          });
          const browser = new Browser(storage, clock);
          browser.receive(await write());
          // For years, nobody knew how old it was.
          clock.time = BEGIN + 3 * 365 * DAY;
          const kind: Kind = { ...SOME[0]!, inCookie: true, plain };
          const { notBefore } = setting.timeouts ?? {};
          const model = new Model(kind, setting, {
            now: clock.time,
            browses: true,
            predecessors: true,
          });
          if (notBefore) {
            assertFalse(await browser.read(), `${row}: older than notBefore`);
            continue;
          }
          for (let read = 0; read < reads; read++) {
            clock.time += read * DAY;
            const travels = !plain || setting.maxAge !== undefined ||
              setting.timeouts?.idleTimeout !== undefined ||
              setting.timeouts?.absoluteTimeout !== undefined;
            assertEquals(await browser.read(), true, row);
            model.read(clock.time);
            if (read === 0) {
              assertEquals(browser.sent.length, travels ? 1 : 0, row);
            }
          }
          if (model.end === Infinity) {
            clock.time += 3 * 365 * DAY;
            assertEquals(await browser.read(), true, row);
            continue;
          }
          const { cookie = "" } = browser;
          clock.time = model.end - 1;
          assertEquals((await storage.getSession(cookie)).size, 1, row);
          clock.time = model.end;
          assertFalse(await browser.read(), row);
        }
      }
    }
  }
});

Deno.test("sweep() deletes nothing that lives, when the clock is ten minutes ahead, and a day ahead what ends that day", async () => {
  const dir = await Deno.makeTempDir();
  const create: [string, (options: StorageOptions) => SessionStorage][] = [
    ["memory", createMemorySessionStorage],
    ["files", (options) => createFileSessionStorage({ ...options, dir })],
  ];
  const settings: [string, StorageOptions, end: number][] = [
    ["nothing", {}, 14 * DAY],
    ["maxAge", { cookie: { maxAge: WEEK } }, 7 * DAY],
    ["idleTimeout", { idleTimeout: 3600 }, HOUR],
    ["absoluteTimeout", { absoluteTimeout: 86_400 }, DAY],
    ["rolling", { cookie: { maxAge: WEEK }, rolling: true }, 7 * DAY],
  ];
  for (const [name, open] of create) {
    for (const [setting, options, end] of settings) {
      const row = rowName(name, setting);
      const clock = new Clock(BEGIN);
      const storage = open({ ...options, now: clock.now });
      const store = async () => {
        const session = await storage.getSession();
        session.set("a", 1);
        return cookieHeader(await storage.commitSession(session));
      };
      const lives = async (header: string) =>
        (await storage.getSession(header)).size === 1;
      const [header, other] = [await store(), await store()];

      clock.time = BEGIN + end - 5 * MINUTE + 10 * MINUTE;
      await storage.sweep?.();
      // A write sweeps too, in passing.
      await store();
      assertFalse(await lives(header), `${row}: to the clock that is ahead`);
      clock.time = BEGIN + end - 5 * MINUTE;
      assertEquals(await lives(header), true, row);

      // What expired less than an hour ago is spared, and more is not.
      clock.time = BEGIN + end + HOUR - 1;
      await storage.sweep?.();
      clock.time = BEGIN + end - 1;
      assertEquals(await lives(other), true, row);
      const lost = await store();
      clock.time += DAY + end;
      await storage.sweep?.();
      clock.time -= DAY + end;
      assertFalse(await lives(lost), `${row}: the loss`);
      await storage.close?.();
    }
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("getSession() deletes nothing, when the clock is a day ahead", async () => {
  for (const kind of KINDS) {
    const setting = { name: "", timeouts: { idleTimeout: 3600 } };
    const { clock, browser, close } = await setUp(kind, setting);
    clock.time += DAY;
    assertFalse(await browser.read(), kind.name);
    assertEquals(browser.sent, [], kind.name);
    // An untouched answer leaves the visitor's cookie, and the right clock finds the session.
    clock.time -= DAY;
    assertEquals(await browser.read(), true, kind.name);
    await close();
  }
});

Deno.test("getSession() counts every use, when idleTimeout was shortened", async () => {
  const clock = new Clock(BEGIN);
  const engine = new FakeEngine();
  const open = (idleTimeout: number) =>
    createSessionStorage({ engine, idleTimeout, now: clock.now });
  const [before, after] = [open(7200), open(5400)];
  for (const used of [29, 30, 30.5, 31, 60, 89]) {
    clock.time = BEGIN;
    const session = await before.getSession();
    session.set("a", 1);
    const header = cookieHeader(await before.commitSession(session));
    clock.time = BEGIN + used * MINUTE;
    assertEquals((await after.getSession(header)).size, 1, rowName(used));
    clock.time += 90 * MINUTE - 1;
    assertEquals((await after.getSession(header)).size, 1, rowName(used));
  }
});

Deno.test("getSession() keeps an owner's session for 14 days, unless a timeout is given", async () => {
  const owner = ({ user }: { user?: string }) => user;
  const cases: [StorageOptions, number][] = [
    [{ owner }, 14],
    [{ owner, idleTimeout: 30 * 86_400 }, 30],
    [{ owner, absoluteTimeout: 60 * 86_400 }, 60],
    [{ owner, cookie: { maxAge: 40 * 86_400 } }, 40],
  ];
  for (const [options, days] of cases) {
    const clock = new Clock(BEGIN);
    const storage = createMemorySessionStorage({ ...options, now: clock.now });
    const store = async () => {
      const session = await storage.getSession();
      session.set("user", "ann");
      return cookieHeader(await storage.commitSession(session));
    };
    const [one, two] = [await store(), await store()];
    clock.time = BEGIN + days * DAY - 1;
    assertEquals((await storage.getSession(one)).size, 1, rowName(options));
    clock.time = BEGIN + days * DAY;
    assertEquals((await storage.getSession(two)).size, 0, rowName(options));
  }
});

Deno.test("getSession() does not decode a record, when its use is not to be written and nothing looks at it", async () => {
  const clock = new Clock(BEGIN);
  const engine = new FakeEngine();
  const storage = createSessionStorage({
    engine,
    idleTimeout: 3600,
    now: clock.now,
  });
  const session = await storage.getSession();
  session.set("a", "first");
  const header = cookieHeader(await storage.commitSession(session));
  const { parse } = JSON;
  let parsed = "";
  JSON.parse = (text) => {
    parsed += text;
    return parse(text);
  };
  try {
    clock.time += MINUTE - 1;
    await storage.getSession(header);
    assertFalse(parsed.includes("first"));
    clock.time += 1;
    await storage.getSession(header);
    assertEquals(engine.calls.at(-1), "touch");
  } finally {
    JSON.parse = parse;
  }
});

Deno.test("getSession() does not write again and again, when longer settings cannot be written", async () => {
  const clock = new Clock(BEGIN);
  const { kv, stored } = kvNamespace();
  const open = (maxAge: number) =>
    createCloudflareKVSessionStorage({
      kv,
      cookie: { maxAge },
      now: clock.now,
    });
  const session = await open(3600).getSession();
  session.set("a", 1);
  const header = cookieHeader(await open(3600).commitSession(session));
  const before = [...stored];
  clock.time += MINUTE;
  for (let n = 0; n < 3; n++) {
    assertEquals((await open(WEEK).getSession(header)).size, 1);
  }
  assertEquals([...stored], before);
});

Deno.test("commitSession() sends nothing, when an untouched cookie of an older secret has expired by today's settings", async () => {
  const clock = new Clock(BEGIN);
  const open = (secrets: string[], idleTimeout: number) =>
    createCookieSessionStorage({
      cookie: { name: "s", secrets },
      idleTimeout,
      now: clock.now,
    });
  const before = open(["old"], 86_400);
  const session = await before.getSession();
  session.set("a", 1);
  const header = cookieHeader(await before.commitSession(session));
  clock.time += 2 * HOUR;
  const after = open(["new", "old"], 3600);
  for (const renew of [false, true]) {
    const read = await after.getSession(header);
    assertEquals(
      await after.commitSession(read, { renew }),
      "",
      rowName(renew),
    );
  }
  const live = open(["new", "old"], 86_400);
  const read = await live.getSession(header);
  const next = cookieHeader(await live.commitSession(read, { renew: false }));
  assertEquals((await live.getSession(next)).data, { a: 1 });
});

Deno.test("createReadThroughSessionStorage() ends an old id after its minute, when there is an idleTimeout", async () => {
  const clock = new Clock(BEGIN);
  const options = {
    cookie: { name: "s", secrets },
    idleTimeout: 1800,
    now: clock.now,
  };
  const rows = new Map<string, object>();
  const from = createSessionStorage({ ...options, engine: new FakeEngine() });
  const to = createSessionStorage({
    ...options,
    createData: async (data) => {
      rows.set(`row-${rows.size}`, data);
      return `row-${rows.size - 1}`;
    },
    readData: async (id) => rows.get(id) ?? null,
    updateData: async (id, data) => void rows.set(id, data),
    deleteData: async (id) => void rows.delete(id),
  });
  const session = await from.getSession();
  session.set("a", 1);
  const header = cookieHeader(await from.commitSession(session));
  const moving = createReadThroughSessionStorage({ to, from });
  const read = await moving.getSession(header);
  read.set("b", 1);
  await moving.commitSession(read);
  for (const seconds of [0, 30, 29.999]) {
    clock.pass(seconds);
    assertEquals((await moving.getSession(header)).size, 1, rowName(seconds));
  }
  clock.pass(0.001);
  assertEquals((await moving.getSession(header)).size, 0);
});

Deno.test("factories refuse a setting, when it is wrong or their engine cannot keep it", () => {
  const { now } = new Clock(BEGIN);
  const owner = ({ user }: { user?: string }) => user;
  const memory = (options: object) =>
    createMemorySessionStorage({ now, ...options });
  const kv = (options: object) =>
    createCloudflareKVSessionStorage({ kv: kvNamespace().kv, now, ...options });
  const inCookie = (options: object) =>
    createCookieSessionStorage({ cookie: { secrets }, now, ...options });
  const functions = (options: object) =>
    createSessionStorage({
      createData: async () => "1",
      readData: async () => null,
      updateData: async () => {},
      deleteData: async () => {},
      now,
      ...options,
    });
  const eventual = (options: object) =>
    createSessionStorage({
      engine: new FakeEngine({ compareAndSet: false, reads: "eventual" }),
      now,
      ...options,
    });
  const future =
    'Cannot use notBefore: it must not be in the future; pass a fixed instant, such as new Date("2026-01-31T12:00:00Z")';
  const invalid = "Cannot use notBefore: it must be a valid Date";
  const boolean = (type: string) =>
    `Cannot use rolling: it must be true or false, received ${type}; the lifetime itself is the cookie's maxAge`;
  const slow =
    "Cannot create storage: rolling requires an engine with compareAndSet or strong reads; leave it out, and give the cookie a longer maxAge";
  const ownerless =
    "Cannot create storage: maxPerOwner requires owner; add owner: (data) => data.userId";
  const count = (value: unknown) =>
    `Cannot create storage: maxPerOwner must be a positive integer, received ${value}`;
  const cases: [
    (options: object) => unknown,
    object,
    typeof TypeError | typeof RangeError,
    string,
  ][] = [
    [memory, { notBefore: new Date(BEGIN + 1) }, RangeError, future],
    [inCookie, { notBefore: new Date(BEGIN + DAY) }, RangeError, future],
    [functions, { notBefore: new Date(BEGIN + DAY) }, RangeError, future],
    [memory, { notBefore: new Date(NaN) }, TypeError, invalid],
    [memory, { notBefore: BEGIN }, TypeError, invalid],
    [memory, { notBefore: "2020-01-01" }, TypeError, invalid],
    [memory, { rolling: "yes" }, TypeError, boolean("string")],
    [memory, { rolling: 60 }, TypeError, boolean("number")],
    [inCookie, { rolling: 1 }, TypeError, boolean("number")],
    [eventual, { rolling: true }, TypeError, slow],
    [memory, { maxPerOwner: 3 }, TypeError, ownerless],
    [memory, { maxPerOwner: 0, owner }, RangeError, count(0)],
    [memory, { maxPerOwner: 1.5, owner }, RangeError, count(1.5)],
    [memory, { maxPerOwner: "3", owner }, RangeError, count("a string")],
    [memory, { maxPerOwner: Infinity, owner }, RangeError, count(Infinity)],
  ];
  for (const [create, options, error, message] of cases) {
    const row = rowName(create.name, options);
    const thrown = assertThrows(() => create(options), error, "", row);
    assertEquals(thrown.message, message, row);
  }
  for (const create of [kv, inCookie, functions, eventual]) {
    for (const options of [{ owner }, { owner, maxPerOwner: 3 }]) {
      assertThrows(
        () => create(options),
        TypeError,
        undefined,
        rowName(create.name, options),
      );
    }
  }
  assertThrows(() => kv({ rolling: true }), TypeError, "rolling");
  for (const create of [memory, inCookie, functions]) {
    create({ rolling: true, notBefore: new Date(BEGIN) });
  }
  kv({ rolling: false, notBefore: new Date(BEGIN) });
  memory({ owner, maxPerOwner: 1 });
});
