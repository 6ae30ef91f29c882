import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { createCookie as createRemixCookie } from "@remix-run/cookie";
import { createCookie as createReactRouterCookie } from "react-router";
import {
  assertSessionError,
  Clock,
  cookieHeader,
  cookieText,
} from "../core/_support.ts";
import { type Cookie, createCookie } from "../../core/cookie.ts";
import { createSession } from "../../core/session.ts";
import type { SessionEvent, StorageOptions } from "../../storage/contract.ts";
import type { SessionCookieOptions } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { rowName } from "../_row.ts";

const secrets = ["s3cr3t"];

function setUp(
  cookie: SessionCookieOptions = {},
  options: StorageOptions = {},
) {
  const clock = new Clock();
  const events: SessionEvent["type"][] = [];
  const storage = createCookieSessionStorage({
    cookie: { secrets, ...cookie },
    now: clock.now,
    onEvent: ({ type }) => events.push(type),
    ...options,
  });
  async function commit(
    values: Record<string, unknown>,
    options = {},
  ): Promise<string> {
    const session = await storage.getSession();
    for (const key in values) session.set(key, values[key]);
    return cookieHeader(await storage.commitSession(session, options));
  }
  return { clock, events, storage, commit };
}

Deno.test("createCookieSessionStorage() encrypts the session, unless encrypt is false", async () => {
  const cases: [SessionCookieOptions, string][] = [
    [{}, "e1"],
    [{ encrypt: true }, "e1"],
    [{ encrypt: undefined }, "e1"],
    [{ encrypt: false }, "s1"],
  ];
  for (const [cookie, version] of cases) {
    const { storage, commit } = setUp(cookie);
    const header = await commit({ a: 1 });
    assertEquals(cookieText(header).slice(0, 2), version, rowName(cookie));
    assertEquals(
      (await storage.getSession(header)).data,
      { a: 1 },
      rowName(cookie),
    );
  }
  const own = createCookieSessionStorage(createCookie("own", { secrets }));
  const session = await own.getSession();
  session.set("a", 1);
  assertMatch(await own.commitSession(session), /^own=e1.*HttpOnly/);
});

Deno.test("createCookieSessionStorage() keeps a login, when the session before it expires during the request", async () => {
  for (const format of ["satchel", "react-router", "remix"] as const) {
    const { clock, storage, commit, events } = setUp({ format, maxAge: 60 });
    const session = await storage.getSession(await commit({ cart: "tea" }));
    assertEquals(session.get("cart"), "tea", format);
    clock.pass(61);
    session.restart({ keep: ["cart"] });
    session.set("user", "ann");
    const header = cookieHeader(await storage.commitSession(session));
    const { data } = await storage.getSession(header);
    assertEquals(data, { cart: "tea", user: "ann" }, format);
    assertFalse(events.includes("late-save"), format);
  }
});

Deno.test("createCookieSessionStorage() writes id, deadline and record as one text", async () => {
  const { clock, storage } = setUp({ maxAge: 60 });
  const session = await storage.read(null);
  session.set("a", 1);
  session.flash("f", "x");
  const text = await storage.save(session);
  const { time } = clock;
  const [id, expires, record = ""] = text?.split(".") ?? [];
  assertEquals([id, expires], [session.id, (time + 60_000).toString(36)]);
  const parts: unknown[] = JSON.parse(record);
  const tags = parts.splice(9, 1)[0];
  assertEquals(
    parts,
    [2, "", time, time, null, 60_000, null, { a: 1 }, { f: "x" }, null],
  );
  assertEquals(Object.keys(Object(tags)), ["f"]);
  const again = await storage.read(text);
  assertEquals(again.id, session.id);
});

