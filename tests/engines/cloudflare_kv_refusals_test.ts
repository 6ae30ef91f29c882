// A second write within a second, which Workers KV refuses, and options that KV does not support.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  createCloudflareKVSessionStorage,
  createSessionStorage,
  createWorkersKVSessionStorage,
  type KVNamespaceLike,
} from "../../mod.ts";
import { CloudflareKVEngine } from "../../storage/engines/cloudflare_kv.ts";
import { assertSessionError } from "../core/_support.ts";
import { rowName } from "../_row.ts";

/** A KV that refuses the first changes, `times` of them, with an error, and a storage on it. */
function refusing(times: number, message: string) {
  const waits: number[] = [];
  const records = new Map<string, { value: string; metadata: unknown }>();
  let calls = 0;
  const change = async (work: () => void) => {
    calls++;
    if (times-- > 0) throw new Error(message);
    work();
  };
  const kv: KVNamespaceLike = {
    getWithMetadata: async (key) =>
      records.get(key) ?? { value: null, metadata: null },
    put: (key, value, { metadata }) =>
      change(() => records.set(key, { value, metadata })),
    delete: (key) => change(() => records.delete(key)),
  };
  const engine = new CloudflareKVEngine(kv, "", Date.now, async (ms) => {
    waits.push(ms);
  });
  const cookie = { name: "session", secrets: ["s3cr3t"] };
  const storage = createSessionStorage({ engine, cookie });
  return { engine, storage, waits, calls: () => calls };
}

const TOO_EARLY = "KV PUT failed: 429 Too Many Requests";

Deno.test("createCloudflareKVSessionStorage() tries a write again a second later, when KV refuses a second one within a second", async () => {
  const { engine, storage, waits } = refusing(2, TOO_EARLY);
  const session = await storage.getSession();
  session.set("a", 1);
  await storage.commitSession(session);
  assertEquals((await storage.read(session.id)).get("a"), 1);
  assertEquals(waits.length, 2);
  for (const ms of waits) assert(ms >= 1000 && ms <= 1250, rowName(ms));
  const deleting = refusing(1, TOO_EARLY);
  assertEquals(await deleting.engine.delete("key"), true);
  assertEquals(deleting.waits.length, 1);
  assertEquals(engine.guarantees.compareAndSet, false);
});

Deno.test("createCloudflareKVSessionStorage() rejects with the cause and sends no cookie, when KV keeps refusing", async () => {
  const { storage, waits, calls } = refusing(Infinity, TOO_EARLY);
  const session = await storage.getSession();
  session.set("a", 1);
  const error = await assertSessionError(
    () => storage.commitSession(session),
    "store-failed",
  );
  assertInstanceOf(error.cause, Error);
  assertEquals(error.cause.message, TOO_EARLY);
  assertEquals([waits.length, calls()], [2, 3]);
});

Deno.test("createCloudflareKVSessionStorage() tries only once, when KV fails for another reason", async () => {
  const { storage, waits, calls } = refusing(1, "KV PUT failed: 500");
  const session = await storage.getSession();
  session.set("a", 1);
  await assertSessionError(
    () => storage.commitSession(session),
    "store-failed",
  );
  assertEquals([waits.length, calls()], [0, 1]);
  // The change is still the session's: a save that is tried again stores it.
  await storage.commitSession(session);
  assertEquals((await storage.read(session.id)).get("a"), 1);
});

Deno.test("createCloudflareKVSessionStorage() throws and says what to change, when KV does not support an option", () => {
  const kv: KVNamespaceLike = {
    getWithMetadata: async () => ({ value: null, metadata: null }),
    put: async () => {},
    delete: async () => {},
  };
  const cases: [options: object, message: string][] = [
    [{}, "kv must be a KV namespace, but it does not have getWithMetadata()"],
    [{ kv: null }, "kv must be a KV namespace"],
    [{ kv: { ...kv, put: undefined } }, "but it does not have put()"],
    [{ kv, prefix: 5 }, "prefix must be a string, received number"],
    [{ kv, prefix: "é".repeat(235) }, "prefix must take at most 469 bytes"],
    [{ kv, prefix: "a\r\n" }, "must not contain control characters"],
    [{ kv, prefix: "\ud800" }, "without lone surrogates"],
    [{ kv, idleTimeout: 1800 }, "Workers KV does not support idleTimeout"],
  ];
  for (const [options, message] of cases) {
    assertThrows(
      () => createCloudflareKVSessionStorage(options as never),
      TypeError,
      message,
      rowName(options),
    );
  }
  assertThrows(
    () => createCloudflareKVSessionStorage({ kv, absoluteTimeout: 0 }),
    RangeError,
    "absoluteTimeout",
  );
  createCloudflareKVSessionStorage({ kv, prefix: "x".repeat(469) });
  assertStrictEquals(
    createWorkersKVSessionStorage,
    createCloudflareKVSessionStorage,
  );
});
