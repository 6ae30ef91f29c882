import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { inspect } from "node:util";
import {
  createSession,
  isSession,
  Session,
  stateOf,
} from "../../core/session.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { rowName } from "../_row.ts";
import { assertSessionError } from "./_support.ts";

/** The session that the next request reads. */
async function next(
  storage: SessionStorage,
  session: Session,
): Promise<Session> {
  return await storage.read(await storage.save(session));
}

const hostileKeys = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "toJSON",
  "then",
  "get",
  "set",
  "save",
  "id",
  "data",
  "size",
  "cookie",
  "destroy",
  "",
  " ",
  "0",
  "length",
  "a.b",
  "ü😀",
  "\ud800",
  "\0",
  "__flash_x__",
  "__satchel__",
];

Deno.test("session.get() returns the values that were set, including null", () => {
  const session = createSession();
  for (const value of [null, false, 0, "", "text", [1], { a: 1 }]) {
    session.set("key", value);
    assertStrictEquals(session.get("key"), value, rowName(value));
    assert(session.has("key"), rowName(value));
  }
  assertEquals(session.size, 1);
  assertEquals(session.get("missing"), undefined);
  assertFalse(session.has("missing"));
});

Deno.test("session.set() removes the value, when it is undefined", () => {
  const session = createSession({ a: 1, b: 2 });
  session.flash("a", 3);
  session.set("a", undefined);
  assertFalse(session.has("a"));
  assertEquals(session.get("a"), undefined);
  assertEquals(session.data, { b: 2 });
  assertEquals(session.size, 1);
});

Deno.test("session.flash() sets a value that is read once and stays until then", async () => {
  const storage = createMemorySessionStorage();
  let session = await storage.read(null);
  session.flash("notice", "hi");
  assert(session.has("notice"), "within the same request, too");
  session = await next(storage, session);
  session.set("other", 1);
  session = await next(storage, session);
  assert(session.has("notice"), "has() does not consume");
  assert(session.has("notice"));
  assertEquals(session.get("notice"), "hi");
  assertEquals(session.get("notice"), undefined);
  assertFalse(session.has("notice"));
  session = await next(storage, session);
  assertEquals(session.get("notice"), undefined);
  assertEquals(session.get("other"), 1);
});

Deno.test("session.get() removes a flash, when the same request has set it", async () => {
  const storage = createMemorySessionStorage();
  let session = await storage.read(null);
  session.set("kept", 1);
  session.flash("notice", "hi");
  assertEquals(session.get("notice"), "hi");
  session = await next(storage, session);
  assertFalse(session.has("notice"));
});

Deno.test("session.get() returns the flash again in the next request, when this one was not saved", async () => {
  const storage = createMemorySessionStorage();
  const session = await storage.read(null);
  session.flash("notice", "hi");
  const id = await storage.save(session);
  assertEquals((await storage.read(id)).get("notice"), "hi");
  assertEquals((await storage.read(id)).get("notice"), "hi");
});

Deno.test("session.get() returns the value first, when a flash has the same key", async () => {
  const storage = createMemorySessionStorage();
  let session = await storage.read(null);
  session.set("key", "value");
  session.flash("key", "flash");
  assertEquals(session.size, 2);
  session = await next(storage, session);
  assertEquals(session.get("key"), "value");
  assertEquals(session.get("key"), "value");
  assertEquals(session.size, 2);
  session.set("key", "changed");
  session = await next(storage, session);
  assertEquals(session.size, 2, "setting the value leaves the flash");
  session.unset("key");
  assertEquals(session.size, 0, "unset removes both");
  session = await next(storage, session);
  assertEquals(session.size, 0);
});