Deno.test("createCookieSessionStorage() returns an empty session from the deadline on, even when the browser still sends the cookie", async () => {
  const cases: [SessionCookieOptions, StorageOptions, object, number][] = [
    [{}, {}, {}, 14 * 86_400],
    [{ maxAge: 60 }, {}, {}, 60],
    [{ maxAge: 60 }, {}, { maxAge: 90 }, 90],
    [{}, { idleTimeout: 30 }, {}, 30],
    [{}, { absoluteTimeout: 30 }, { maxAge: 90 }, 30],
  ];
  const formats: SessionCookieOptions[] = [
    {},
    { format: "react-router" },
    { format: "remix" },
  ];
  for (const [cookie, options, commitOptions, seconds] of cases) {
    for (const format of formats) {
      // Without its own lifetime, an older format does not contain one.
      const timed = !format.format || "idleTimeout" in options ||
        "absoluteTimeout" in options || "maxAge" in commitOptions;
      const { clock, events, storage, commit } = setUp(
        { ...cookie, ...format },
        options,
      );
      const header = await commit({ a: 1 }, commitOptions);
      clock.time += seconds * 1000 - 1;
      assertEquals(
        (await storage.getSession(header)).size,
        1,
        rowName(cookie, format),
      );
      clock.time += 1;
      if (!timed) continue;
      assertEquals(
        (await storage.getSession(header)).size,
        0,
        rowName(cookie, format),
      );
      assertEquals(events.at(-1), "expired", rowName(cookie, format));
      clock.time = NaN;
      assertEquals(
        (await storage.getSession(header)).size,
        0,
        rowName(cookie, format),
      );
    }
  }
});

Deno.test("createCookieSessionStorage() keeps sessions, when their lifetime exceeds all dates", async () => {
  for (const maxAge of [400 * 86_400, 1e12, Number.MAX_SAFE_INTEGER, 1e300]) {
    for (const format of ["satchel", "react-router", "remix"] as const) {
      const { clock, storage, commit } = setUp({ format });
      const header = await commit({ a: 1 }, { maxAge });
      clock.pass(300 * 86_400);
      assertEquals((await storage.getSession(header)).size, 1, `${maxAge}`);
    }
  }
});

Deno.test("createCookieSessionStorage() moves the idle deadline and sends the cookie again, once per touchAfter", async () => {
  const { clock, storage, commit } = setUp({}, {
    idleTimeout: 100,
    touchAfter: 10,
  });
  const first = await commit({ a: 1 });
  clock.pass(9);
  const early = await storage.getSession(first);
  assertEquals(await storage.commitSession(early, { renew: false }), "");
  clock.pass(1);
  const session = await storage.getSession(first);
  const second = cookieHeader(
    await storage.commitSession(session, { renew: false }),
  );
  assertNotEquals(second, "");
  clock.pass(99);
  assertEquals((await storage.getSession(first)).size, 0);
  assertEquals((await storage.getSession(second)).size, 1);
});

Deno.test("createCookieSessionStorage() never moves the absolute deadline", async () => {
  const { clock, storage, commit } = setUp({}, { absoluteTimeout: 100 });
  let header = await commit({ n: 0 });
  for (let n = 1; n < 10; n++) {
    clock.pass(10);
    const session = await storage.getSession(header);
    assertEquals(session.get("n"), n - 1, rowName(n));
    session.set("n", n);
    session.regenerateId();
    header = cookieHeader(
      await storage.commitSession(session, { maxAge: 1e6 }),
    );
  }
  clock.pass(9.999);
  assertEquals((await storage.getSession(header)).size, 1);
  clock.pass(0.001);
  assertEquals((await storage.getSession(header)).size, 0);
});

Deno.test("createCookieSessionStorage() applies today's absolute timeout, when it was shortened", async () => {
  const before = setUp();
  const header = await before.commit({ a: 1 });
  const after = setUp({}, { absoluteTimeout: 60 });
  after.clock.pass(59.999);
  assertEquals((await after.storage.getSession(header)).size, 1);
  after.clock.pass(0.001);
  assertEquals((await after.storage.getSession(header)).size, 0);
  assertEquals(after.events, ["expired"]);
});

