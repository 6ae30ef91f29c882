/** Engines whose answers have a wrong type: the error names the member and what came, and never the value. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  createSession,
  createSessionStorage,
  type Engine,
  SessionError,
  type StorageGuarantees,
} from "../../mod.ts";
import { rowName } from "../_row.ts";

const guarantees: StorageGuarantees = {
  compareAndSet: true,
  reads: "strong",
  revoke: true,
  durable: true,
  shared: true,
  selfContained: false,
};

/** An id that the storage takes for one of its own. */
const { id } = createSession();

function storageOver(engine: Partial<Engine>, owner?: () => string) {
  return createSessionStorage({
    owner,
    engine: {
      guarantees,
      read: async () => null,
      write: async () => 1,
      delete: async () => true,
      ...engine,
    } as Engine,
  });
}

const records: [string, unknown, RegExp][] = [
  ["undefined", undefined, /read\(\) returned undefined; it must return \{/],
  ["a text", "secret", /read\(\) returned a string; it must return \{/],
  ["an empty list of rows", [], /value is undefined; it must be the string/],
  [
    "a value that a driver has parsed",
    { value: { secret: 1 }, version: 1, expires: 1 },
    /value is an object; it must be the string that was written/,
  ],
  [
    "a BIGINT as text",
    { value: "[]", version: 1, expires: "1712345678901" },
    /expires is a string; it must be a number of milliseconds \(many SQL drivers return a BIGINT as a string/,
  ],
  [
    "a BIGINT",
    { value: "[]", version: 1, expires: 1712345678901n },
    /expires is a bigint; it must be a number/,
  ],
  [
    "a Date",
    { value: "[]", version: 1, expires: new Date() },
    /expires is a date; it must be a number/,
  ],
  [
    "no version",
    { value: "[]", expires: 1 },
    /version is undefined; with compareAndSet it must be what write\(\) returned/,
  ],
];

for (const [name, found, message] of records) {
  Deno.test(`storage.read() names the wrong member, when the engine's read() returns ${name}`, async () => {
    const storage = storageOver({ read: async () => found as never });
    const error = await assertRejects(
      () => storage.read(id),
      SessionError,
    );
    assertEquals(error.code, "store-failed", name);
    assertMatch(error.message, message, name);
    assertEquals(/secret|1712345678901/.test(error.message), false, name);
  });
}

Deno.test("storage.save() refuses a write() that returns nothing, since the next save could not compare", async () => {
  const storage = storageOver({ write: async () => undefined });
  const session = await storage.read(null);
  session.set("userId", "u1");
  const error = await assertRejects(() => storage.save(session), SessionError);
  assertMatch(error.message, /write\(\) returned undefined; it must return/);
});

for (const answer of [undefined, 1, "OK", { changes: 1 }]) {
  Deno.test(`storage.save() refuses a delete() that returns ${rowName(answer)}, for a destroyed session`, async () => {
    let record: Awaited<ReturnType<Engine["read"]>> = null;
    const storage = storageOver({
      read: async () => record,
      async write(_, value, { expires }) {
        record = { value, version: 1, expires };
        return 1;
      },
      delete: async () => answer as never,
    });
    const session = await storage.read(null);
    session.set("userId", "u1");
    const value = await storage.save(session);
    const leaving = await storage.read(value);
    leaving.destroy();
    const error = await assertRejects(
      () => storage.save(leaving),
      SessionError,
    );
    assertMatch(error.message, /delete\(\) returned .*; it must return false/);
  });
}

Deno.test("listSessions() fails with store-failed, when owned() does not return records", async () => {
  const record = { key: "k", value: "[]", version: 1, expires: 1 };
  const answers = {
    nothing: undefined,
    keys: ["secret"],
    "records without a key": [{ ...record, key: undefined }],
    "a BIGINT as text": [record, { ...record, expires: "1712345678901" }],
  };
  for (const [name, answer] of Object.entries(answers)) {
    const owned = (async () => answer) as unknown as Engine["owned"];
    const storage = storageOver({ owned } as Engine, () => "ann");
    const error = await assertRejects(
      () => storage.listSessions("ann"),
      SessionError,
      undefined,
      name,
    );
    assertEquals(error.code, "store-failed", name);
    assertEquals(
      error.message,
      "Cannot read session: the engine's owned() must return records, as read() does, each with its key",
      name,
    );
  }
});