Deno.test("session.flash() replaces a flash, and removes it when the value is undefined", async () => {
  const storage = createMemorySessionStorage();
  let session = await storage.read(null);
  session.flash("a", 1);
  session.flash("a", 2);
  session.flash("b", 1);
  session.set("c", 1);
  session = await next(storage, session);
  session.flash("a", 3);
  session.flash("b", undefined);
  assertFalse(session.has("b"));
  session = await next(storage, session);
  assertFalse(session.has("b"));
  assertEquals(session.get("a"), 3);
  session.flash("a", null);
  session = await next(storage, session);
  assert(session.has("a"));
  assertEquals(session.get("a"), null);
  assertFalse(session.has("a"));
});

Deno.test("session.data is a copy of the values and the unread flashes, and reading it consumes none", () => {
  const session = createSession<Record<string, unknown>>({ a: 1, n: null });
  session.flash("f", { text: "hi" });
  const all = { a: 1, n: null, __flash_f__: { text: "hi" } };
  const data = session.data as Record<string, unknown>;
  assertEquals(data, all);
  data["b"] = 2;
  delete data["a"];
  delete data["__flash_f__"];
  assertEquals(session.data, all);
  assertEquals(session.get("f"), { text: "hi" });
  assertEquals(session.data, { a: 1, n: null });
});

Deno.test("session.data has the flashes that a storage has read, and none that the request does not see", async () => {
  const storage = createMemorySessionStorage({ cookie: { name: "s" } });
  const session = await storage.getSession();
  session.flash("f", 1);
  const cookie = (await storage.commitSession(session)).split(";")[0];
  assertEquals((await storage.getSession(cookie)).data, { __flash_f__: 1 });
  const next = await storage.getSession(cookie);
  next.unset("f");
  assertEquals(next.data, {});
});

Deno.test("session.dirty says whether there is anything to save", async () => {
  const storage = createMemorySessionStorage();
  const stored = async () => {
    const session = await storage.read(null);
    session.set("list", [1]);
    session.set("text", "a");
    session.flash("notice", "hi");
    return await storage.read(await storage.save(session));
  };
  const changes: [string, (session: Session) => void, boolean][] = [
    ["nothing", () => {}, false],
    [
      "has, size, data, id",
      (s) => [s.has("notice"), s.size, s.data, s.id],
      false,
    ],
    ["get a value", (s) => s.get("list"), false],
    ["get what is missing", (s) => s.get("missing"), false],
    ["unset what is missing", (s) => s.unset("missing"), false],
    ["set", (s) => s.set("new", 1), true],
    ["set the same", (s) => s.set("text", "a"), true],
    ["set and unset again", (s) => (s.set("new", 1), s.unset("new")), false],
    ["unset", (s) => s.unset("text"), true],
    ["get the flash", (s) => s.get("notice"), true],
    ["flash", (s) => s.flash("more", 1), true],
    ["flash and get again", (s) => (s.flash("more", 1), s.get("more")), false],
    ["push", (s) => s.get("list").push(2), true],
    [
      "push and pop",
      (s) => (s.get("list").push(2), s.get("list").pop()),
      false,
    ],
    ["push through data", (s) => s.data["list"].push(2), true],
    ["regenerateId", (s) => s.regenerateId(), true],
    ["destroy", (s) => s.destroy(), true],
  ];
  for (const [what, change, expected] of changes) {
    const session = await stored();
    change(session);
    assertEquals(session.dirty, expected, what);
  }
  const session = await stored();
  session.set("new", 1);
  await storage.save(session);
  assertFalse(session.dirty, "after a save");
  session.get("list").push(9);
  assert(session.dirty, "changed in place after a save");
});

Deno.test("session.get() returns values that can be changed in place", async () => {
  const storage = createMemorySessionStorage();
  let session = await storage.read(null);
  session.set("cart", { items: [{ sku: "tea", count: 1 }] });
  session = await next(storage, session);
  session.get("cart").items[0].count++;
  session = await next(storage, session);
  assertEquals(session.get("cart"), { items: [{ sku: "tea", count: 2 }] });
  session.data["cart"].items.push({ sku: "cup", count: 1 });
  session = await next(storage, session);
  assertEquals(session.get("cart").items.length, 2);
});

