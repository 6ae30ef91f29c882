/**
 * What is special to owners' lists: how they are kept, and that each order of steps finds every session.
 */
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { hashId, hashOwner } from "../../core/keys.ts";
import {
  createCloudflareKVSessionStorage,
  createCookieSessionStorage,
  createMemcacheSessionStorage,
  createMemorySessionStorage,
  createSession,
  createSessionStorage,
  type Engine,
  SessionError,
  type SessionEvent,
  type StorageOptions,
} from "../../mod.ts";
import { memoryEngine } from "../engines/_memory.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "./_fake_engine.ts";
import { random } from "./_schedule.ts";

interface Data {
  user: string;
  device: string;
}

const owner = ({ user }: Partial<Data>) => user;
const DAY = 24 * 60 * 60;

function setUp(
  { engine = new FakeEngine(), ...options }:
    & StorageOptions<Data>
    & { engine?: FakeEngine } = {},
) {
  const clock = { now: 1e12 };
  const events: SessionEvent["type"][] = [];
  const storage = createSessionStorage<Data>({
    engine,
    owner,
    now: () => clock.now,
    onEvent: ({ type }) => events.push(type),
    ...options,
  });
  async function login(user: string, device = "laptop"): Promise<string> {
    const session = await storage.read(null);
    session.set("user", user);
    session.set("device", device);
    return await storage.save(session) ?? "";
  }
  const alive = async (id: string | null) =>
    (await storage.read(id)).has("user");
  const devices = async (user: string) =>
    (await storage.listSessions(user)).map(({ data }) => data.device);
  return { engine, clock, events, storage, login, alive, devices };
}

Deno.test("createSessionStorage() throws, when the engine does not support owner", () => {
  const says = "Cannot create storage: owner requires an engine";
  const cookie = { secrets: ["s3cr3t"] };
  const four = {
    createData: () => Promise.resolve("1"),
    readData: () => Promise.resolve(null),
    updateData: async () => {},
    deleteData: async () => {},
  };
  const kv = {
    get: () => Promise.resolve(null),
    getWithMetadata: () => Promise.resolve({ value: null, metadata: null }),
    put: async () => {},
    delete: async () => {},
  };
  const makers: (() => unknown)[] = [
    () => createCookieSessionStorage({ cookie, owner }),
    () => createSessionStorage({ ...four, cookie, owner }),
    () => createCloudflareKVSessionStorage({ kv: kv as never, owner }),
    () => createMemcacheSessionStorage({ url: "localhost:1", owner }),
    ...[{ compareAndSet: false }, { reads: "eventual" }, { evicts: "any" }]
      .map((less) => () =>
        createSessionStorage({ engine: new FakeEngine(less as never), owner })
      ),
  ];
  for (const make of makers) assertThrows(make, TypeError, says, rowName(make));
  assertThrows(
    () => createMemorySessionStorage({ owner: "user" as never }),
    TypeError,
    "Cannot create storage: owner must be a function",
  );
});

Deno.test("listSessions() and destroySessions() say what to change, when they are called wrongly", async () => {
  const without = createMemorySessionStorage();
  for (
    const call of [
      () => without.listSessions("u1"),
      () => without.destroySessions("u1"),
    ]
  ) {
    await assertRejects(
      call,
      TypeError,
      "the storage was created without owner; add the option owner",
      rowName(call),
    );
  }
  const { storage } = setUp();
  for (const name of ["", undefined, 7]) {
    await assertRejects(
      () => storage.listSessions(name as string),
      TypeError,
      "owner must be a non-empty string",
      rowName(name),
    );
  }
  await assertRejects(
    () => storage.destroySessions("u1", { except: { id: "x" } as never }),
    TypeError,
    "only must be a session of this library, or an id",
  );
});

Deno.test('owner() may return undefined, null or "" for nobody, and any other non-string throws', async () => {
  for (const name of [undefined, null, ""]) {
    const { engine, storage, login } = setUp({ owner: () => name as string });
    const id = await login("u1");
    assertEquals([...engine.records.keys()], [hashId(id)], rowName(name));
    assertEquals(await storage.listSessions("u1"), [], rowName(name));
  }
  const { engine, storage } = setUp({ owner: () => 7 as never });
  const session = await storage.read(null);
  session.set("user", "u1");
  await assertRejects(
    () => storage.save(session),
    TypeError,
    "owner must return a string",
  );
  assertEquals(engine.records.size, 0);
});

