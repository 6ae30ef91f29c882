import {
  createDenoKvSessionStorage,
  type KvLike,
  type SessionError,
  type SessionStorage,
} from "@satchel/session";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DenoKvEngine } from "../../storage/engines/deno_kv.ts";
import { rowName } from "../_row.ts";

interface Opened {
  readonly kv: KvLike;
  readonly commits: () => number;
  close(): void;
}

/** A database whose first commits, `times` of them, fail with `message`. It counts the commits. */
async function openKv(message: string, times: number): Promise<Opened> {
  const kv = await Deno.openKv(":memory:");
  let commits = 0;
  const failing: KvLike = {
    get: (key) => kv.get(key),
    atomic() {
      const transaction = kv.atomic();
      const { commit } = transaction;
      transaction.commit = () =>
        ++commits > times
          ? commit.call(transaction)
          : Promise.reject(new TypeError(message));
      return transaction;
    },
    close() {},
  };
  return { kv: failing, commits: () => commits, close: () => kv.close() };
}

/** A storage on such a database. */
async function setUp(
  message: string,
  times: number,
): Promise<Opened & { storage: SessionStorage }> {
  const opened = await openKv(message, times);
  return { ...opened, storage: createDenoKvSessionStorage({ kv: opened.kv }) };
}

Deno.test("save() tries again, however often another process is faster", async () => {
  const { storage, commits, close } = await setUp("database is locked", 60);
  try {
    const session = await storage.read(null);
    session.set("a", 1);
    const id = await storage.save(session);
    assertEquals((await storage.read(id)).get("a"), 1);
    assertEquals(commits(), 61);
  } finally {
    close();
  }
});

Deno.test("save() throws store-failed at once, when the database fails otherwise", async () => {
  const { storage, commits, close } = await setUp("value too large", Infinity);
  try {
    const session = await storage.read(null);
    session.set("a", 1);
    const error = await assertRejects(() => storage.save(session));
    assertEquals((error as SessionError).code, "store-failed");
    assertEquals(String((error as Error).cause), "TypeError: value too large");
    assertEquals(commits(), 1);
  } finally {
    close();
  }
});

Deno.test("write() and delete() fail, when the database stays locked for longer than they may take", async () => {
  const { kv, close } = await openKv("database is locked", Infinity);
  const engine = new DenoKvEngine(kv, "session", Date.now, 0);
  const options = { expires: Infinity };
  try {
    await assertRejects(
      () => engine.write("key", "{}", options),
      TypeError,
      "database is locked",
    );
    await assertRejects(
      () => engine.delete("key"),
      TypeError,
      "database is locked",
    );
  } finally {
    close();
  }
});

Deno.test("save() accepts the latest deadline that a Date can express", async () => {
  using kv = await Deno.openKv(":memory:");
  const storage = createDenoKvSessionStorage({ kv, cookie: {} });
  const session = await storage.getSession();
  session.set("a", 1);
  const expires = new Date(8.64e15);
  const setCookie = await storage.commitSession(session, { expires });
  assertEquals((await storage.getSession(setCookie.split(";")[0])).size, 1);
});

Deno.test("createDenoKvSessionStorage() refuses prefixes that are too long, or that the database would change", () => {
  for (
    const [prefix, message] of [
      ["\ud800", "a well-formed string"],
      ["x".repeat(1901), "at most 1900 bytes"],
      ["ü".repeat(951), "at most 1900 bytes"],
    ] as const
  ) {
    assertThrows(
      () => createDenoKvSessionStorage({ prefix }),
      TypeError,
      message,
      rowName(prefix),
    );
  }
});

Deno.test("save() accepts the longest prefix", async () => {
  using kv = await Deno.openKv(":memory:");
  const prefix = "ü".repeat(950);
  const storage = createDenoKvSessionStorage({ kv, prefix });
  const session = await storage.read(null);
  session.set("a", 1);
  assertEquals((await storage.read(await storage.save(session))).size, 1);
});
