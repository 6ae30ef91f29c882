// Engines that answer at once: nothing is awaited between a request and its answer. What could differ from an engine of
// promises is tried here: errors that are thrown, calls from inside a call, and what comes before what.
import { assert, assertEquals, assertFalse } from "@std/assert";
import { assertSessionError, cookieHeader } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { SessionError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import { withSession } from "../../middleware/with_session.ts";
import type {
  SessionEvent,
  SessionStorage,
  StorageGuarantees,
  StorageOptions,
  SynchronousEngine,
  WriteOptions,
} from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { MemoryEngine } from "../../storage/engines/memory.ts";
import { FakeEngine } from "./_fake_engine.ts";

type Verb = "read" | "write" | "delete";

/** Keeps records in memory, and throws where a test asks for it. */
class AtOnce implements SynchronousEngine {
  readonly guarantees: StorageGuarantees;
  /** The next calls that throw. */
  failing: Verb[] = [];
  calls: Verb[] = [];
  /** The key of the last write. */
  lastKey = "";
  /** Called before each write. */
  beforeWrite = (): void => {};
  readonly #inner = new MemoryEngine(100, Date.now, () => {});

  constructor(guarantees: Partial<StorageGuarantees> = {}) {
    this.guarantees = { ...this.#inner.guarantees, ...guarantees };
  }

  read(key: string) {
    this.#call("read");
    return this.#inner.read(key);
  }

  write(key: string, value: string, options: WriteOptions) {
    this.#call("write");
    this.lastKey = key;
    this.beforeWrite();
    return this.#inner.write(key, value, options);
  }

  delete(key: string, options?: { ifVersion?: unknown }) {
    this.#call("delete");
    return this.#inner.delete(key, options);
  }

  #call(verb: Verb): void {
    this.calls.push(verb);
    if (this.failing[0] !== verb) return;
    this.failing.shift();
    throw new Error(verb);
  }
}

const cookie = { name: "s", secrets: ["s3cr3t"] };

function setUp(options: StorageOptions = {}, engine = new AtOnce()) {
  const events: SessionEvent["type"][] = [];
  const storage: SessionStorage = createSessionStorage({
    cookie,
    engine,
    onEvent: ({ type }) => events.push(type),
    ...options,
  });
  return { engine, events, storage };
}

/** Stores a session. Its `Cookie` header. */
async function begin(
  storage: SessionStorage,
  values: Record<string, unknown>,
): Promise<string> {
  const session = await storage.getSession();
  for (const key in values) session.set(key, values[key]);
  return cookieHeader(await storage.commitSession(session));
}

/** Calls of an application, and the engine's call that fails in each. */
const CALLS: readonly (readonly [
  name: string,
  verb: Verb,
  call: (
    storage: SessionStorage,
    session: Session,
    header: string,
  ) => Promise<unknown>,
])[] = [
  ["getSession", "read", (storage, _, header) => storage.getSession(header)],
  ["read", "read", (storage, { id }) => storage.read(id)],
  ["commitSession", "write", (storage, session) => {
    session.set("a", 1);
    return storage.commitSession(session);
  }],
  ["commitCookie", "write", (storage, session) => {
    session.set("a", 1);
    return storage.commitCookie(session);
  }],
  ["save", "write", (storage, session) => {
    session.set("a", 1);
    return storage.save(session);
  }],
  ["save after restart()", "write", (storage, session) => {
    session.restart({ keep: "all" });
    return storage.save(session);
  }],
  ["destroySession", "delete", (storage, session) => {
    return storage.destroySession(session);
  }],
];

for (const [name, verb, call] of CALLS) {
  Deno.test(`${name} rejects and does not throw, when an engine that answers at once throws in ${verb}()`, async () => {
    const { engine, events, storage } = setUp();
    const header = await begin(storage, { kept: 1 });
    const session = await storage.getSession(header);
    events.length = 0;
    engine.failing = [verb];
    // Not in an async function: a call that throws would end the test here.
    const promise = call(storage, session, header);
    assert(promise instanceof Promise);
    await assertSessionError(() => promise, "store-failed");
    assertEquals(events, ["engine-error"]);
    assertEquals(engine.failing, []);
    const after = await storage.getSession(header);
    assertEquals(after.get("kept"), 1, "nothing is lost");
  });
}

Deno.test("commitSession() stores in the next call what an engine that throws has refused", async () => {
  const { engine, storage } = setUp();
  const header = await begin(storage, { list: [1], gone: 1 });
  const session = await storage.getSession(header);
  session.get("list").push(2);
  session.unset("gone");
  session.flash("note", "new");
  session.set("a", 1);
  engine.failing = ["write"];
  await assertSessionError(
    () => storage.commitSession(session),
    "store-failed",
  );
  assert(session.dirty);
  await storage.commitSession(session);
  assertFalse(session.dirty);
  const after = await storage.getSession(header);
  assertEquals(after.get("note"), "new");
  assertEquals(after.data, { list: [1, 2], a: 1 });
});

Deno.test("commitSession() rejects, when a value's getter throws, and works when it does not", async () => {
  const { engine, storage } = setUp();
  const session = await storage.getSession(await begin(storage, { kept: 1 }));
  const value = {
    get a(): number {
      throw new Error("getter");
    },
  };
  session.set("value", value);
  engine.calls = [];
  await assertSessionError(
    () => storage.commitSession(session),
    "unserializable",
    "value.a",
  );
  assertEquals(engine.calls, []);
  session.set("value", 2);
  await storage.commitSession(session);
  assertEquals((await storage.read(session.id)).get("value"), 2);
});

Deno.test("commitSession() rejects, when the clock breaks between the request and its end", async () => {
  let now: () => number = Date.now;
  const { storage } = setUp({ now: () => now() });
  const session = await storage.getSession(await begin(storage, { kept: 1 }));
  session.set("a", 1);
  now = () => NaN;
  const promise = storage.commitSession(session);
  let message = "";
  await promise.catch((error) => message = error.message);
  assert(message.includes("now() must return milliseconds"), message);
  now = Date.now;
  await storage.commitSession(session);
  assertEquals((await storage.read(session.id)).get("a"), 1);
});

Deno.test("withSession() answers 503 and keeps the visitor's cookie, when an engine that answers at once throws", async () => {
  for (const verb of ["read", "write"] as const) {
    const { engine, storage } = setUp();
    const header = await begin(storage, { visits: 1 });
    const handler = withSession(storage, (_request, session) => {
      session.set("visits", session.get("visits") + 1);
      return new Response("ok");
    });
    const request = () =>
      handler(
        new Request("http://localhost/", { headers: { Cookie: header } }),
      );
    engine.failing = [verb];
    const failed = await request();
    assertEquals(failed.status, 503, rowName(verb));
    assertEquals(failed.headers.get("Set-Cookie"), null, rowName(verb));
    assertEquals((await request()).status, 200, rowName(verb));
    const after = await storage.getSession(header);
    assertEquals(after.get("visits"), 2, rowName(verb));
  }
});

Deno.test("commitSession() keeps what was changed after its call, when it was done at once", async () => {
  const { storage } = setUp();
  const header = await begin(storage, { a: 0 });
  const session = await storage.getSession(header);
  session.set("a", 1);
  const first = storage.commitSession(session);
  session.set("a", 2);
  session.set("b", 2);
  await first;
  assert(session.dirty);
  assertEquals((await storage.getSession(header)).data, { a: 1 });
  await storage.commitSession(session);
  assertEquals((await storage.getSession(header)).data, { a: 2, b: 2 });
});

Deno.test("commitSession() waits for the save that is running, when a listener or the engine calls it from inside", async () => {
  for (const from of ["listener", "engine"]) {
    const engine = new AtOnce();
    const inner: Promise<string>[] = [];
    const read: Session[] = [];
    const again = () => {
      const [session] = read;
      if (!session || inner.length > 0) return;
      session.set("inner", 1);
      inner.push(storage.commitSession(session));
    };
    const { storage } = setUp({
      onEvent: ({ type }) => {
        if (type === "committed" && from === "listener") again();
      },
    }, engine);
    if (from === "engine") engine.beforeWrite = again;
    const header = await begin(storage, { a: 0 });
    const session = await storage.getSession(header);
    read.push(session);
    session.set("a", 1);
    engine.calls = [];
    const outer = storage.commitSession(session);
    assertEquals(engine.calls, ["write"], rowName(from, "one at a time"));
    assertEquals(inner.length, 1, rowName(from));
    assert(cookieHeader(await outer), rowName(from));
    await inner[0];
    assertEquals(engine.calls, ["write", "write"], rowName(from));
    assertFalse(session.dirty, rowName(from));
    const after = await storage.getSession(header);
    assertEquals(after.data, { a: 1, inner: 1 }, rowName(from));
  }
});

Deno.test("save() stores a session object in the order of the calls, when an engine of promises and one that answers at once take turns", async () => {
  const slow = new FakeEngine();
  const { engine, storage } = setUp();
  const other = createSessionStorage({ engine: slow });
  const session = await storage.read(null);
  const done: string[] = [];
  const save = (to: SessionStorage, name: string) => {
    session.set("last", name);
    return to.save(session).then(() => done.push(name));
  };
  engine.calls = [];
  const saves = [
    save(other, "one"),
    save(storage, "two"),
    save(other, "three"),
    save(storage, "four"),
  ];
  assertEquals(engine.calls, [], "it waits for the first");
  await Promise.all(saves);
  assertEquals(done, ["one", "two", "three", "four"]);
  assertEquals((await storage.read(session.id)).get("last"), "four");
});

Deno.test("save() goes on after a save that failed, when several wait", async () => {
  const slow = new FakeEngine();
  const storage = createSessionStorage({ engine: slow });
  const session = await storage.read(null);
  session.set("a", 1);
  slow.play("write", "fail");
  const first = storage.save(session);
  const second = storage.save(session);
  await assertSessionError(() => first, "store-failed");
  assertEquals((await storage.read(await second)).get("a"), 1);
});

Deno.test("save() applies each request's changes to the newest record, with and without compare-and-set", async () => {
  for (const compareAndSet of [true, false]) {
    const { engine, events, storage } = setUp(
      {},
      new AtOnce({ compareAndSet }),
    );
    const header = await begin(storage, { a: 0 });
    const requests = await Promise.all(
      Array.from({ length: 20 }, () => storage.getSession(header)),
    );
    requests.forEach((session, i) => session.set(`k${i}`, i));
    await Promise.all(requests.map((session) => storage.save(session)));
    const { size } = await storage.getSession(header);
    assertEquals(size, 21, rowName(compareAndSet));
    // A conflict is with another process.
    assertFalse(events.includes("conflict"), rowName(compareAndSet));
    assert(engine.calls.length < 100, rowName(compareAndSet));
  }
});

Deno.test("save() reports a conflict, when another process is faster twice", async () => {
  for (const times of [1, 2]) {
    const { engine, events, storage } = setUp();
    const header = await begin(storage, { a: 0 });
    const session = await storage.getSession(header);
    let left = times;
    engine.beforeWrite = () => {
      if (left-- <= 0) return;
      const { beforeWrite } = engine;
      engine.beforeWrite = () => {};
      const key = engine.lastKey;
      const found = engine.read(key);
      assert(found, rowName(times));
      engine.write(key, found.value, { expires: found.expires });
      engine.beforeWrite = beforeWrite;
    };
    session.set("a", 1);
    await storage.save(session);
    assertEquals(
      events.filter((type) => type === "conflict").length,
      times - 1,
      rowName(times),
    );
    const after = await storage.getSession(header);
    assertEquals(after.get("a"), 1, rowName(times));
  }
});

Deno.test("save() accepts an engine whose answers only have then", async () => {
  const inner = new FakeEngine();
  const thenable = <T>(promise: Promise<T>) =>
    ({ then: promise.then.bind(promise) }) as Promise<T>;
  const storage = createSessionStorage({
    engine: {
      guarantees: inner.guarantees,
      read: (key) => thenable(inner.read(key)),
      write: (...args) => thenable(inner.write(...args)),
      delete: (...args) => thenable(inner.delete(...args)),
    },
  });
  const session = await storage.read(null);
  session.set("a", 1);
  const id = await storage.save(session);
  inner.play("write", "fail");
  session.set("a", 2);
  const error = await assertSessionError(
    () => storage.save(session),
    "store-failed",
  );
  assert(error instanceof SessionError);
  assertEquals(await storage.save(session), id);
  assertEquals((await storage.read(id)).get("a"), 2);
});