Deno.test("storage.save() reads the owner's list once and writes it twice at sign-in, and not while the owner stays", async () => {
  const { engine, storage, login } = setUp();
  const id = await login("u1");
  assertEquals(engine.calls, ["read", "write", "write", "write"]);
  engine.calls = [];
  const session = await storage.read(id);
  session.set("device", "phone");
  await storage.save(session);
  assertEquals(engine.calls, ["read", "write"]);
  engine.calls = [];
  session.destroy();
  await storage.save(session);
  assertEquals(engine.calls, ["delete", "read", "read", "delete"]);
  assertEquals(engine.records.size, 0, "an empty index goes");
});

Deno.test("storage.save() does not put ids or names into an owner's list, and accepts any name", async () => {
  const { engine, storage, login, devices } = setUp();
  const names = ["__proto__", "ann", "Ann", "a\u0301", "\u00e1", "\ud800"];
  names.push("\udfff", "\ufffd", "x".repeat(10_000));
  const ids: string[] = [];
  for (const name of names) ids.push(await login(name, `of ${name}`));
  for (const name of names) {
    assertEquals(await devices(name), [`of ${name}`], name);
  }
  assertEquals(engine.records.size, 2 * names.length);
  const key = "QMAQ2CKk_F72ELbJNmIcvEvYx15-nOt_tuYc6BfNGGE";
  assertEquals(hashOwner("ann"), key);
  const index = engine.records.get(key)?.value ?? "";
  const listed = `["${hashId(ids[1] ?? "")}",${1e12 + 14 * DAY * 1000}]`;
  assertEquals(index, `["owner/2","QMAQ2CKk",[${listed}]]`);
  for (const id of ids) {
    for (const { value } of engine.records.values()) {
      assertFalse(value.includes(id), rowName(id, value));
    }
  }
  const [first] = await storage.listSessions("ann");
  assertEquals(first?.id, hashId(ids[1] ?? ""));
});

Deno.test("listSessions() returns when a session began, was used and expires", async () => {
  const { clock, storage, login } = setUp({ idleTimeout: 600 });
  const start = clock.now;
  const id = await login("u1");
  clock.now += 300_000;
  const [read] = await storage.listSessions("u1");
  assertEquals([read?.created, read?.lastSeen], [start, start]);
  await storage.read(id);
  const [touched] = await storage.listSessions("u1");
  assertEquals(touched?.lastSeen, clock.now, "reading is use");
  assertEquals(touched?.expires, clock.now + 600_000);
  clock.now += 600_000;
  assertEquals(await storage.listSessions("u1"), []);
});

Deno.test("listSessions() marks the current session, under its id or its old id", async () => {
  const { storage, login } = setUp();
  const [mine] = [await login("u1", "mine"), await login("u1", "other")];
  const session = await storage.read(mine);
  const marked = async (current: typeof session | string) =>
    (await storage.listSessions("u1", { current }))
      .filter(({ current }) => current).map(({ data }) => data.device);
  assertEquals(await marked(mine), ["mine"]);
  session.regenerateId();
  assertEquals(await marked(session), ["mine"]);
  assertEquals(
    (await storage.listSessions("u1")).some((s) => s.current),
    false,
  );
});

Deno.test("owner sets absoluteTimeout to 400 days, when it is not given", async () => {
  for (const absoluteTimeout of [undefined, 500 * DAY]) {
    const { engine, clock, login, alive, devices } = setUp({
      absoluteTimeout,
      idleTimeout: 300 * DAY,
    });
    const id = await login("u1");
    const end = clock.now + (absoluteTimeout ?? 400 * DAY) * 1000;
    assertEquals(
      engine.records.get(hashOwner("u1"))?.expires,
      end,
      rowName(absoluteTimeout),
    );
    for (let day = 0; day < 13; day++) await alive(id);
    clock.now = end;
    assertFalse(await alive(id), rowName(absoluteTimeout));
    assertEquals(await devices("u1"), [], rowName(absoluteTimeout));
  }
});