Deno.test("createCookieSessionStorage() changes the id and keeps the data, when it is regenerated", async () => {
  const { storage, commit } = setUp();
  const session = await storage.getSession(await commit({ a: 1 }));
  const before = session.id;
  session.regenerateId();
  const after = session.id;
  assertNotEquals(after, before);
  const next = await storage.getSession(
    cookieHeader(await storage.commitSession(session)),
  );
  assertEquals([next.id, next.data], [after, { a: 1 }]);
  assertFalse(session.dirty);
});

Deno.test("createCookieSessionStorage() sends nothing when nothing changed, and the cookie again with renew", async () => {
  const { storage, commit } = setUp();
  assertEquals(await storage.commitSession(await storage.getSession()), "");
  const session = await storage.getSession(await commit({ a: 1 }));
  assertEquals(await storage.commitSession(session, { renew: false }), "");
  assertNotEquals(await storage.commitSession(session), "");
});

Deno.test("createCookieSessionStorage() returns an empty session, when the cookie is not its own", async () => {
  const { events, storage, commit } = setUp();
  const header = await commit({ a: 1 });
  const text = cookieText(header);
  const other = setUp({ name: "other" });
  const plain = createCookie("__session", { secrets });
  const sealed = createCookie("__session", { secrets, encrypt: true });
  const memory = createMemorySessionStorage({
    cookie: { secrets, encrypt: true },
  });
  const remembered = await memory.getSession();
  remembered.set("a", 1);
  const foreign = [
    "__session=x",
    `__session=${text}x`,
    `__session=${text.slice(0, -1)}`,
    `__session=${cookieText(await other.commit({ a: 1 }))}`,
    cookieHeader(await plain.serialize("signed only")),
    cookieHeader(await sealed.serialize({ a: 1 })),
    cookieHeader(await sealed.serialize("text")),
    cookieHeader(await sealed.serialize('{"i":"a","d":[{"a":1},{}]}')),
    cookieHeader(await memory.commitSession(remembered)),
  ];
  for (const cookie of foreign) {
    events.length = 0;
    const session = await storage.getSession(cookie);
    assertEquals(session.size, 0, rowName(cookie));
    assertEquals(await storage.commitSession(session), "", rowName(cookie));
    assertEquals(events, ["rejected-cookie"], cookie);
  }
  assertEquals((await storage.getSession(header)).size, 1);
  assertEquals(
    (await memory.getSession(header)).size,
    0,
    "and no other storage takes it for an id",
  );
});

Deno.test("createCookieSessionStorage() returns an empty session, when the record in the cookie is corrupt", async () => {
  const { clock, events, storage } = setUp();
  const later = (clock.time + 1000).toString(36);
  const id = "a".repeat(24);
  const records = [
    "",
    "[",
    "[1]",
    "null",
    '[1,"",1,1,null,{},{}]',
    '[2,"x",1,1,null,1,null,{},{},{},null]',
    '[2,"",1,1,null,1,null,[],{},{},null]',
  ];
  for (const record of records) {
    events.length = 0;
    const session = await storage.read(`${id}.${later}.${record}`);
    assertEquals(session.size, 0, rowName(record));
    assertNotEquals(session.id, id, rowName(record));
    assertEquals(events, ["corrupt-record"], rowName(record));
    assertEquals(
      await storage.save(session, { renew: true }),
      null,
      rowName(record),
    );
  }
  for (
    const text of [
      "",
      `${id}.${later}`,
      `short.${later}.[]`,
      `${id}.-1.[]`,
      `${id}.${"z".repeat(12)}.[]`,
    ]
  ) {
    events.length = 0;
    assertEquals((await storage.read(text)).size, 0, rowName(text));
    assertEquals(events, ["rejected-cookie"], text);
  }
});

