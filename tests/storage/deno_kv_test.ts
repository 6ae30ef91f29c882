import {
  createDenoKvSessionStorage,
  type KvLike,
  type SessionError,
  type SessionStorage,
} from "@satchel/session";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { rowName } from "../_row.ts";

/** A storage on a database whose first commits, `times` of them, fail with `message`. It counts the commits. */
async function setUp(
  message: string,
  times: number,
): Promise<{ storage: SessionStorage; commits: () => number; close(): void }> {
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
  return {
    storage: createDenoKvSessionStorage({ kv: failing }),
    commits: () => commits,
    close: () => kv.close(),
  };
}

Deno.test("save() tries again, when another process is writing to the database", async () => {
  const { storage, commits, close } = await setUp("database is locked", 5);
  try {
    const session = await storage.read(null);
    session.set("a", 1);
    const id = await storage.save(session);
    assertEquals((await storage.read(id)).get("a"), 1);
    assertEquals(commits(), 6);
  } finally {
    close();
  }
});

for (
  const [message, expected] of [["database is locked", 50], [
    "value too large",
    1,
  ]] as const
) {
  Deno.test(`save() throws store-failed after ${expected} tries, when each fails with "${message}"`, async () => {
    const { storage, commits, close } = await setUp(message, Infinity);
    try {
      const session = await storage.read(null);
      session.set("a", 1);
      const error = await assertRejects(() => storage.save(session));
      assertEquals((error as SessionError).code, "store-failed");
      assertEquals(String((error as Error).cause), `TypeError: ${message}`);
      assertEquals(commits(), expected);
    } finally {
      close();
    }
  });
}

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