Deno.test("destroySessions() keeps the given session, under its id or its old id", async () => {
  for (const as of ["session", "id", "hash"] as const) {
    const { storage, login, alive, devices } = setUp();
    const [mine, other] = [await login("u1", "mine"), await login("u1")];
    const session = await storage.read(mine);
    if (as === "session") session.regenerateId();
    const except = { session, id: mine, hash: hashId(mine) }[as];
    assertEquals(
      await storage.destroySessions("u1", { except }),
      1,
      rowName(as),
    );
    assertFalse(await alive(other), rowName(as));
    session.set("device", "still mine");
    const now = await storage.save(session);
    assert(await alive(now), rowName(as));
    assertEquals(await devices("u1"), ["still mine"], rowName(as));
  }
});

Deno.test("destroySessions() revokes the old id too, when keepOld kept it", async () => {
  const { storage, login, alive, devices } = setUp();
  const old = await login("u1", "old");
  const session = await storage.read(old);
  session.set("device", "new");
  session.regenerateId({ keepOld: true });
  const fresh = await storage.save(session);
  assertEquals((await devices("u1")).sort(), ["new", "old"]);
  assert(await alive(old) && await alive(fresh));
  assertEquals(await storage.destroySessions("u1"), 2);
  assertFalse(await alive(old) || await alive(fresh));
});

Deno.test("destroySessions() keeps a listed session, when it has another owner now", async () => {
  const { engine, storage, login, alive, devices } = setUp();
  const id = await login("u1");
  const before = engine.records.get(hashOwner("u1"));
  const session = await storage.read(id);
  session.set("user", "u2");
  await storage.save(session);
  assertEquals(engine.records.has(hashOwner("u1")), false);
  // As if the process had ended before it could unlist the session.
  if (before) engine.records.set(hashOwner("u1"), before);
  assertEquals(await devices("u1"), []);
  assertEquals(await storage.destroySessions("u1"), 0);
  assert(await alive(id));
  assertEquals(await devices("u2"), ["laptop"]);
});

Deno.test("destroySessions() can be repeated, when the engine failed half-way", async () => {
  const places = { read: 3, write: 1, delete: 2 } as const;
  for (const verb of ["read", "write", "delete"] as const) {
    for (let good = 0; good < places[verb]; good++) {
      const { engine, storage, login, alive } = setUp();
      const ids = [await login("u1"), await login("u1"), await login("u1")];
      const spared = ids.pop() ?? "";
      engine.play(verb, ...Array(good).fill("pass"), "fail");
      const options = { except: spared };
      const error = await assertRejects(
        () => storage.destroySessions("u1", options),
        SessionError,
        undefined,
        rowName(verb, good),
      );
      assertEquals(error.code, "store-failed", rowName(verb, good));
      assert(engine.played, rowName(verb, good));
      await storage.destroySessions("u1", options);
      for (const id of ids) {
        assertFalse(await alive(id), rowName(verb, good, id));
      }
      assert(await alive(spared), rowName(verb, good));
    }
  }
});

Deno.test("storage.save() does not store the session, when its owner's list cannot be written", async () => {
  const { engine, storage } = setUp();
  engine.play("write", "fail");
  const session = await storage.read(null);
  session.set("user", "u1");
  const error = await assertRejects(() => storage.save(session), SessionError);
  assertEquals(error.code, "store-failed");
  assertEquals(engine.records.size, 0);
  await storage.save(session);
  assertEquals((await storage.listSessions("u1")).length, 1);
});

Deno.test("storage.save() succeeds, when a session cannot be unlisted", async () => {
  const { engine, storage, login, devices } = setUp();
  const session = await storage.read(await login("u1"));
  session.destroy();
  engine.play("read", "fail");
  assertEquals(await storage.save(session), "");
  assertEquals(await devices("u1"), []);
});

