// DynamoDB's clients and conditions, and a client that is not available.
import type { DynamoDBDocument } from "npm:@aws-sdk/lib-dynamodb@^3.1162.0";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertThrows,
} from "@std/assert";
import {
  createArcTableSessionStorage,
  createDynamoDBSessionStorage,
  type DynamoDBClientLike,
  type DynamoDBDocumentLike,
  withSession,
} from "../../mod.ts";
import { DynamoDBEngine } from "../../storage/engines/dynamodb/engine.ts";
import type { ArcTableLike } from "../../storage/engines/dynamodb/clients.ts";
import { assertSessionError, cookieHeader } from "../core/_support.ts";
import { effort } from "../_effort.ts";
import { rowName } from "../_row.ts";
import { PACKAGES, startDynamoDB } from "./_dynamodb.ts";
import { withPackages } from "./_packages.ts";

const KEY = "k".repeat(43);

await withPackages(
  "DynamoDB's clients (AWS SDK, Architect)",
  [...PACKAGES, "npm:@architect/functions@^8.1.10"],
  startDynamoDB,
  (local) => {
    const { document } = local;

    Deno.test("createDynamoDBSessionStorage() never returns one version twice, even when a record is deleted and created again", async () => {
      const engine = new DynamoDBEngine(document, {
        table: await local.table(),
      });
      const expires = Date.now() + 60_000;
      const versions = new Set<unknown>();
      for (let i = 0; i < 20; i++) {
        versions.add(
          await engine.write(KEY, "x", { expires, ifVersion: null }),
        );
        await engine.delete(KEY);
      }
      assertEquals(versions.size, 20);
      const old = [...versions][0];
      await engine.write(KEY, "new", { expires, ifVersion: null });
      assertEquals(
        await engine.write(KEY, "x", { expires, ifVersion: old }),
        null,
      );
      assertEquals(await engine.delete(KEY, { ifVersion: old }), false);
      assertEquals((await engine.read(KEY))?.value, "new");
    });

    Deno.test("createDynamoDBSessionStorage() lets one of several conditional changes win", async () => {
      const engine = new DynamoDBEngine(document, {
        table: await local.table(),
      });
      const expires = Date.now() + 60_000;
      const race = async (ifVersion: unknown) => {
        const results = await Promise.all(
          Array.from(
            { length: 20 },
            (_, i) =>
              i % 5 === 4 && ifVersion !== null
                ? engine.delete(KEY, { ifVersion })
                : engine.write(KEY, `${i}`, { expires, ifVersion }),
          ),
        );
        return results.filter(Boolean);
      };
      const first = await race(null);
      assertEquals(first.length, 1);
      assertEquals((await race(first[0])).length, 1);
    });

    Deno.test("createArcTableSessionStorage() empties an item and ends its TTL, because Architect cannot delete on a condition", async () => {
      const table = await local.table();
      const now = Date.now();
      const engine = new DynamoDBEngine(
        { sessions: architectTable(document, table) },
        { table: "sessions" },
        () => now,
      );
      const expires = now + 60_000;
      const version = await engine.write(KEY, "x", { expires });
      assertEquals(await engine.delete(KEY, { ifVersion: "other" }), false);
      assertEquals((await engine.read(KEY))?.value, "x");
      assertEquals(await engine.delete(KEY, { ifVersion: version }), true);
      const { Items } = await document.scan({ TableName: table });
      const _ttl = Math.ceil(now / 1000);
      assertEquals(Items, [{ _idx: KEY, _ttl }]);
      assertEquals(await engine.read(KEY), null);
      await engine.touch(KEY, expires);
      assertEquals(await engine.read(KEY), null);
      const late = { expires, ifVersion: version };
      assertEquals(await engine.write(KEY, "late", late), null);
      assert(await engine.write(KEY, "new", { expires, ifVersion: null }));
      assertEquals((await engine.read(KEY))?.value, "new");
      assertEquals(await engine.delete(KEY), true);
      assertEquals((await document.scan({ TableName: table })).Items, []);
    });

    Deno.test("createDynamoDBSessionStorage() works with every kind of client", async () => {
      const { DynamoDBDocumentClient } = await import(
        "npm:@aws-sdk/lib-dynamodb@^3.1162.0"
      );
      const numbers = { unmarshallOptions: { wrapNumbers: true } };
      // Version 2 of the SDK returns requests. They are sent when `promise()` is called.
      const later =
        (method: "get" | "update" | "delete") => (params: never) => ({
          promise: () => (document as DynamoDBDocumentLike)[method](params),
        });
      const clients: Record<
        string,
        DynamoDBClientLike | Promise<DynamoDBClientLike>
      > = {
        document,
        promised: Promise.resolve(document),
        sender: DynamoDBDocumentClient.from(local.db),
        "numbers as objects": DynamoDBDocumentClient.from(local.db, numbers),
        "version 2": {
          get: later("get"),
          update: later("update"),
          delete: later("delete"),
        },
      };
      for (const [name, client] of Object.entries(clients)) {
        const storage = createDynamoDBSessionStorage({
          client,
          table: await local.table(),
        });
        const session = await storage.read(null);
        session.set("a", 1);
        const first = await storage.save(session);
        const one = await storage.read(first);
        const two = await storage.read(first);
        one.set("b", 2);
        two.set("c", 3);
        await storage.save(one);
        await storage.save(two);
        const merged = await storage.read(first);
        assertEquals(merged.data, { a: 1, b: 2, c: 3 }, name);
        merged.regenerateId();
        const second = await storage.save(merged);
        assertEquals((await storage.read(first)).size, 0, name);
        const last = await storage.read(second);
        assertEquals(last.size, 3, name);
        last.destroy();
        await storage.save(last);
        assertEquals((await storage.read(second)).size, 0, name);
      }
    });

    Deno.test("createDynamoDBSessionStorage() rejects and keeps the cookie, while its client is not available", async () => {
      const failing = new Error("no credentials");
      const storage = createDynamoDBSessionStorage({
        client: Promise.reject(failing),
        table: "sessions",
      });
      const error = await assertSessionError(
        () => storage.read("a".repeat(32)),
        "store-failed",
      );
      assertEquals(error.cause, failing);
      const wrong = createDynamoDBSessionStorage({
        client: Promise.resolve({} as DynamoDBClientLike),
        table: "sessions",
      });
      const { cause } = await assertSessionError(
        () => wrong.read("a".repeat(32)),
        "store-failed",
      );
      assertInstanceOf(cause, TypeError);
      assertMatch(cause.message, /with a table "sessions"/);
    });

    Deno.test("createDynamoDBSessionStorage() rejects with the cause and sends no cookie while the engine is down, and works again when it is back", async () => {
      const storage = createDynamoDBSessionStorage({
        client: document,
        table: await local.table(),
        cookie: { name: "session", secrets: ["s3cr3t"] },
      });
      const first = await storage.getSession();
      first.set("a", 1);
      const setCookie = await storage.commitSession(first);
      const { id } = first;
      const session = await storage.read(id);
      session.set("b", 2);
      await local.stop();
      const read = await assertSessionError(
        () => storage.read(id),
        "store-failed",
      );
      assertInstanceOf(read.cause, Error);
      const written = await assertSessionError(
        () => storage.commitSession(session),
        "store-failed",
      );
      assertInstanceOf(written.cause, Error);
      assertEquals(`${read.message}${written.message}`.includes(id), false);
      const handler = withSession(storage, () => new Response("hello"));
      const request = new Request("http://localhost/", {
        headers: { cookie: cookieHeader(setCookie) },
      });
      const response = await handler(request).catch(() => undefined);
      assertEquals(response?.headers.get("set-cookie") ?? null, null);
      assertEquals((response?.status ?? 500) >= 500, true);
      await local.start();
      assertEquals((await storage.read(id)).data, { a: 1 });
      await storage.commitSession(session);
      assertEquals((await storage.read(id)).data, { a: 1, b: 2 });
    });

    Deno.test("createArcTableSessionStorage() conforms with Architect's own client", async () => {
      // Other clients of DynamoDB are tried by all rules.
      const [count, only] = effort.long
        ? [400, []]
        : [100, ["FLASH", "CONC", "EXPIRY"]];
      const names = Array.from({ length: count }, (_, i) => `t${i}`);
      await Promise.all(names.map((name) => local.table(`arc-${name}`)));
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          new URL("./_architect_main.ts", import.meta.url).pathname,
          ...[local.port, count].map(String),
          ...only,
        ],
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      const { failures, verdict } = JSON.parse(
        new TextDecoder().decode(stdout),
      );
      assertEquals(failures, []);
      assertEquals(verdict, effort.long ? "conformant" : "partial");
    });
  },
);