Deno.test("createCookieSessionStorage() reads cookies of an older application, only when accept names them", async () => {
  const legacy = createReactRouterCookie("__session", { secrets });
  const header = cookieHeader(
    await legacy.serialize({ userId: 7, __flash_notice__: "hi" }),
  );
  const strict = setUp();
  assertEquals((await strict.storage.getSession(header)).size, 0);
  assertEquals(strict.events, ["rejected-cookie"]);
  const { storage } = setUp({ accept: ["react-router"] });
  const session = await storage.getSession(header);
  assertEquals(session.get("notice"), "hi");
  assertEquals(session.data, { userId: 7 });
  const next = cookieHeader(await storage.commitSession(session));
  assertEquals((await strict.storage.getSession(next)).data, { userId: 7 });
});

Deno.test("createCookieSessionStorage() does not accept the text of an older cookie with another name as a session", async () => {
  // Older formats do not bind a value to its cookie's name. A text that visitors choose must not be accepted as a
  // session.
  const { clock, storage } = setUp({ accept: ["react-router", "remix"] });
  const record =
    `[2,"",${clock.time},${clock.time},null,1,null,{"admin":true},{},{},null]`;
  const forged = `${"a".repeat(24)}.${
    (clock.time + 1e6).toString(36)
  }.${record}`;
  for (const format of ["react-router", "remix"] as const) {
    const preference = createCookie("preference", { secrets, format });
    const text = cookieText(await preference.serialize(forged));
    const session = await storage.getSession(`__session=${text}`);
    assertEquals([session.size, session.get("admin")], [0, undefined], format);
  }
});

Deno.test("createCookieSessionStorage() returns an empty session, when an older cookie does not contain a session", async () => {
  for (const accept of ["react-router", "remix"] as const) {
    const { events, storage } = setUp({ accept: [accept] });
    const cookie = createCookie("__session", { secrets, format: accept });
    const values = accept === "remix"
      ? [
        "text",
        "{}",
        "null",
        '{"i":1}',
        '{"d":[]}',
        '{"d":[{},null]}',
        '{"d":[[],{}]}',
        "{",
      ]
      : ["text", null, 5, [], true];
    for (const value of values) {
      events.length = 0;
      const session = await storage.getSession(
        cookieHeader(await cookie.serialize(value)),
      );
      assertEquals(session.size, 0, rowName(accept, value));
      assertEquals(
        events,
        value === null ? [] : ["rejected-cookie"],
        String(value),
      );
    }
  }
  const { storage } = setUp({ accept: ["remix"] });
  const cookie = createCookie("__session", { secrets, format: "remix" });
  for (const i of [null, 5, "", "../x", "short"]) {
    const header = cookieHeader(
      await cookie.serialize(JSON.stringify({ i, d: [{ a: 1 }, {}] })),
    );
    const session = await storage.getSession(header);
    assertMatch(
      session.id,
      /^[\w-]{24}$/,
      "an id of ours instead of a malformed one",
    );
    assertEquals(session.get("a"), 1, rowName(i));
  }
});

Deno.test("createCookieSessionStorage() converts from each format to each other, with values and flashes", async () => {
  const formats = ["satchel", "react-router", "remix"] as const;
  for (const from of formats) {
    for (const to of formats) {
      const before = setUp({ format: from, encrypt: false }).storage;
      const session = await before.getSession();
      session.set("userId", 7);
      session.flash("notice", "hi");
      const header = cookieHeader(await before.commitSession(session));
      const accept = from === "satchel" ? [] : [from];
      const after = setUp({ format: to, accept, encrypt: false }).storage;
      const next = await after.getSession(header);
      assertEquals(next.get("notice"), "hi", rowName(from, to));
      assertEquals(next.data, { userId: 7 }, `${from} to ${to}`);
      next.set("more", 1);
      const last = await after.getSession(
        cookieHeader(await after.commitSession(next)),
      );
      assertEquals(last.data, { userId: 7, more: 1 }, rowName(from, to));
      assertEquals(last.has("notice"), false, rowName(from, to));
    }
  }
});