Deno.test("session.get() returns a separate copy to each request", async () => {
  const storage = createMemorySessionStorage();
  const first = await storage.read(null);
  const mine = [1];
  first.set("list", mine);
  const id = await storage.save(first);
  mine.push(2);
  const one = await storage.read(id);
  const two = await storage.read(id);
  assertEquals(one.get("list"), [1]);
  assertNotStrictEquals(one.get("list"), two.get("list"));
  assertStrictEquals(one.get("list"), one.get("list"));
});

Deno.test("session.set() keeps the value itself, so that a change before the save is saved", async () => {
  const storage = createMemorySessionStorage();
  const session = await storage.read(null);
  const list = [1];
  session.set("list", list);
  list.push(2);
  assertEquals((await next(storage, session)).get("list"), [1, 2]);
});

Deno.test("session.regenerateId() keeps data and flashes under a new id, and revokes the old one", async () => {
  const storage = createMemorySessionStorage();
  let session = await storage.read(null);
  session.set("userId", 7);
  session.flash("notice", "hi");
  const before = await storage.save(session);
  session = await storage.read(before);
  session.regenerateId();
  assertNotEquals(session.id, before);
  const after = await storage.save(session);
  assertEquals(after, session.id);
  assertEquals((await storage.read(before)).size, 0);
  session = await storage.read(after);
  assertEquals(session.get("notice"), "hi");
  assertEquals(session.data, { userId: 7 });
});

Deno.test("session.regenerateId() keeps the old record unchanged, when keepOld is set", async () => {
  const storage = createMemorySessionStorage();
  // deno-lint-ignore no-explicit-any -- Remix 3 passes a boolean
  const cases: [any[], boolean][] = [
    [[], false],
    [[{}], false],
    [[{ keepOld: false }], false],
    [[{ keepOld: true }], true],
    [[true], false],
    [[false], false],
    [[undefined], false],
  ];
  for (const [args, kept] of cases) {
    let session = await storage.read(null);
    session.set("step", 1);
    const before = await storage.save(session);
    session = await storage.read(before);
    session.regenerateId(...args);
    session.set("step", 2);
    const after = await storage.save(session);
    assertEquals(
      (await storage.read(before)).get("step"),
      kept ? 1 : undefined,
      rowName(args),
    );
    assertEquals((await storage.read(after)).get("step"), 2, rowName(args));
  }
});

Deno.test("session.regenerateId() revokes the old id, when one of several calls does", async () => {
  const storage = createMemorySessionStorage();
  for (const calls of [[true, false], [false, true], [true, true]]) {
    let session = await storage.read(null);
    session.set("step", 1);
    const before = await storage.save(session);
    session = await storage.read(before);
    for (const keepOld of calls) session.regenerateId({ keepOld });
    await storage.save(session);
    assertEquals(
      (await storage.read(before)).has("step"),
      calls.every(Boolean),
      rowName(calls),
    );
  }
});

Deno.test("session.setMaxAge() sets a lifetime that later saves keep, until another is set", async () => {
  let time = 1e12;
  const storage = createMemorySessionStorage({ now: () => time });
  const session = await storage.read(null);
  session.set("userId", 7);
  session.setMaxAge(60);
  const id = await storage.save(session);
  assertFalse(session.dirty);
  time += 59_999;
  const again = await storage.read(id);
  again.set("more", 1);
  await storage.save(again);
  time += 59_999;
  const longer = await storage.read(id);
  assertEquals(longer.get("userId"), 7);
  longer.setMaxAge(600);
  assert(longer.dirty, "a lifetime is a change");
  await storage.save(longer);
  time += 599_999;
  assertEquals((await storage.read(id)).size, 2);
  time += 1;
  assertEquals((await storage.read(id)).size, 0);
});

