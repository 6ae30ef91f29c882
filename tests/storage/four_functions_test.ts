import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { assertSessionError, Clock, cookieHeader } from "../core/_support.ts";
import type { SessionEvent, StorageOptions } from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { rowName } from "../_row.ts";

interface Row {
  data: Record<string, unknown>;
  expires: Date | undefined;
}

/** An application's database: numbers as ids, copies in and out, rows that expire by `expires`. */
class Database {
  readonly rows: Map<string, Row> = new Map();
  calls: string[] = [];
  #ids = 0;

  readonly functions = {
    createData: async (data: object, expires?: Date): Promise<string> => {
      this.calls.push("create");
      const id = String(++this.#ids);
      this.rows.set(id, { data: structuredClone({ ...data }), expires });
      return id;
    },
    readData: async (id: string): Promise<Record<string, unknown> | null> => {
      this.calls.push("read");
      return structuredClone(this.rows.get(id)?.data ?? null);
    },
    updateData: async (
      id: string,
      data: object,
      expires?: Date,
    ): Promise<void> => {
      this.calls.push("update");
      this.rows.set(id, { data: structuredClone({ ...data }), expires });
    },
    deleteData: async (id: string): Promise<void> => {
      this.calls.push("delete");
      this.rows.delete(id);
    },
  };
}

function setUp(
  options: StorageOptions = {},
  cookie: { maxAge?: number; expires?: Date } = {},
) {
  const db = new Database();
  const clock = new Clock();
  const events: SessionEvent["type"][] = [];
  const storage = createSessionStorage({
    cookie: { secrets: ["s3cr3t"], ...cookie },
    now: clock.now,
    onEvent: ({ type }) => events.push(type),
    ...db.functions,
    ...options,
  });
  return { db, clock, events, storage };
}

Deno.test("createSessionStorage() stores one plain object by four functions, with flashes as in React Router", async () => {
  const { db, storage } = setUp();
  const session = await storage.getSession();
  session.set("userId", 7);
  session.set("__proto__", { a: 1 });
  session.flash("notice", "hi");
  const header = cookieHeader(await storage.commitSession(session));
  assertEquals(db.calls, ["create"]);
  assertEquals(
    JSON.stringify(db.rows.get("1")?.data),
    '{"userId":7,"__proto__":{"a":1},"__flash_notice__":"hi"}',
  );

  db.calls = [];
  const again = await storage.getSession(header);
  assertEquals(again.id, "1");
  assertEquals(again.get("notice"), "hi");
  (again.get("__proto__") as { a: number }).a = 2;
  await storage.commitSession(again);
  assertEquals(db.calls, ["read", "read", "update"]);
  assertEquals(
    JSON.stringify(db.rows.get("1")?.data),
    '{"userId":7,"__proto__":{"a":2}}',
  );

  db.calls = [];
  await storage.destroySession(await storage.getSession(header));
  assertEquals(db.calls, ["read", "delete"]);
  assertEquals(db.rows.size, 0);
});

Deno.test("createSessionStorage() passes the deadline to the database", async () => {
  const fixed = new Date(1_700_000_100_000);
  const cases: [StorageOptions, object, object, number][] = [
    [{}, {}, {}, 14 * 86_400],
    [{}, { maxAge: 60 }, {}, 60],
    [{}, { expires: fixed }, {}, 100],
    [{}, { maxAge: 60 }, { maxAge: 30 }, 30],
    [{}, { maxAge: 60 }, { expires: fixed }, 100],
    [{ idleTimeout: 20 }, { maxAge: 60 }, {}, 20],
    [{ absoluteTimeout: 10, idleTimeout: 20 }, {}, { maxAge: 90 }, 10],
  ];
  for (const [options, cookie, commit, seconds] of cases) {
    const { db, clock, storage } = setUp(options, cookie);
    const session = await storage.getSession();
    session.set("a", 1);
    await storage.commitSession(session, commit);
    assertEquals(
      db.rows.get("1")?.expires,
      new Date(clock.time + seconds * 1000),
      JSON.stringify({ options, cookie, commit }),
    );
  }
});

Deno.test("createSessionStorage() passes a valid date to the database, when the lifetime exceeds all dates", async () => {
  const { db, storage } = setUp();
  const session = await storage.getSession();
  session.set("a", 1);
  await storage.commitSession(session, { maxAge: Number.MAX_SAFE_INTEGER });
  assertEquals(db.rows.get("1")?.expires, new Date(8.64e15));
});

Deno.test("createSessionStorage() stores a deadline in the data, only when it needs one", async () => {
  for (
    const [options, commit, kept] of [
      [{}, {}, false],
      [{}, { maxAge: 60 }, true],
      [{ idleTimeout: 60 }, {}, true],
      [{ absoluteTimeout: 60 }, {}, true],
    ] as const
  ) {
    const { db, clock, events, storage } = setUp(options);
    const session = await storage.getSession();
    session.set("a", 1);
    const header = cookieHeader(await storage.commitSession(session, commit));
    assertEquals(
      "__satchel__" in db.rows.get("1")!.data,
      kept,
      rowName(options),
    );
    const again = await storage.getSession(header);
    assertEquals(again.data, { a: 1 }, rowName(options));
    clock.pass(60);
    assertEquals(
      (await storage.getSession(header)).size,
      kept ? 0 : 1,
      rowName(options),
    );
    assertEquals(events.includes("expired"), kept, rowName(options));
  }
});

Deno.test("createSessionStorage() moves the idle deadline by updateData", async () => {
  const { db, clock, storage } = setUp({ idleTimeout: 100, touchAfter: 10 });
  const session = await storage.getSession();
  session.set("a", 1);
  session.flash("notice", "hi");
  const header = cookieHeader(await storage.commitSession(session));
  clock.pass(10);
  db.calls = [];
  await storage.getSession(header);
  assertEquals(db.calls, ["read", "update"]);
  assertEquals(db.rows.get("1")?.expires, new Date(clock.time + 100_000));
  clock.pass(99);
  const kept = await storage.getSession(header);
  assertEquals([kept.get("a"), kept.get("notice")], [1, "hi"]);
});

Deno.test("createSessionStorage() reads what an older application stored, and applies today's timeouts", async () => {
  const { db, clock, storage } = setUp({ idleTimeout: 100 });
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  db.rows.set("1", {
    data: { userId: 7, __flash_notice__: "hi" },
    expires: undefined,
  });
  const old = await storage.getSession(header);
  assertEquals(old.get("notice"), "hi");
  assertEquals(old.data, { userId: 7 });
  await storage.commitSession(old);
  clock.pass(100);
  assertEquals((await storage.getSession(header)).size, 0);
});

Deno.test("createSessionStorage() adds a deadline to an unchanged record of an older application, when there are timeouts", async () => {
  for (const options of [{ idleTimeout: 100 }, { absoluteTimeout: 100 }]) {
    const { db, clock, storage } = setUp(options);
    const session = await storage.getSession();
    session.set("a", 1);
    const header = cookieHeader(await storage.commitSession(session));
    db.rows.set("1", { data: { userId: 7 }, expires: undefined });
    await storage.commitSession(await storage.getSession(header), {
      renew: false,
    });
    clock.pass(100);
    assertEquals((await storage.getSession(header)).size, 0, rowName(options));
  }
});

Deno.test("createSessionStorage() moves the deadline of an unchanged record of an older application, when it is rolling", async () => {
  const { db, clock, storage } = setUp({ rolling: true }, { maxAge: 1000 });
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  const expires = new Date(clock.time + 5_000);
  db.rows.set("1", { data: { userId: 7 }, expires });
  await storage.commitSession(await storage.getSession(header), {
    renew: false,
  });
  const moved = new Date(clock.time + 1_000_000);
  assertEquals(db.rows.get("1")?.expires, moved);
});

Deno.test("createSessionStorage() does not create a row again, when it was deleted in the meantime", async () => {
  const { db, events, storage } = setUp();
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  const late = await storage.getSession(header);
  late.set("a", 2);
  await storage.destroySession(await storage.getSession(header));
  assertEquals(await storage.commitSession(late), "");
  assertEquals(db.rows.size, 0);
  assertEquals(events.at(-1), "late-save");
});

/** A database whose client rejects a change to a missing row. */
function strict() {
  const db = new Database();
  const { updateData, deleteData } = db.functions;
  const must = (id: string) => {
    if (!db.rows.has(id)) throw new Error("no such row");
  };
  const failing = { update: false, delete: false };
  const storage = createSessionStorage({
    cookie: { secrets: ["s3cr3t"] },
    ...db.functions,
    async updateData(id, data, expires) {
      must(id);
      if (failing.update) throw new Error("read-only");
      await updateData(id, data, expires);
    },
    async deleteData(id) {
      must(id);
      if (failing.delete) throw new Error("read-only");
      await deleteData(id);
    },
  });
  return { db, storage, failing };
}

Deno.test("createSessionStorage() signs out twice in parallel, when deleting a missing row is an error", async () => {
  const { db, storage, failing } = strict();
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  const [one, two, three] = await Promise.all(
    [header, header, header].map((header) => storage.getSession(header)),
  );
  assert(one && two && three);
  const cleared = await storage.destroySession(one);
  assertEquals(await storage.destroySession(two), cleared);
  three.regenerateId();
  three.set("late", 1);
  assertEquals(await storage.commitSession(three), "");
  assertEquals(db.rows.size, 0);

  // A row that still exists was not deleted.
  const other = await storage.getSession();
  other.set("a", 1);
  await storage.commitSession(other);
  failing.delete = true;
  await assertSessionError(() => storage.destroySession(other), "store-failed");
});

Deno.test("createSessionStorage() reports late-save, when a row is deleted between read and update", async () => {
  const { db, storage, failing } = strict();
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  const late = await storage.getSession(header);
  late.set("b", 2);
  const { get } = db.rows;
  db.rows.get = (id) => {
    // The row is deleted right after the next read, which precedes the update.
    db.rows.get = get;
    const row = db.rows.get(id);
    db.rows.delete(id);
    return row;
  };
  assertEquals(await storage.commitSession(late), "");
  assertEquals(db.rows.size, 0);

  const other = await storage.getSession();
  other.set("a", 1);
  await storage.commitSession(other);
  other.set("b", 2);
  failing.update = true;
  await assertSessionError(() => storage.commitSession(other), "store-failed");
});

Deno.test("createSessionStorage() merges changes into the newest row", async () => {
  const { storage } = setUp();
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  const one = await storage.getSession(header);
  const two = await storage.getSession(header);
  one.set("one", 1);
  two.set("two", 2);
  await storage.commitSession(one);
  await storage.commitSession(two);
  assertEquals((await storage.getSession(header)).data, {
    a: 1,
    one: 1,
    two: 2,
  });
});

Deno.test("createSessionStorage() uses the new id of the database, when the id is regenerated", async () => {
  const { db, storage } = setUp();
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  const login = await storage.getSession(header);
  login.regenerateId();
  const next = cookieHeader(await storage.commitSession(login));
  assertEquals(login.id, "2");
  assertEquals([...db.rows.keys()], ["2"]);
  assertEquals((await storage.getSession(header)).size, 0);
  assertEquals((await storage.getSession(next)).data, { a: 1 });
});

Deno.test("createSessionStorage() does not pass an id with special characters to readData", async () => {
  const { db, storage } = setUp();
  const malformed = [
    "",
    "../x",
    "a..b",
    "a\\b",
    "a b",
    "a\0",
    "a\r\nb",
    "é",
    "*",
    "{a}",
    "a'b",
    "%2e",
    "a".repeat(257),
  ];
  for (const id of malformed) {
    const session = await storage.read(id);
    assertEquals(session.size, 0, rowName(id));
  }
  assertEquals(db.calls, []);
  for (
    const id of [
      "7",
      "00000000-0000-4000-8000-000000000000",
      "a/b+c==",
      "a".repeat(256),
    ]
  ) {
    await storage.read(id);
  }
  assertEquals(db.calls.length, 4);
});

Deno.test("createSessionStorage() throws store-failed, when createData does not return a usable id", async () => {
  for (const id of [undefined, null, "", "a b", "../x", {}, "a".repeat(257)]) {
    const { storage } = setUp(
      { createData: async () => id } as StorageOptions,
    );
    const session = await storage.getSession();
    session.set("a", 1);
    const allowed = id === undefined || id === null;
    if (allowed) continue; // "undefined" is a valid id, and cannot be distinguished from a mistake
    await assertSessionError(
      () => storage.commitSession(session),
      "store-failed",
      "Cannot save session: createData must return an id",
      { row: rowName(id) },
    );
  }
});

Deno.test("createSessionStorage() throws store-failed, when the database fails or returns garbage", async () => {
  const cause = new Error("connection lost");
  const { db, storage } = setUp();
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  const fail = () => Promise.reject(cause);
  const bad = setUp({ readData: fail } as StorageOptions);
  const error = await assertSessionError(
    () => bad.storage.getSession(header),
    "store-failed",
  );
  assertEquals(error.cause, cause);

  for (const answer of [() => {}, 5n, Symbol()]) {
    const { storage } = setUp(
      { readData: async () => answer } as StorageOptions,
    );
    await assertSessionError(() => storage.getSession(header), "store-failed", {
      row: rowName(answer),
    });
  }
  for (const answer of [5, "text", true, []]) {
    const { storage, events } = setUp(
      { readData: async () => answer } as StorageOptions,
    );
    const session = await storage.getSession(header);
    assertEquals(session.size, 0, rowName(answer));
    assertEquals(events, ["corrupt-record"], rowName(answer));
  }
  assertEquals(db.rows.size, 1);
});

Deno.test("createSessionStorage() throws for keys that its format reserves", async () => {
  const { storage } = setUp();
  for (const key of ["__satchel__", "__flash_x__"]) {
    const session = await storage.getSession();
    session.set(key, 1);
    await assertSessionError(
      () => storage.commitSession(session),
      "unserializable",
      `Cannot store "${key}": React Router's format reserves this key`,
      { row: key },
    );
  }
});

Deno.test("createSessionStorage() treats a row as absent, when the deadline in it is damaged", async () => {
  const { db, storage, events } = setUp();
  const session = await storage.getSession();
  session.set("a", 1);
  const header = cookieHeader(await storage.commitSession(session));
  for (
    const meta of [
      null,
      5,
      [],
      [1, 2, 3],
      [1, 2, null, "x"],
      [1, 2, "x", 4],
      {},
    ]
  ) {
    db.rows.set("1", { data: { a: 1, __satchel__: meta }, expires: undefined });
    assertEquals(
      (await storage.getSession(header)).data,
      {},
      rowName(meta),
    );
    assertEquals(events.splice(0).at(-1), "corrupt-record", rowName(meta));
  }
});

Deno.test("createSessionStorage() throws and says what to change, when a function is missing", () => {
  const { functions } = new Database();
  for (const name of ["createData", "readData", "updateData", "deleteData"]) {
    const error = assertThrows(() =>
      createSessionStorage(
        { cookie: {}, ...functions, [name]: undefined } as never,
      ), name);
    assertInstanceOf(error, TypeError, name);
    assertEquals(
      error.message,
      `Cannot create storage: ${name} must be a function; pass all of createData, readData, updateData, deleteData, or an engine`,
      name,
    );
  }
  for (const options of [undefined, null, "a database"]) {
    assertThrows(
      () => createSessionStorage(options as never),
      TypeError,
      "Cannot create storage: options must be an object",
      rowName(options),
    );
  }
});

Deno.test("createSessionStorage() declares the guarantees of the four functions", () => {
  const { storage } = setUp();
  assertFalse(storage.guarantees?.compareAndSet);
  assert(storage.guarantees?.revoke);
});

Deno.test("createSessionStorage() finds a numeric id again, in every format of its cookie", async () => {
  for (const format of ["satchel", "react-router", "remix"] as const) {
    const db = new Database();
    const storage = createSessionStorage({
      cookie: { secrets: ["s3cr3t"], format },
      ...db.functions,
    });
    const session = await storage.getSession();
    session.set("a", 1);
    const header = cookieHeader(await storage.commitSession(session));
    assertEquals((await storage.getSession(header)).id, "1", rowName(format));
    assertEquals(
      (await storage.getSession(header)).get("a"),
      1,
      rowName(format),
    );
  }
});