Deno.test("createCookieSessionStorage() throws, names keys and limit, and keeps the session usable, when it is too large", async () => {
  for (
    const cookie of [{}, { encrypt: false }, { format: "react-router" }, {
      format: "remix",
    }] as const
  ) {
    const { storage, commit } = setUp(cookie);
    const session = await storage.getSession(await commit({ kept: 1 }));
    session.set("cart", "x".repeat(4000));
    session.flash("letter", "y".repeat(500));
    const error = await assertSessionError(
      () => storage.commitSession(session),
      "too-large",
      "the limit of a cookie is 4096",
      '"cart" (4002 bytes), "letter" (502 bytes), "kept" (1 bytes)',
      { row: rowName(cookie) },
    );
    assertFalse(error.message.includes("xx"), rowName(cookie));
    assert(session.dirty, "a later save makes up for it");
    session.regenerateId();
    session.unset("cart");
    const next = await storage.getSession(
      cookieHeader(await storage.commitSession(session)),
    );
    assertEquals(next.get("letter"), "y".repeat(500), rowName(cookie));
    assertEquals(next.data, { kept: 1 }, rowName(cookie));
  }
});

Deno.test("createCookieSessionStorage() accepts a cookie of exactly 4,096 bytes", async () => {
  for (
    const cookie of [{}, { encrypt: false }, { format: "react-router" }, {
      format: "remix",
    }] as const
  ) {
    const { storage } = setUp(cookie);
    let largest = 0;
    let [low, high] = [1000, 4096];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const session = await storage.getSession();
      session.set("a", "x".repeat(middle));
      try {
        const header = cookieHeader(await storage.commitSession(session));
        largest = Math.max(largest, header.length - 1);
        assertEquals(
          (await storage.getSession(header)).get("a").length,
          middle,
          rowName(cookie),
        );
        low = middle;
      } catch {
        high = middle - 1;
      }
    }
    // Base64 grows in steps of four letters, percent-encoded ones of six.
    assert(largest <= 4096 && largest > 4096 - 8, `${largest}`);
  }
});

Deno.test("createCookieSessionStorage() keeps the session usable, when a value is not JSON", async () => {
  const { storage, commit } = setUp();
  const session = await storage.getSession(await commit({ a: 1 }));
  session.set("bad", [new Map()]);
  await assertSessionError(
    () => storage.commitSession(session),
    "unserializable",
    'Cannot store "bad[0]": an instance of Map is not JSON; convert it to a string or a plain object',
  );
  session.set("bad", 2);
  const next = cookieHeader(await storage.commitSession(session));
  assertEquals((await storage.getSession(next)).data, { a: 1, bad: 2 });
});

Deno.test("createCookieSessionStorage() throws and says what to change, when its cookie does not have secrets", () => {
  for (
    const options of [
      { cookie: {} },
      { cookie: { secrets: [] } },
      { cookie: createCookie("__session") },
      createCookie("__session"),
    ]
  ) {
    assertThrows(
      () => createCookieSessionStorage(options as Cookie),
      TypeError,
      'Cannot use cookie "__session": a cookie storage requires secrets',
      rowName(options),
    );
  }
  assertThrows(
    () => createCookieSessionStorage({ cookie: { encrypt: true } }),
    TypeError,
    "encrypt requires secrets",
  );
});

const unknownOption = (name: string, nearest: string) =>
  `Cannot create storage: unknown option "${name}"; the nearest known one is "${nearest}"`;