Deno.test("session.setMaxAge() has no effect, when the save itself sets a lifetime", async () => {
  let time = 1e12;
  const storage = createMemorySessionStorage({ now: () => time });
  const session = await storage.read(null);
  session.set("userId", 7);
  session.setMaxAge(60);
  const id = await storage.save(session, { maxAge: 600 });
  time += 599_999;
  assertEquals((await storage.read(id)).size, 1);
});

Deno.test("session.setMaxAge() throws, when the lifetime is invalid", () => {
  const session = createSession();
  for (const seconds of [-1, NaN, Infinity, "60", null]) {
    assertThrows(
      () => session.setMaxAge(seconds as number),
      RangeError,
      "Cannot use maxAge: it must be a finite, non-negative number of seconds",
      rowName(seconds),
    );
  }
  assertFalse(session.dirty);
});

Deno.test("session.destroy() empties the session, and later changes throw destroyed", async () => {
  const session = createSession({ a: 1 });
  session.flash("f" as "a", 1);
  session.destroy();
  session.destroy();
  assert(session.destroyed);
  assert(session.dirty);
  assertEquals([session.size, session.data, session.get("a")], [
    0,
    {},
    undefined,
  ]);
  assertFalse(session.has("a"));
  for (
    const change of [
      () => session.set("a", 1),
      () => session.unset("a"),
      () => session.flash("a", 1),
      () => session.regenerateId(),
      () => session.setMaxAge(60),
    ]
  ) {
    await assertSessionError(
      change,
      "destroyed",
      "Cannot change session: it was destroyed",
      { row: rowName(change) },
    );
  }
});

Deno.test("session.set() throws late-change, when the response was already sent", async () => {
  const storage = createMemorySessionStorage();
  const before = await storage.read(null);
  before.set("a", [1]);
  before.flash("f", 1);
  const session = await storage.read(await storage.save(before));
  stateOf(session)!.close();
  const changes: [string, () => unknown][] = [
    ["change", () => session.set("b", 1)],
    ["change", () => session.set("a", undefined)],
    ["change", () => session.unset("a")],
    ["change", () => session.flash("b", 1)],
    ["change", () => session.regenerateId()],
    ["change", () => session.setMaxAge(60)],
    ["destroy", () => session.destroy()],
    ["read a flash of", () => session.get("f")],
  ];
  for (const [verb, change] of changes) {
    await assertSessionError(
      change,
      "late-change",
      `Cannot ${verb} session: its response has already been sent`,
      { row: verb },
    );
  }
  assertEquals(session.get("a"), [1], "values can still be read");
  assert(session.has("f"));
});

Deno.test("session.set() does not throw and is reported, when the visitor has left", async () => {
  const storage = createMemorySessionStorage();
  const before = await storage.read(null);
  before.flash("f", 1);
  const session = await storage.read(await storage.save(before));
  let late = 0;
  stateOf(session)!.abandon(() => late++);
  const changes: (() => unknown)[] = [
    () => session.set("b", 1),
    () => session.unset("b"),
    () => session.flash("b", 1),
    () => session.regenerateId(),
    () => session.setMaxAge(60),
    () => session.get("f"),
    () => session.destroy(),
  ];
  for (const [i, change] of changes.entries()) {
    change();
    assertEquals(late, i + 1, rowName(change));
  }
  await assertSessionError(() => session.set("b", 1), "destroyed");
  session.destroy();
  assertEquals(late, changes.length);
});

for (const key of hostileKeys) {
  Deno.test(`session.get() treats the key ${JSON.stringify(key)} as plain data`, async () => {
    const storage = createMemorySessionStorage();
    let session = await storage.read(null);
    assertEquals(session.get(key), undefined);
    assertFalse(session.has(key));
    assertEquals(session.size, 0);
    session.unset(key);
    assertFalse(session.dirty);

    session.set(key, { [key]: "value" });
    session = await next(storage, session);
    assertEquals(Object.entries(session.data), [[key, session.get(key)]]);
    assertEquals(Object.entries(session.get(key)), [[key, "value"]]);
    assertEquals(Object.getPrototypeOf(session.data), Object.prototype);

    session.unset(key);
    session.flash(key, "flashed");
    session = await next(storage, session);
    assertEquals([session.size, session.get(key)], [1, "flashed"]);
    session = await next(storage, session);
    assertEquals([session.size, session.get(key)], [0, undefined]);
    assertEquals(Object.hasOwn(Object.prototype, "value"), false);
  });
}