Deno.test("listSessions() throws and reports corrupt-record, when the list is damaged", async () => {
  const { engine, events, storage, login, devices } = setUp();
  await login("u1");
  const key = hashOwner("u1");
  const record = engine.records.get(key);
  const texts = ["", "{}", '["owner/1"]', '["owner/1","other",[]]'];
  texts.push(`["owner/1","${key.slice(0, 8)}",[["x"]]]`);
  for (const value of texts) {
    if (record) engine.records.set(key, { ...record, value });
    for (
      const call of [
        () => storage.listSessions("u1"),
        () => storage.destroySessions("u1"),
      ]
    ) {
      await assertRejects(
        call,
        SessionError,
        "the list of them is damaged",
        rowName(value, call),
      );
    }
    assertEquals(events.pop(), "corrupt-record", rowName(value));
  }
  await login("u1", "phone");
  assertEquals(await devices("u1"), ["phone"], "the next sign-in begins anew");
});

Deno.test("storage.save() unlists expired sessions, and revokes the one that expires first, when the list is full", async () => {
  const { clock, events, storage, login, alive, devices } = setUp({
    idleTimeout: DAY,
  });
  const used = await login("u1", "used");
  for (let i = 0; i < 498; i++) await login("u1", `${i}`);
  clock.now += DAY * 1000 - 1;
  assert(await alive(used));
  clock.now += 1;
  const next = await login("u1", "next");
  assertEquals((await devices("u1")).sort(), ["next", "used"]);
  for (let i = 0; i < 498; i++) {
    clock.now += 1;
    await login("u1", `${i}`);
  }
  assertFalse(events.includes("evicted"));
  clock.now += 1;
  await login("u1", "last");
  assertEquals(events.filter((type) => type === "evicted").length, 1);
  assertEquals((await storage.listSessions("u1")).length, 500);
  assertEquals([await alive(used), await alive(next)], [false, true]);
});

Deno.test("storage.save() does not revoke the session that takes a new id, nor one in use, when the list is full", async () => {
  const engine = new FakeEngine({ maxBytes: 600 });
  const { clock, events, storage, login, alive } = setUp({
    engine,
    idleTimeout: DAY,
  });
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    ids.push(await login("u1", `${i}`));
    clock.now += 1000;
  }
  const [first = "", second = ""] = ids;
  const session = await storage.read(first);
  session.regenerateId();
  const renewed = await storage.save(session);
  assert(await alive(renewed));
  assertFalse(events.includes("evicted"));

  clock.now += DAY * 500;
  assert(await alive(second));
  events.length = 0;
  await login("u1", "new");
  assertEquals(events, ["evicted", "created"]);
  assertEquals(
    [await alive(renewed), await alive(second), await alive(ids[2] ?? "")],
    [true, true, false],
  );
});

Deno.test("destroySessions() revokes sessions, when absoluteTimeout was raised after they began", async () => {
  const engine = new FakeEngine();
  const before = setUp({ engine, absoluteTimeout: 3600 });
  const after = setUp({ engine });
  const id = await before.login("u1");
  const session = await after.storage.read(id);
  session.set("device", "phone");
  await after.storage.save(session);
  after.clock.now += 2 * 3600 * 1000;
  engine.drop(after.clock.now);
  assert(await after.alive(id));
  assertEquals(await after.storage.destroySessions("u1"), 1);
  assertFalse(await after.alive(id));
});

Deno.test("createMemorySessionStorage() evicts sessions before the list that names them, when it is full", async () => {
  const storage = createMemorySessionStorage<Data>({ maxSessions: 6, owner });
  const save = async (id: string | null, device: string) => {
    const session = await storage.read(id);
    session.set("user", "u1");
    session.set("device", device);
    return await storage.save(session);
  };
  const first = await save(null, "first");
  for (let i = 0; i < 20; i++) {
    const session = createSession<Data>({ device: "nobody's" });
    await storage.save(session);
    await save(first, `${i}`);
  }
  assertEquals((await storage.listSessions("u1")).length, 1);
  assertEquals(await storage.destroySessions("u1"), 1);
  assertFalse((await storage.read(first)).has("user"));
});