Deno.test("createCookieSessionStorage() throws and says what to change, when its argument is invalid", () => {
  const shape =
    "Cannot use cookie: it must have name, isSigned, parse and serialize; create it with createCookie, and pass it as { cookie }";
  const { name, parse, serialize } = createCookie("own", { secrets });
  // deno-lint-ignore no-explicit-any -- what no type allows
  const cases: [any, string][] = [
    [createRemixCookie("theirs", { secrets }), shape],
    [{ name, parse }, shape],
    [{ name, serialize }, shape],
    [{ isSigned: true, parse, serialize }, shape],
    [
      { name: "own", secrets },
      "Cannot create storage: name is an option of the cookie; write { cookie: { name: … } }",
    ],
    [
      { secrets },
      "Cannot create storage: secrets is an option of the cookie; write { cookie: { secrets: … } }",
    ],
    [
      { cookie: { secrets }, maxAge: 60 },
      "Cannot create storage: maxAge is an option of the cookie; write { cookie: { maxAge: … } }",
    ],
    [{ idleTimout: 60 }, unknownOption("idleTimout", "idleTimeout")],
    [{ maxSessions: 60 }, unknownOption("maxSessions", "maxPerOwner")],
    [
      "own",
      "Cannot create storage: options must be an object, received a string",
    ],
    [null, "Cannot create storage: options must be an object, received null"],
    [60, "Cannot create storage: options must be an object, received a number"],
  ];
  for (const [options, message] of cases) {
    const error = assertThrows(
      () => createCookieSessionStorage(options),
      TypeError,
      undefined,
      rowName(options),
    );
    assertEquals(error.message, message, rowName(options));
  }
  const none = { cookie: undefined, idleTimeout: 60, maxAge: undefined };
  createCookieSessionStorage(none);
});

Deno.test("createCookieSessionStorage() reads and saves texts, and throws when its cookie is used, when it was created without a cookie", async () => {
  const storage = createCookieSessionStorage();
  for (
    const use of [
      () => storage.getSession(),
      () => storage.commitSession(createSession({ a: 1 })),
      () => storage.commitCookie(createSession({ a: 1 })),
      () => storage.destroySession(createSession()),
    ]
  ) {
    await assertRejects(
      use,
      TypeError,
      "a cookie storage requires secrets",
      rowName(use),
    );
  }
  const session = await storage.read(null);
  session.set("a", "x".repeat(5000));
  const text = await storage.save(session);
  assertEquals((await storage.read(text)).get("a").length, 5000);
  session.destroy();
  assertEquals(await storage.save(session), "");
});

Deno.test("createCookieSessionStorage() works with the cookie of another library, when it is signed", async () => {
  const cookie = createReactRouterCookie("theirs", { secrets, maxAge: 60 });
  const { getSession, commitSession } = createCookieSessionStorage({ cookie });
  const session = await getSession();
  session.set("a", 1);
  const setCookie = await commitSession(session);
  assertMatch(setCookie, /^theirs=.*Max-Age=60/);
  const next = await getSession(cookieHeader(setCookie));
  assertEquals(next.data, { a: 1 });
});

Deno.test("createCookieSessionStorage() keeps a session, when the application chose its id", async () => {
  const { getSession, commitSession } = createCookieSessionStorage({
    cookie: { secrets: ["s3cr3t"] },
  });
  for (const id of ["short", "a.b", "x".repeat(65), "i".repeat(30)]) {
    const session = createSession({ userId: "ann" }, id);
    const cookie = (await commitSession(session)).split(";")[0];
    const read = await getSession(cookie);
    assertEquals(read.get("userId"), "ann", rowName(id));
    assertEquals(read.id, session.id, rowName(id));
  }
});

Deno.test("createCookieSessionStorage() refuses a typed cookie of remix-utils, and says what to pass", () => {
  // As createTypedCookie() of remix-utils makes it.
  const typed = {
    isTyped: true,
    name: "n",
    isSigned: true,
    parse: async () => null,
    serialize: async () => "",
  };
  assertThrows(
    () => createCookieSessionStorage({ cookie: typed }),
    TypeError,
    'Cannot use cookie "n": a typed cookie checks the data, and a cookie storage writes a text; pass the cookie that it is made of, and the schema to the storage',
  );
});
