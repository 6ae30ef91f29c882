import { assertEquals, assertThrows } from "@std/assert";
import { Clock } from "../core/_support.ts";
import type { SessionEvent } from "../../storage/contract.ts";
import {
  createMemorySessionStorage,
  type MemorySessionStorageOptions,
} from "../../storage/memory.ts";
import { rowName } from "../_row.ts";

function setUp(options: MemorySessionStorageOptions = {}) {
  const clock = new Clock();
  const events: SessionEvent["type"][] = [];
  const storage = createMemorySessionStorage({
    now: clock.now,
    onEvent: ({ type }) => events.push(type),
    ...options,
  });
  const store = async (
    value: unknown = 1,
    maxAge?: number,
  ): Promise<string> => {
    const session = await storage.read(null);
    session.set("a", value);
    return (await storage.save(session, { maxAge }))!;
  };
  return { clock, events, storage, store };
}

Deno.test("createMemorySessionStorage() evicts the least recently saved session and reports it, when it is full", async () => {
  const { events, storage, store } = setUp({ maxSessions: 3 });
  const [a, b, c] = [await store(), await store(), await store()];
  const again = await storage.read(a);
  again.set("a", 2);
  await storage.save(again);
  assertEquals(events.includes("evicted"), false);
  const d = await store();
  assertEquals(events.filter((type) => type === "evicted").length, 1);
  const kept = [];
  for (const id of [a, b, c, d]) kept.push((await storage.read(id)).size);
  assertEquals(kept, [1, 0, 1, 1]);
});

Deno.test("createMemorySessionStorage() removes expired sessions first, when it is full", async () => {
  const { clock, events, storage, store } = setUp({ maxSessions: 2 });
  const kept = await store();
  await store(1, 1);
  clock.pass(2);
  const next = await store();
  assertEquals(events.includes("evicted"), false);
  assertEquals((await storage.read(kept)).size, 1);
  assertEquals((await storage.read(next)).size, 1);
});

Deno.test("createMemorySessionStorage() removes expired sessions, though no request reads them", async () => {
  const { clock, storage, store } = setUp();
  const ended: string[] = [];
  for (let i = 0; i < 100; i++) ended.push(await store(i, 30));
  const id = await store("kept", 300);
  clock.pass(61);
  await store();
  // A removed session does not come back with the clock.
  clock.pass(-61);
  for (const gone of ended) {
    assertEquals((await storage.read(gone)).size, 0, rowName(gone));
  }
  assertEquals((await storage.read(id)).get("a"), "kept");
});

Deno.test("createMemorySessionStorage() removes exactly the expired sessions, when swept", async () => {
  const { clock, storage, store } = setUp();
  const short = await store(1, 10);
  const long = await store(1, 10.001);
  clock.pass(10);
  await storage.sweep?.();
  clock.pass(-10);
  assertEquals((await storage.read(short)).size, 0, "gone");
  assertEquals((await storage.read(long)).size, 1);
});

Deno.test("createMemorySessionStorage() removes expired sessions, when the clock was set back meanwhile", async () => {
  const { clock, storage, store } = setUp();
  clock.pass(3600);
  await store();
  clock.pass(-3600);
  const id = await store(1, 10);
  clock.pass(70);
  await store();
  clock.pass(-70);
  assertEquals((await storage.read(id)).size, 0);
});

Deno.test("createMemorySessionStorage() keeps storages apart", async () => {
  const one = setUp();
  const two = setUp();
  const id = await one.store();
  assertEquals((await two.storage.read(id)).size, 0);
});

Deno.test("createMemorySessionStorage() works without options", async () => {
  const storage = createMemorySessionStorage();
  const session = await storage.read(null);
  session.set("a", 1);
  assertEquals((await storage.read(await storage.save(session))).get("a"), 1);
  assertEquals(storage.guarantees?.compareAndSet, true);
  assertEquals(storage.guarantees?.durable, false);
});

Deno.test("createMemorySessionStorage() throws and says what to change, when maxSessions is not a positive integer", () => {
  for (const maxSessions of [0, -1, 1.5, NaN, Infinity, "5"]) {
    assertThrows(
      () => createMemorySessionStorage({ maxSessions } as never),
      RangeError,
      `Cannot create storage: maxSessions must be a positive integer, received ${maxSessions}`,
      rowName(maxSessions),
    );
  }
});