for (const indexed of [true, false]) {
  const by = indexed ? "the engine's index" : "a list";
  Deno.test(`maxPerOwner does not count sessions that have expired, by ${by}`, async () => {
    let now = 1e12;
    const options = { owner, maxPerOwner: 2, now: () => now };
    const storage = indexed
      ? createMemorySessionStorage<Data>(options)
      : createSessionStorage<Data>({ engine: new FakeEngine(), ...options });
    const login = async (device: string, maxAge?: number) => {
      now += 1000;
      const session = await storage.read(null);
      session.set("user", "ann");
      session.set("device", device);
      await storage.save(session, maxAge === undefined ? {} : { maxAge });
    };
    await login("laptop");
    await login("kiosk", 60);
    now += 60_000;
    await login("phone");
    const devices = async () =>
      (await storage.listSessions("ann")).map(({ data }) => data.device);
    assertEquals(await devices(), ["phone", "laptop"]);
    await login("tablet");
    assertEquals(await devices(), ["tablet", "phone"]);
  });
}

Deno.test("createSessionStorage() refuses maxPerOwner, when the engine cannot hold such a list", () => {
  const create = (maxPerOwner: number) =>
    createSessionStorage<Data>({
      engine: new FakeEngine({ maxBytes: 4096 }),
      owner,
      maxPerOwner,
    });
  create(50);
  assertThrows(
    () => create(51),
    RangeError,
    "Cannot create storage: maxPerOwner must be at most 50, because the engine's largest record holds a list of no more sessions; received 51",
  );
});

/** An engine whose calls take their time, so that requests overtake each other. */
class SlowEngine extends FakeEngine {
  readonly #draw = random(1);

  async #wait(): Promise<void> {
    for (let turns = this.#draw() * 64; turns > 0; turns--) await undefined;
  }

  override async read(...args: Parameters<FakeEngine["read"]>) {
    await this.#wait();
    return await super.read(...args);
  }

  override async write(...args: Parameters<FakeEngine["write"]>) {
    await this.#wait();
    return await super.write(...args);
  }
}

Deno.test("maxPerOwner keeps as many sessions as it says, when there are many logins at one instant", async () => {
  for (let round = 0; round < 20; round++) {
    const { login, devices } = setUp({
      engine: new SlowEngine(),
      maxPerOwner: 2,
    });
    await Promise.all(Array.from({ length: 5 + round }, () => login("ann")));
    assertEquals((await devices("ann")).length, 2, `round ${round}`);
  }
});

Deno.test("destroySessions() revokes only the given session, when it has taken a new id since it was listed", async () => {
  const { storage, login } = setUp();
  const [phone, laptop] = [await login("u1", "phone"), await login("u1")];
  const listed = await storage.listSessions("u1", { current: phone });
  const [own] = listed.filter(({ current }) => current);
  const session = await storage.read(phone);
  session.regenerateId();
  const moved = await storage.save(session);
  assertEquals(
    await storage.destroySessions("u1", { only: own?.id ?? "" }),
    1,
  );
  assertFalse((await storage.read(moved)).has("user"));
  assert((await storage.read(laptop)).has("user"));
  assertEquals((await storage.listSessions("u1")).length, 1);
});

Deno.test("maxPerOwner spares the session that takes a new id, when its old id is kept", async () => {
  const engines: Engine[] = [
    new FakeEngine(),
    memoryEngine(100, () => 1e12, () => {}),
  ];
  for (const engine of engines) {
    const storage = createSessionStorage<Data>({
      engine,
      owner,
      maxPerOwner: 1,
      now: () => 1e12,
    });
    const session = await storage.read(null);
    session.set("user", "u1");
    const id = await storage.save(session);
    const again = await storage.read(id);
    again.regenerateId({ keepOld: true });
    const fresh = await storage.save(again);
    for (const kept of [id, fresh]) {
      assert((await storage.read(kept)).has("user"), rowName(engine));
    }
  }
});

Deno.test("storage.destroySessions() throws conflict, when logins do not end", async () => {
  const engine = memoryEngine(100, () => 1e12, () => {});
  const options = { owner, now: () => 1e12 };
  const other = createSessionStorage<Data>({ engine, ...options });
  let logins = 0;
  const storage = createSessionStorage<Data>({
    engine: {
      ...engine,
      async owned(key) {
        const session = await other.read(null);
        session.set("user", "ann");
        await other.save(session);
        logins++;
        return await engine.owned(key);
      },
    },
    ...options,
  });
  const error = await assertRejects(
    () => storage.destroySessions("ann"),
    SessionError,
  );
  assertEquals(error.code, "conflict");
  assertEquals(logins, 51);
  assertEquals((await other.listSessions("ann")).length, 1);
});
