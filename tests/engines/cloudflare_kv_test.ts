// The shortest expiry, the limits and the metadata of Workers KV. The conformance suite tests the rest.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { hashId } from "../../core/keys.ts";
import {
  createCloudflareKVSessionStorage,
  type KVNamespaceLike,
  type SessionEvent,
} from "../../mod.ts";
import { CloudflareKVEngine } from "../../storage/engines/cloudflare_kv.ts";
import { assertSessionError, Clock } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { withPackages } from "./_packages.ts";
import { type LocalWorkerd, PACKAGES, startWorkerd } from "./_workerd.ts";

const KEY = "k".repeat(43);
const MAX_BYTES = 25 * 1024 * 1024;

await withPackages(
  "Workers KV (workerd)",
  PACKAGES,
  startWorkerd,
  (local: LocalWorkerd) => {
    let prefixes = 0;

    function setUp() {
      const clock = new Clock(Date.now());
      const events: SessionEvent["type"][] = [];
      const calls: string[] = [];
      const prefix = `t${++prefixes}:`;
      const storage = createCloudflareKVSessionStorage({
        kv: counted(local.kv, calls),
        prefix,
        now: clock.now,
        onEvent: ({ type }) => events.push(type),
        cookie: { name: "session", secrets: ["s3cr3t"] },
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
      const at = (id: string) => prefix + hashId(id);
      return { clock, events, calls, prefix, storage, store, at };
    }

    Deno.test("createCloudflareKVSessionStorage() costs one round trip to read, three to change, none for a visitor without a session", async () => {
      const { storage, store, calls } = setUp();
      const id = await store({ a: 1 });
      assertEquals(calls.splice(0), ["put"]);
      const session = await storage.read(id);
      session.get("a");
      await storage.save(session);
      assertEquals(calls.splice(0), ["getWithMetadata"]);
      const next = await storage.read(id);
      next.set("a", 2);
      await storage.save(next);
      assertEquals(calls.splice(0), [
        "getWithMetadata",
        "getWithMetadata",
        "put",
      ]);
      await storage.getSession("other=1");
      await storage.commitSession(await storage.getSession());
      assertEquals(calls, []);
    });

    Deno.test("createCloudflareKVSessionStorage() expires a session on time, though KV keeps it for at least 60 seconds", async () => {
      const { clock, storage, store, at, events } = setUp();
      const before = Math.floor(Date.now() / 1000);
      const short = await store({ a: 1 }, 5);
      const long = await store({ a: 1 }, 3600.5);
      const kept = new Map(
        (await local.keys()).map((k) => [k.name, k.expiration]),
      );
      const after = Math.ceil(Date.now() / 1000);
      for (const [id, seconds] of [[short, 60], [long, 3601]] as const) {
        const expiration = kept.get(at(id)) ?? 0;
        assert(
          expiration >= before + seconds && expiration <= after + seconds,
          rowName(id),
        );
      }
      clock.pass(4.999);
      assertEquals((await storage.read(short)).get("a"), 1);
      clock.pass(0.001);
      assertEquals((await storage.read(short)).size, 0);
      assertEquals(events.at(-1), "expired");
      assert((await local.kv.getWithMetadata(at(short))).value !== null);
      assertEquals((await storage.read(long)).get("a"), 1);
    });

    Deno.test("createCloudflareKVSessionStorage() accepts the latest deadline that a Date can express", async () => {
      const { prefix, clock } = setUp();
      const engine = new CloudflareKVEngine(local.kv, prefix, clock.now);
      await engine.write(KEY, "x", { expires: 8.64e15 });
      assertEquals((await engine.read(KEY))?.expires, 8.64e15);
    });

    Deno.test("createCloudflareKVSessionStorage() accepts a record of maxBytes, and refuses one byte more before it is sent", async () => {
      const { prefix, clock, storage, calls } = setUp();
      const engine = new CloudflareKVEngine(local.kv, prefix, clock.now);
      assertEquals(engine.guarantees.maxBytes, MAX_BYTES);
      const expires = clock.time + 60_000;
      await engine.write(KEY, "x".repeat(MAX_BYTES), { expires });
      assertEquals((await engine.read(KEY))?.value.length, MAX_BYTES);
      await assertRejects(
        () => engine.write(KEY, "x".repeat(MAX_BYTES + 1), { expires }),
        Error,
        "413",
      );
      await engine.delete(KEY);
      const session = await storage.read(null);
      session.set("big", "x".repeat(MAX_BYTES));
      const { message } = await assertSessionError(
        () => storage.save(session),
        "too-large",
        `${MAX_BYTES}`,
        '"big"',
      );
      const overhead = Number(/takes (\d+)/.exec(message)?.[1]) - MAX_BYTES;
      session.set("big", "x".repeat(MAX_BYTES - overhead + 1));
      await assertSessionError(
        () => storage.save(session),
        "too-large",
        `takes ${MAX_BYTES + 1} bytes`,
      );
      assertEquals(calls, []);
    });

    Deno.test("createCloudflareKVSessionStorage() returns a new, empty session, when a record was damaged", async () => {
      const { storage, store, at, events, clock } = setUp();
      const other = await local.kv.getWithMetadata(
        at(await store({ a: "other" })),
      );
      const metadata = { expires: clock.time + 60_000, version: "v" };
      const damages: [value: string, metadata: unknown][] = [
        ["", metadata],
        ["x", metadata],
        ["\0", metadata],
        [other.value ?? "", metadata],
      ];
      const { value: whole = "" } = await local.kv
        .getWithMetadata(at(await store({ a: 1 })));
      for (const wrong of [null, 5, "text", [], {}, { expires: "never" }]) {
        damages.push([whole ?? "", wrong]);
      }
      for (const [value, metadata] of damages) {
        const id = await store({ a: 1 });
        const options = { expirationTtl: 60, metadata };
        await local.kv.put(at(id), value, options as never);
        const session = await storage.read(id);
        assertEquals(session.get("a"), undefined, JSON.stringify(metadata));
        assertEquals(events.at(-1), "corrupt-record", JSON.stringify(metadata));
      }
      const id = await store({ a: "x".repeat(50) });
      const { value } = await local.kv.getWithMetadata(at(id));
      for (let length = 0; length < (value ?? "").length; length += 9) {
        const options = { expirationTtl: 60, metadata };
        await local.kv.put(at(id), value?.slice(0, length) ?? "", options);
        assertEquals(
          (await storage.read(id)).get("a"),
          undefined,
          rowName(length),
        );
      }
    });

    Deno.test("createCloudflareKVSessionStorage() keeps absoluteTimeout, when a session is saved again", async () => {
      const { clock, prefix } = setUp();
      const storage = createCloudflareKVSessionStorage({
        kv: local.kv,
        prefix,
        now: clock.now,
        absoluteTimeout: 3600,
      });
      const session = await storage.read(null);
      session.set("a", 1);
      const id = await storage.save(session);
      clock.pass(3000);
      const later = await storage.read(id);
      later.set("a", 2);
      await storage.save(later);
      clock.pass(599.999);
      assertEquals((await storage.read(id)).get("a"), 2);
      clock.pass(0.001);
      assertEquals((await storage.read(id)).size, 0);
    });

    Deno.test("createCloudflareKVSessionStorage() rejects with the cause and sends no cookie, while KV is down", async () => {
      const other = await startWorkerd();
      const storage = createCloudflareKVSessionStorage({
        kv: other.kv,
        cookie: { name: "session", secrets: ["s3cr3t"] },
      });
      const session = await storage.getSession();
      session.set("a", 1);
      await storage.commitSession(session);
      const again = await storage.read(session.id);
      await other.stop();
      again.set("a", 2);
      for (
        const call of [
          () => storage.read(session.id),
          () => storage.commitSession(again),
          () => storage.destroySession(again),
        ]
      ) {
        const error = await assertSessionError(call, "store-failed", {
          row: rowName(call),
        });
        assertInstanceOf(error.cause, Error, rowName(call));
        assertEquals(error.message.includes(session.id), false, rowName(call));
      }
    });
  },
);

/** The namespace. It adds the name of each call to `calls`. */
function counted(kv: KVNamespaceLike, calls: string[]): KVNamespaceLike {
  const count = <T>(name: string, result: T): T => {
    calls.push(name);
    return result;
  };
  return {
    getWithMetadata: (key) => count("getWithMetadata", kv.getWithMetadata(key)),
    put: (...call) => count("put", kv.put(...call)),
    delete: (key) => count("delete", kv.delete(key)),
  };
}