Deno.test("createSession() starts with its data, including hostile keys and undefined", () => {
  const data = JSON.parse('{"__proto__":{"admin":true},"a":1}');
  data.gone = undefined;
  const session = createSession<Record<string, unknown>>(data);
  assertEquals(session.size, 2);
  assertFalse(session.has("gone"));
  assertFalse(session.has("admin"));
  assertEquals(session.get("__proto__"), { admin: true });
  assertEquals(createSession().size, 0);
});

Deno.test("createSession() throws and says what to change, when data or id has the wrong type", () => {
  class Row {
    theme = "hush";
  }
  const order =
    "; pass (initialData, id), as in React Router, not (id, data), as in Remix 3";
  const data: [unknown, string][] = [
    ["hush", "a string"],
    ["", "a string"],
    [5, "a number"],
    [false, "a boolean"],
    [null, "null"],
    [["hush"], "an array"],
    [new Map([["theme", "hush"]]), "a map"],
    [new Row(), "an object"],
    [() => {}, "a function"],
  ];
  for (const [value, type] of data) {
    for (const make of [createSession, construct]) {
      const error = assertThrows(
        () => make(value as never),
        TypeError,
        undefined,
        rowName(value, make),
      );
      assertEquals(
        error.message,
        `Cannot create session: initialData must be a plain object, received ${type}${order}`,
        rowName(value, make),
      );
    }
  }
  const ids: [unknown, string][] = [
    [5, "a number"],
    [null, "null"],
    [{ theme: "hush" }, "an object"],
  ];
  for (const [value, type] of ids) {
    for (const make of [createSession, construct]) {
      const error = assertThrows(
        () => make({}, value as never),
        TypeError,
        undefined,
        rowName(value, make),
      );
      assertEquals(
        error.message,
        `Cannot create session: id must be a string, received ${type}${order}`,
        rowName(value, make),
      );
    }
  }
  for (const bare of [Object.create(null), undefined]) {
    assertEquals(createSession(bare, undefined).size, 0, rowName(bare));
  }
  function construct(...args: ConstructorParameters<typeof Session>) {
    return new Session(...args);
  }
});

Deno.test("createSession() creates an id of at least 128 random bits, when it is first read", () => {
  const drawn: number[] = [];
  const ids = new Set<string>();
  const generate = crypto.getRandomValues.bind(crypto);
  Object.defineProperty(crypto, "getRandomValues", {
    configurable: true,
    value(bytes: Uint8Array<ArrayBuffer>) {
      drawn.push(bytes.length);
      return generate(bytes);
    },
  });
  try {
    for (let i = 0; i < 200; i++) createSession({ a: 1 }).set("a", 2);
    assertEquals(drawn, [], "no randomness without a need");
    for (let i = 0; i < 1000; i++) ids.add(createSession().id);
  } finally {
    Reflect.deleteProperty(crypto, "getRandomValues");
  }
  assertEquals(ids.size, 1000);
  // 24 letters of base64url are 18 bytes.
  for (const id of ids) assertMatch(id, /^[\w-]{24}$/, rowName(id));
  assert(drawn.reduce((sum, size) => sum + size, 0) >= 1000 * 16 - 1536);
  const session = createSession();
  assertEquals(session.id, session.id);
  assertEquals(createSession({}, "given").id, "given");
});