// A database of one node, as in these tests, always answers as if it were asked so.
Deno.test("createDynamoDBSessionStorage() asks for strongly consistent reads, with each kind of client", async () => {
  const asked: unknown[] = [];
  const read = (params: { ConsistentRead: unknown }) => {
    asked.push(params.ConsistentRead);
    return {};
  };
  const update = () => ({});
  const clients: Record<string, DynamoDBClientLike> = {
    document: { get: read, update, delete: update },
    architect: { sessions: { query: read, update, delete: update } },
  };
  for (const [kind, client] of Object.entries(clients)) {
    const engine = new DynamoDBEngine(client, { table: "sessions" });
    assertEquals(await engine.read(KEY), null, kind);
  }
  assertEquals(asked, [true, true]);
});

Deno.test("createDynamoDBSessionStorage() throws and says what to change, when a client or a name is invalid", () => {
  const client: DynamoDBDocumentLike = { get() {}, update() {}, delete() {} };
  const table = "sessions";
  const cases: [options: object, message: string][] = [
    [{ client }, "table must be the name of a DynamoDB table"],
    [{ client, table: "" }, "table must be"],
    [{ client, table: 'a"b' }, "table must be"],
    [{ client, table: "a\nb" }, "table must be"],
    [{ client, table: "x".repeat(1025) }, "table must be"],
    [{ client, table: 5 }, "table must be"],
    [{ client, table, idx: "" }, "idx must be a name of 1 to 255 bytes"],
    [{ client, table, idx: 5 }, "idx must be a name of 1 to 255 bytes"],
    [{ client, table, idx: "é".repeat(128) }, "idx must be a name of"],
    [{ client, table, ttl: "a\0" }, "ttl must not contain control characters"],
    [
      { client, table, ttl: "\ud800" },
      "ttl must not contain control characters",
    ],
    [{ client, table, ttl: "_record" }, "ttl must not be _record"],
    [{ client, table, idx: "a", ttl: "a" }, "idx and ttl must be different"],
    [{ client: null, table }, "client must be a DynamoDB document client"],
    [{ client: {}, table }, 'with a table "sessions"'],
    [{ client: { get() {} }, table }, 'with a table "sessions"'],
    [{ client: { other: client }, table }, 'with a table "sessions"'],
  ];
  for (const [options, message] of cases) {
    for (
      const create of [
        createDynamoDBSessionStorage,
        createArcTableSessionStorage,
      ]
    ) {
      assertThrows(
        () => create(options as never),
        TypeError,
        message,
        rowName(options, create),
      );
    }
  }
});

/** A table with the methods of Architect's client. */
function architectTable(
  document: DynamoDBDocument,
  TableName: string,
): ArcTableLike {
  return {
    query: (params) => document.query({ ...params, TableName }),
    update: (params) => document.update({ ...params, TableName }),
    delete: (Key) => document.delete({ Key, TableName }),
  };
}
