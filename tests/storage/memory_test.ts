import { assert, assertEquals, assertThrows } from "@std/assert";
import { Clock } from "../core/_support.ts";
import { hashId } from "../../core/keys.ts";
import type { SessionEvent } from "../../storage/contract.ts";
import { memoryEngine } from "../engines/_memory.ts";
import { ownedKeys } from "../engines/_owned.ts";
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

Deno.test("createMemorySessionStorage() evicts the least recently used session and reports it, when it is full", async () => {
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

Deno.test("createMemorySessionStorage() says which session it evicts, when it is full", async () => {
  const evicted: unknown[] = [];
  const storage = createMemorySessionStorage({
    maxSessions: 1,
    onEvent: ({ type, session }) => {
      if (type === "evicted") evicted.push(session);
    },
  });
  const store = async () => {
    const session = await storage.read(null);
    session.set("a", 1);
    return await storage.save(session) ?? "";
  };
  const first = await store();
  await store();
  assertEquals(evicted, [hashId(first)]);
});

Deno.test("createMemorySessionStorage() keeps a session that is only read, when strangers' sessions fill it", async () => {
  const { events, storage, store } = setUp({ maxSessions: 10 });
  const user = await store("user");
  assertEquals((await storage.read(user)).get("a"), "user");
  for (let login = 0; login < 100; login++) await store(login);
  assertEquals((await storage.read(user)).get("a"), "user");
  assertEquals(events.filter((type) => type === "evicted").length, 91);
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

Deno.test("createMemorySessionStorage() removes sessions that expired an hour ago, though no request reads them", async () => {
  const { clock, storage, store } = setUp();
  const ended: string[] = [];
  for (let i = 0; i < 100; i++) ended.push(await store(i, 30));
  const id = await store("kept", 31);
  clock.pass(3630);
  await store();
  // A removed session does not come back with the clock.
  clock.pass(-3630);
  for (const gone of ended) {
    assertEquals((await storage.read(gone)).size, 0, rowName(gone));
  }
  assertEquals((await storage.read(id)).get("a"), "kept");
});

Deno.test("createMemorySessionStorage() removes exactly the sessions that expired an hour ago, when swept", async () => {
  const { clock, storage, store } = setUp();
  const short = await store(1, 10);
  const long = await store(1, 10.001);
  clock.pass(3610);
  assertEquals(await storage.sweep?.(), 1);
  clock.pass(-3610);
  assertEquals((await storage.read(short)).size, 0, "gone");
  assertEquals((await storage.read(long)).size, 1);
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
      `Cannot create storage: maxSessions must be a positive integer, received ${
        typeof maxSessions === "string" ? "a string" : maxSessions
      }`,
      rowName(maxSessions),
    );
  }
});

const expires = 10_000_000;

/** An engine, its clock, and which of its records are there. */
function engineOf(max: number) {
  const state = { now: 0, evicted: 0 };
  const engine = memoryEngine(max, () => state.now, () => state.evicted++);
  const left = async (keys: string) => {
    const found = [];
    for (const key of keys) if (await engine.read(key)) found.push(key);
    return found.join("");
  };
  return { engine, state, left };
}

Deno.test("write() evicts the least recently used record, when reads and writes changed the order", async () => {
  const { engine, state, left } = engineOf(4);
  for (const key of "abcd") await engine.write(key, key, { expires });
  // These are in use now, and at most three can be: the first one is not any more.
  for (const key of "abdc") await engine.read(key);
  await engine.write("b", "again", { expires });
  await engine.touch("d", expires + 1);
  await engine.write("e", "e", { expires });
  assertEquals(state.evicted, 1);
  await engine.write("f", "f", { expires });
  assertEquals(state.evicted, 2);
  assertEquals(await left("abcdef"), "bcdf");
});

Deno.test("write() leaves a quarter for new records, when all others are in use", async () => {
  const { engine, left } = engineOf(8);
  for (const key of "abcdefgh") await engine.write(key, key, { expires });
  for (const key of "abcdefgh") await engine.read(key);
  await engine.write("i", "i", { expires });
  await engine.write("j", "j", { expires });
  // A new visitor comes back, though other visitors came after it.
  assertEquals(await left("i"), "i");
  assertEquals(await left("abcdefghij"), "cdefghij");
});

Deno.test("write() evicts records without an owner, when others have one", async () => {
  const { engine, state, left } = engineOf(8);
  for (const key of "abc") {
    await engine.write(key, key, { expires, owner: "ann" });
  }
  for (let stranger = 0; stranger < 100; stranger++) {
    await engine.write(`${stranger}`, "", { expires });
    // Nobody has signed in, so coming back does not protect it.
    await engine.read(`${stranger}`);
  }
  assertEquals(state.evicted, 95);
  assertEquals(await left("abc"), "abc");
  await engine.write("a", "signed out", { expires });
  for (let stranger = 0; stranger < 8; stranger++) {
    await engine.write(`${stranger}`, "", { expires });
  }
  assertEquals(await left("abc"), "bc");
});

Deno.test("write() keeps its own record, when there is room for few", async () => {
  for (const max of [1, 2]) {
    for (const [first, second] of [["ann", undefined], ["ann", "bob"]]) {
      const { engine, left } = engineOf(max);
      for (const key of "ab") {
        await engine.write(key, key, { expires, owner: first });
      }
      await engine.write("c", "c", { expires, owner: second });
      const row = rowName([max, second]);
      assertEquals(await left("abc"), max === 1 ? "c" : "bc", row);
    }
  }
});

Deno.test("write() removes the record that expired first, and no live one, when it is full", async () => {
  const letters = "qwertyuiopasdfghjklzxcvbnm";
  const { engine, state, left } = engineOf(letters.length);
  for (const key of letters) {
    await engine.write(key, key, { expires: key.charCodeAt(0), owner: key });
  }
  await engine.touch("a", 1000);
  await engine.touch("z", 98.5);
  await engine.write("m", "m", { expires: 97.5, owner: "m" });
  await engine.delete("c");
  await engine.write("live", "", { expires: 2000 });
  state.now = 1500;
  let rest = [...letters].filter((key) => key !== "c");
  for (const next of "mbzdefghijklnopqrstuvwxya") {
    await engine.write(`after ${next}`, "", { expires: 2000 });
    rest = rest.filter((key) => key !== next);
    assertEquals(await left(letters), rest.join(""), next);
  }
  assertEquals(state.evicted, 0);
  await engine.write("one more", "", { expires: 2000 });
  assertEquals(state.evicted, 1);
});

Deno.test("write() keeps what expired less than an hour ago, unless the storage is full", async () => {
  const { engine, state, left } = engineOf(3);
  await engine.write("a", "a", { expires: 1000 });
  state.now = 3_600_999;
  await engine.write("b", "b", { expires });
  assertEquals(await left("ab"), "ab");
  state.now = 3_601_000;
  await engine.write("b", "b", { expires });
  assertEquals(await left("ab"), "b");
  // A broken clock removes nothing.
  state.now = NaN;
  await engine.write("c", "c", { expires });
  assertEquals(await left("bc"), "bc");
});

Deno.test("sweep() removes exactly what has expired", async () => {
  const { engine, left } = engineOf(100);
  for (const [key, at] of Object.entries({ a: 3, b: 1, c: 2, d: 4, e: 2 })) {
    await engine.write(key, key, { expires: at, owner: "ann" });
  }
  assertEquals(await engine.sweep(2), 3);
  assertEquals(await engine.sweep(2), 0);
  assertEquals(await left("abcde"), "ad");
  assertEquals(await ownedKeys(engine, "ann"), ["a", "d"]);
});

Deno.test("owned() returns an owner's records, the most recently written last", async () => {
  const { engine, state } = engineOf(5);
  assertEquals(await ownedKeys(engine, "ann"), []);
  for (const key of "abc") {
    await engine.write(key, key, { expires, owner: "ann" });
  }
  await engine.write("d", "d", { expires: 1, owner: "bob" });
  assertEquals(await ownedKeys(engine, "ann"), ["a", "b", "c"]);
  await engine.read("a");
  assertEquals(await ownedKeys(engine, "ann"), ["a", "b", "c"], "read");
  await engine.write("a", "a", { expires, owner: "ann" });
  await engine.write("b", "b", { expires, owner: "ann" });
  assertEquals(await ownedKeys(engine, "ann"), ["c", "a", "b"]);
  await engine.touch("c", expires + 1);
  assertEquals(await ownedKeys(engine, "ann"), ["c", "a", "b"], "touched");
  // A refused write changes nothing.
  await engine.write("c", "c", { expires, owner: "bob", ifVersion: null });
  assertEquals(await ownedKeys(engine, "ann"), ["c", "a", "b"], "refused");

  await engine.write("a", "a", { expires });
  assertEquals(await ownedKeys(engine, "ann"), ["c", "b"], "without an owner");
  await engine.write("b", "b", { expires, owner: "bob" });
  assertEquals(await ownedKeys(engine, "ann"), ["c"], "another owner");
  assertEquals(await ownedKeys(engine, "bob"), ["d", "b"]);
  await engine.delete("c");
  assertEquals(await ownedKeys(engine, "ann"), [], "deleted");
  state.now = 2;
  for (const key of "efghi") await engine.write(key, key, { expires });
  assertEquals(await ownedKeys(engine, "bob"), ["b"], "expired");
  for (const key of "jklmn") {
    await engine.write(key, key, { expires, owner: "ann" });
  }
  assertEquals(await ownedKeys(engine, "bob"), [], "evicted");
});

Deno.test("AsynchronousMemoryEngine keeps its order and its index exact, when records come and go at random", async () => {
  const max = 20;
  const { engine, state, left } = engineOf(max);
  const owners = new Map<string, string | undefined>();
  const deadlines = new Map<string, number>();
  let random = 1;
  const below = (end: number) => (random = random * 48271 % 2147483647) % end;
  for (let step = 0; step < 5000; step++) {
    const key = String.fromCharCode(97 + below(40));
    const owner = [undefined, "ann", "bob"][below(3)];
    const expires = state.now + below(5_000_000);
    const what = below(8);
    if (what < 3) {
      await engine.write(key, key, { expires, owner });
      owners.set(key, owner);
      deadlines.set(key, expires);
    } else if (what < 4 && await engine.touch(key, expires)) {
      deadlines.set(key, expires);
    } else if (what < 5) await engine.delete(key);
    else if (what < 7) await engine.read(key);
    else if (below(20) === 0) await engine.sweep(state.now);
    state.now += below(20_000);

    const row = rowName(step);
    const listed = [];
    for (const name of ["ann", "bob"]) {
      const keys = await ownedKeys(engine, name);
      for (const owned of keys) {
        assertEquals(owners.get(owned), name, row);
      }
      listed.push(...keys);
    }
    if (step % 50 > 0) continue;
    let count = 0;
    for (let code = 97; code < 137; code++) {
      const each = String.fromCharCode(code);
      const record = await engine.read(each);
      if (!record) {
        assert(!listed.includes(each), row);
        continue;
      }
      count++;
      assertEquals(record.expires, deadlines.get(each), row);
      assertEquals(listed.includes(each), owners.get(each) !== undefined, row);
    }
    assert(count <= max, row);
  }
  await engine.sweep(Infinity);
  assertEquals(await left("abc"), "");
});