Deno.test("isSession() recognizes only sessions of this library", async () => {
  assert(isSession(createSession()));
  assert(isSession(new Session()));
  assert(isSession(await createMemorySessionStorage().read(null)));
  const like = Object.create(Session.prototype);
  for (
    const value of [
      null,
      undefined,
      1,
      "s",
      {},
      like,
      { id: "a", data: {} },
      Session,
    ]
  ) {
    assertFalse(isSession(value), rowName(value));
  }
});

Deno.test("session is not a thenable, and does not expose its data by accident", async () => {
  const session = createSession({ password: "hush" });
  assertStrictEquals(await session, session);
  assertEquals(JSON.stringify(session), "{}");
  assertFalse(Deno.inspect(session).includes("hush"));
});

/** Runs a line of code in sloppy mode, as CommonJS does, and in strict mode. */
const modes: [string, (code: string, session: Session) => void][] = [
  ["sloppy", (code, session) => new Function("session", code)(session)],
  [
    "strict",
    (code, session) =>
      new Function("session", `"use strict"; ${code}`)(session),
  ],
];

const notPlain = "a session is not a plain object;";
const writes: [code: string, message: string][] = [
  [
    "session.userId = 7",
    `session.userId: ${notPlain} write session.set("userId", …)`,
  ],
  [
    "session.views = (session.views || 0) + 1",
    `session.views: ${notPlain} write session.set("views", …)`,
  ],
  [
    "session.cookie ??= {}",
    `session.cookie: ${notPlain} write session.set("cookie", …)`,
  ],
  [
    "Object.assign(session, { userId: 7 })",
    `session.userId: ${notPlain} write session.set("userId", …)`,
  ],
  [
    "Object.assign(session, { get() {} })",
    'session.get: it is a method; call session.get(…), or write session.set("get", …)',
  ],
  [
    "if (!Reflect.set(session, 'a b', 1)) throw 0",
    `session["a b"]: ${notPlain} write session.set("a b", …)`,
  ],
  ["session[0] = 1", `session["0"]: ${notPlain} write session.set("0", …)`],
  ["session.ü = 1", `session.ü: ${notPlain} write session.set("ü", …)`],
  [
    "session[Symbol('theme')] = 1",
    `session[Symbol(theme)]: ${notPlain} write session.set("theme", …)`,
  ],
  [
    "session.flash = session.flash || {}",
    'session.flash: it is a method; call session.flash(…), or write session.set("flash", …)',
  ],
  [
    "session.flash.info = []",
    'session.flash.info: all sessions share this method; call session.flash(…), or write session.set("info", …)',
  ],
  [
    "(session.flash.info = session.flash.info || []).push('hush')",
    'session.flash.info: all sessions share this method; call session.flash(…), or write session.set("info", …)',
  ],
  [
    "session.id = 'a'",
    'session.id: it is read-only; write session.set("id", …)',
  ],
  [
    "session.destroyed = true",
    'session.destroyed: it is read-only; write session.set("destroyed", …)',
  ],
  [
    "new Proxy(session, {}).userId = 7",
    `session.userId: ${notPlain} write session.set("userId", …)`,
  ],
];

