// The items, attributes and limits of DynamoDB. The conformance suite tests the rest.
import { assert, assertEquals } from "@std/assert";
import { hashId } from "../../core/keys.ts";
import {
  createDynamoDBSessionStorage,
  type DynamoDBDocumentLike,
  type SessionEvent,
} from "../../mod.ts";
import { DynamoDBEngine } from "../../storage/engines/dynamodb/engine.ts";
import { assertSessionError, Clock } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { PACKAGES, startDynamoDB } from "./_dynamodb.ts";
import { withPackages } from "./_packages.ts";

const KEY = "k".repeat(43);
const cookie = { name: "session", secrets: ["s3cr3t"] };

await withPackages(
  "DynamoDB (dynalite, AWS SDK)",
  PACKAGES,
  startDynamoDB,
  (local) => {
    const { document } = local;

    async function setUp(idx?: string, ttl?: string) {
      const table = await local.table(undefined, idx);
      const clock = new Clock(Date.now());
      const events: SessionEvent["type"][] = [];
      const calls: string[] = [];
      const names = { table, idx, ttl };
      const storage = createDynamoDBSessionStorage({
        client: counted(document, calls),
        now: clock.now,
        onEvent: ({ type }) => events.push(type),
        cookie,
        ...names,
      });
      const store = async (data: object, maxAge?: number): Promise<string> => {
        const session = await storage.read(null);
        for (const [key, value] of Object.entries(data)) {
          session.set(
            key,
            value,
          );
        }
        return await storage.save(session, { maxAge }) ?? "";
      };
      const at = (id: string) => ({
        TableName: table,
        Key: { [idx ?? "_idx"]: hashId(id) },
      });
      return {
        engine: new DynamoDBEngine(document, names),
        storage,
        table,
        clock,
        events,
        calls,
        store,
        item: async (id: string) => (await document.get(at(id))).Item,
        edit: (id: string, name: string, value: unknown) =>
          document.update({
            ...at(id),
            UpdateExpression: "SET #name = :value",
            ExpressionAttributeNames: { "#name": name },
            ExpressionAttributeValues: { ":value": value },
          }),
        drop: (id: string, name: string) =>
          document.update({
            ...at(id),
            UpdateExpression: "REMOVE #name",
            ExpressionAttributeNames: { "#name": name },
          }),
      };
    }

    Deno.test("createDynamoDBSessionStorage() costs one round trip to read, two to change, none for a visitor without a session", async () => {
      const { storage, store, calls } = await setUp();
      const id = await store({ a: 1 });
      assertEquals(calls.splice(0), ["update"]);
      const session = await storage.read(id);
      session.get("a");
      await storage.save(session);
      assertEquals(calls.splice(0), ["get"]);
      session.set("a", 2);
      await storage.save(session);
      assertEquals(calls.splice(0), ["update"]);
      await storage.getSession("other=1");
      await storage.commitSession(await storage.getSession());
      assertEquals(calls, []);
    });

    Deno.test("createDynamoDBSessionStorage() writes the TTL in whole seconds, rounded up, and never stores an id", async () => {
      const { clock, store, item } = await setUp();
      clock.time = Math.floor(Date.now() / 1000) * 1000 + 1;
      const id = await store({ a: 1 }, 60);
      const stored = await item(id);
      assert(stored);
      assertEquals(stored["_ttl"], (clock.time - 1) / 1000 + 61);
      assertEquals(stored["_deadline"], String(clock.time + 60_000));
      assert(stored["_ttl"] > Date.now() / 1000, "in the future, in seconds");
      assert(stored["_ttl"] < Date.now() / 100, "in seconds, not milliseconds");
      assertEquals(JSON.stringify(stored).includes(id), false);
    });

    Deno.test("createDynamoDBSessionStorage() treats an expired item as absent, though the table has not removed it", async () => {
      const { clock, storage, store, item, events } = await setUp();
      const id = await store({ a: 1 }, 60);
      clock.pass(59.999);
      assertEquals((await storage.read(id)).get("a"), 1);
      clock.pass(0.001);
      assertEquals((await storage.read(id)).size, 0);
      assertEquals(events.at(-1), "expired");
      assertEquals((await item(id))?.["_idx"], hashId(id));
    });

    Deno.test("createDynamoDBSessionStorage() moves both deadlines when a session is used, and does not create an item that was deleted", async () => {
      const { table, clock, item, engine } = await setUp();
      const storage = createDynamoDBSessionStorage({
        client: document,
        table,
        now: clock.now,
        idleTimeout: 1800,
      });
      const session = await storage.read(null);
      session.set("a", 1);
      const id = await storage.save(session) ?? "";
      const before = await item(id);
      clock.pass(600);
      await storage.read(id);
      const after = await item(id);
      assertEquals(after?.["_ttl"], before?.["_ttl"] + 600);
      assertEquals(after?.["_deadline"], String(clock.time + 1_800_000));
      assertEquals(after?.["_version"], before?.["_version"]);
      await engine.delete(hashId(id));
      await engine.touch(hashId(id), clock.time + 1_000);
      assertEquals(await item(id), undefined);
    });

    Deno.test("createDynamoDBSessionStorage() uses the attributes in its options, even if they are reserved words", async () => {
      const { storage, store, table } = await setUp("key", "ttl");
      const id = await store({ a: 1 });
      assertEquals((await storage.read(id)).get("a"), 1);
      const { Items = [] } = await document.scan({ TableName: table });
      assertEquals(Object.keys(Items[0] ?? {}).sort(), [
        "_deadline",
        "_record",
        "_version",
        "key",
        "ttl",
      ]);
    });

    Deno.test("createDynamoDBSessionStorage() accepts a record of maxBytes, and refuses one byte more before it is sent", async () => {
      const { engine, storage, calls } = await setUp();
      const { maxBytes = 0 } = engine.guarantees;
      const expires = 8.64e15 - 0.5;
      for (const letter of ["x", "é"]) {
        const width = new TextEncoder().encode(letter).length;
        const fits = letter.repeat(maxBytes / width).padEnd(
          maxBytes % width,
          "x",
        );
        assert(await engine.write(KEY, fits, { expires }), rowName(letter));
        assertEquals((await engine.read(KEY))?.value, fits, rowName(letter));
      }
      const stored = async (size: number) => {
        const session = await storage.read(null);
        session.set("big", "x".repeat(size));
        return await storage.save(session);
      };
      const error = await assertSessionError(
        () => stored(maxBytes),
        "too-large",
        "big",
      );
      const overhead = Number(/takes (\d+)/.exec(error.message)?.[1]) -
        maxBytes;
      calls.length = 0;
      await assertSessionError(
        () => stored(maxBytes - overhead + 1),
        "too-large",
        `takes ${maxBytes + 1} bytes`,
        `the limit of the engine is ${maxBytes}`,
      );
      assertEquals(calls, []);
      assert(await stored(maxBytes - overhead));
    });

    Deno.test("createDynamoDBSessionStorage() declares a limit that is at most 64 bytes below DynamoDB's", async () => {
      const { engine } = await setUp();
      const { maxBytes = 0 } = engine.guarantees;
      const expires = Date.now();
      await engine.write(KEY, "x".repeat(maxBytes), { expires });
      const error = await engine.write(KEY, "x".repeat(maxBytes + 64), {
        expires,
      })
        .catch((error: Error) => error) as Error;
      assertEquals(error.name, "ValidationException");
      assertEquals((await engine.read(KEY))?.value.length, maxBytes);
    });

    Deno.test("createDynamoDBSessionStorage() returns a new, empty session, when an item was damaged", async () => {
      const { storage, store, edit, drop, item, events } = await setUp();
      const other = await item(await store({ a: "other" }));
      const damages: [name: string, value: unknown][] = [
        ["_record", 5],
        ["_record", null],
        ["_record", { text: "x" }],
        ["_record", new Uint8Array([1, 2])],
        ["_record", "x"],
        ["_record", other?.["_record"]],
        ["_deadline", "never"],
        ["_deadline", "Infinity"],
        ["_deadline", ""],
        ["_deadline", true],
        ["_deadline", 8.64e15],
      ];
      for (const [name, value] of damages) {
        const id = await store({ a: 1 });
        await edit(id, name, value);
        const session = await storage.read(id);
        assertEquals(session.get("a"), undefined, `${name} ${value}`);
        assertEquals(events.at(-1), "corrupt-record", `${name} ${value}`);
        session.set("a", 2);
        const next = await storage.save(session);
        // It may look deleted or damaged. In both cases, the visitor gets a new session.
        if (next !== null) {
          assertEquals((await storage.read(next)).get("a"), 2, name);
        }
      }
      for (const name of ["_record", "_deadline"]) {
        const id = await store({ a: 1 });
        await drop(id, name);
        assertEquals((await storage.read(id)).get("a"), undefined, name);
      }
      const id = await store({ a: "x".repeat(100) });
      const { _record: whole } = await item(id) ?? {};
      for (let length = 0; length < whole.length; length += 7) {
        await edit(id, "_record", whole.slice(0, length));
        assertEquals(
          (await storage.read(id)).get("a"),
          undefined,
          rowName(length),
        );
      }
    });
  },
);

/** The client. It adds the name of each call to `calls`. */
function counted(
  document: DynamoDBDocumentLike,
  calls: string[],
): DynamoDBDocumentLike {
  const count = <T>(name: string, result: T): T => {
    calls.push(name);
    return result;
  };
  return {
    get: (params) => count("get", document.get(params)),
    update: (params) => count("update", document.update(params)),
    delete: (params) => count("delete", document.delete(params)),
  };
}