for (const [mode, run] of modes) {
  Deno.test(`session throws when a property is assigned, and says what to write, in ${mode} mode`, () => {
    for (const [code, message] of writes) {
      const session = createSession({ theme: "dark" });
      const error = assertThrows(
        () => run(code, session),
        TypeError,
        undefined,
        rowName(code),
      );
      assertEquals(error.message, `Cannot set ${message}`, rowName(code));
      assertEquals(Reflect.ownKeys(session), [], rowName(code));
      assertEquals(session.data, { theme: "dark" }, rowName(code));
      assertFalse("info" in session.flash, rowName(code));
    }
  });

  Deno.test(`session throws when a member of any name is assigned, and works as before, in ${mode} mode`, () => {
    const names = [Session.prototype, Object.prototype]
      .flatMap(Object.getOwnPropertyNames);
    for (const name of [...names, ...hostileKeys]) {
      const session = createSession();
      assertThrows(
        () => run(`session[${JSON.stringify(name)}] = () => 1`, session),
        TypeError,
        "Cannot set session",
        rowName(name),
      );
      session.set(name, 1);
      assertEquals(session.get(name), 1, rowName(name));
    }
  });

  Deno.test(`session throws when a property of a method is assigned, in ${mode} mode`, () => {
    const members = Object.getOwnPropertyNames(Session.prototype) as "get"[];
    const session = createSession();
    const methods = members.filter((name) =>
      typeof session[name] === "function"
    );
    assert(methods.length >= 8);
    for (const name of methods) {
      assertThrows(
        () => run(`session.${name}.info = []`, session),
        TypeError,
        `Cannot set session.${name}.info: all sessions share this method`,
        rowName(name),
      );
    }
  });
}

Deno.test("session can be inspected, copied and compared as any object", async () => {
  const session = createSession({ password: "hush" });
  assertEquals(Deno.inspect(session), "Session {}");
  assertEquals(inspect(session), "Session {}");
  assertFalse(inspect(session, { showHidden: true }).includes("hush"));
  assertEquals(structuredClone(session) as unknown, {});
  assertEquals({ ...session } as unknown, {});
  const listed = [];
  for (const name in session) listed.push(name);
  assertEquals(listed, []);
  assertEquals(String(session), "[object Object]");
  assertEquals(session, session);
  assertNotEquals<unknown>(session, {});
  assert(session instanceof Session);
  assert(session instanceof Object);
  assertStrictEquals(session.constructor, Session);
  assert(session.get instanceof Function);
  assertEquals(session.get.name, "get");
  assertEquals(session.get.call(session, "password"), "hush");
  assertEquals(session.get.bind(session)("password"), "hush");
  const { then, toJSON, userId } = session as unknown as Record<
    string,
    unknown
  >;
  assertEquals([then, toJSON, userId], [undefined, undefined, undefined]);
  assertStrictEquals(await Promise.resolve(session), session);
});

Deno.test("session lets mocks define methods of their own, which can be taken back", () => {
  const session = createSession({ theme: "dark" });
  Object.defineProperty(session, "get", {
    configurable: true,
    value: () => "mocked",
  });
  assertEquals(session.get("theme"), "mocked");
  Reflect.deleteProperty(session, "get");
  assertEquals(session.get("theme"), "dark");
});

Deno.test("Session can have a subclass, with fields and methods of its own", () => {
  class Cart extends Session<{ items: string[] }> {
    #adds = 0;
    added = 0;
    add(item: string): void {
      this.set("items", [...this.get("items") ?? [], item]);
      this.added = ++this.#adds;
    }
    override has(key: "items"): boolean {
      return super.has(key) && this.get(key)?.length !== 0;
    }
  }
  const cart = new Cart();
  cart.add("tea");
  assert(isSession(cart));
  assert(cart.has("items"));
  assertEquals([cart.data, cart.added], [{ items: ["tea"] }, 1]);
  assertThrows(
    () => Object.assign(cart, { userId: 7 }),
    TypeError,
    "Cannot set session.userId",
  );
});

Deno.test("session.restart() throws and says what to write, when its argument is not an object with keep", () => {
  const session = createSession({ cart: ["tea"] });
  const cases: [unknown, string][] = [
    ["all", "Cannot restart session: options must be an object"],
    [["cart"], "unknown option"],
    [{ keeps: ["cart"] }, 'the nearest known one is "keep"'],
    [{ keep: "cart" }, 'keep must be an array of keys or "all"'],
    [{ keep: [1] }, 'keep must be an array of keys or "all"'],
  ];
  for (const [options, message] of cases) {
    assertThrows(
      () => session.restart(options as never),
      TypeError,
      message,
      rowName(options),
    );
  }
  assertEquals(session.data, { cart: ["tea"] });
});
