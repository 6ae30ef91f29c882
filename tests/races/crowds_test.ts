// Many requests of one session, and many logins of one owner, at once.
import {
  createMemorySessionStorage,
  createSessionStorage,
  type Engine,
  type SessionEvent,
  type SessionStorage,
  type StorageOptions,
} from "@satchel/session";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { setImmediate } from "node:timers";
import { Random } from "../../conformance/trial/random.ts";
import { Turns } from "../../storage/sessions/turns.ts";
import { effort } from "../_effort.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { crowds } from "./_crew.ts";
import { badLogins, crowd, openSession, type Told } from "./_crowd.ts";
import { openStorage, withEngines } from "./_engines.ts";
import { Network } from "./_network.ts";

const PROCESSES = 2;
const REQUESTS = effort.thorough ? 200 : 50;
const ALL = PROCESSES * REQUESTS;

const owner: StorageOptions["owner"] = ({ user }) => user;

function assertAnswered({ statuses }: Told, count: number, row: string): void {
  assertEquals(statuses, Array(count).fill(200), `${row}: statuses`);
}

async function assertWritten(
  storage: SessionStorage,
  cookie: string,
  count: number,
  row: string,
): Promise<void> {
  const session = await storage.getSession(cookie);
  assertEquals(session.size, 1 + count, `${row}: values`);
}

async function assertListed(
  storage: SessionStorage,
  { cookies }: Told,
  count: number,
  row: string,
): Promise<void> {
  assertEquals(cookies.length, count, `${row}: cookies`);
  assertEquals(await badLogins(storage, cookies), [], `${row}: findings`);
}

await withEngines(({ name, start }) => {
  // To start one takes seconds.
  if (name === "Redis Cluster" && !effort.thorough) return;
  Deno.test(`save() fails for none of ${REQUESTS} requests of one session, when ${PROCESSES} processes send them at once on ${name}`, async () => {
    const { place, stop } = await start();
    const { storage, close } = await openStorage(place);
    try {
      const cookie = await openSession(storage);
      const plan = { requests: REQUESTS, cookie };
      const told = await crowds({ place, processes: PROCESSES, plan });
      assertAnswered(told, ALL, name);
      await assertWritten(storage, cookie, ALL, name);
    } finally {
      await close();
      await stop();
    }
  });

  // Memcached evicts live records, so it does not support owner.
  if (name === "Memcached") return;
  Deno.test(`save() fails for none of ${REQUESTS} logins of one owner, when ${PROCESSES} processes send them at once on ${name}`, async () => {
    const { place, stop } = await start();
    const { storage, close } = await openStorage(place, { owner });
    try {
      const plan = { requests: REQUESTS };
      const told = await crowds({ place, processes: PROCESSES, plan });
      assertAnswered(told, ALL, name);
      await assertListed(storage, told, ALL, name);
    } finally {
      await close();
      await stop();
    }
  });
});

/** Storages in this process: on an engine with an index of owners, and on one with lists. */
const STORAGES: Readonly<
  Record<string, (options: StorageOptions) => SessionStorage>
> = {
  memory: createMemorySessionStorage,
  "an engine of one's own": (options) =>
    createSessionStorage({ ...options, engine: new FakeEngine() }),
};

for (const [name, create] of Object.entries(STORAGES)) {
  Deno.test(`save() has no conflicts and needs no timer, when 200 requests of one process come at once with ${name}`, async () => {
    const events: SessionEvent["type"][] = [];
    const onEvent = ({ type }: SessionEvent) => void events.push(type);
    const storage = create({ owner, onEvent });
    const cookie = await openSession(storage);
    // All of it takes one turn of the event loop, so nothing has waited for a timer.
    let waited = false;
    setImmediate(() => waited = true);
    const writes = await crowd(storage, { name: "a", requests: 200, cookie });
    const logins = await crowd(storage, { name: "b", requests: 200 });
    assert(!waited, "the event loop has turned");
    assertAnswered(writes, 200, "writes");
    assertAnswered(logins, 200, "logins");
    await assertWritten(storage, cookie, 200, "writes");
    await assertListed(storage, logins, 200, "logins");
    const others = new Set(events);
    assertEquals([...others].sort(), ["committed", "created"]);
  });
}

Deno.test("save() hardly calls the engine more often, when 32 requests are of one session and not of 32", async () => {
  const counts: number[] = [];
  for (const sessions of [32, 1]) {
    const engine = new FakeEngine();
    const storage = createSessionStorage({ engine });
    const ids: string[] = [];
    for (let i = 0; i < sessions; i++) {
      const session = await storage.read(null);
      session.set("first", i);
      ids.push(await storage.save(session) ?? "");
    }
    engine.calls = [];
    let waited = false;
    setImmediate(() => waited = true);
    const requests = Array.from({ length: 32 }, async (_, i) => {
      const session = await storage.read(ids[i % sessions] ?? "");
      session.set(`key ${i}`, i);
      assert(await storage.save(session), `${i} of ${sessions}`);
    });
    await Promise.all(requests);
    assert(!waited, `${sessions}: the event loop has turned`);
    counts.push(engine.calls.length);
  }
  // Each reads and writes. Of one session, every fourth that waits reads once more.
  assertEquals(counts, [64, 64 + 7]);
});

Deno.test("save() lists logins of one owner by few writes, when 200 come at once", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine, owner });
  const told = await crowd(storage, { name: "a", requests: 200 });
  await assertListed(storage, told, 200, "logins");
  const writes = engine.calls.filter((verb) => verb === "write").length;
  assert(writes <= 200 + 10, `${writes} writes`);
});

Deno.test("save() fails for one login only, when the engine fails while it looks for room among those that wait too", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine, owner, maxPerOwner: 1 });
  // The list, and then the first login's session, for the second one.
  engine.play("read", "pass", "fail");
  const logins = await Promise.allSettled([1, 2, 3].map(async (device) => {
    const session = await storage.getSession();
    session.restart();
    session.set("user", "ann");
    session.set("device", device);
    return await storage.commitSession(session);
  }));
  const outcomes = logins.map(({ status }) => status);
  assertEquals(outcomes, ["fulfilled", "rejected", "fulfilled"]);
  const listed = await storage.listSessions("ann");
  assertEquals(listed.map(({ data }) => data["device"]), [3]);
});

Deno.test("save() leaves no queue of turns, when the last of many requests was answered", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine });
  const cookie = await openSession(storage);
  await crowd(storage, { name: "a", requests: 20, cookie });
  const session = await storage.getSession(cookie);
  session.set("last", 1);
  engine.calls = [];
  await storage.commitSession(session);
  // In a queue, it would not trust what it has read.
  assertEquals(engine.calls, ["write"]);
});

Deno.test("save() is fair, when requests of one session come at once", async () => {
  const engine = new FakeEngine();
  const written: string[] = [];
  const listening: Engine = {
    guarantees: engine.guarantees,
    read: (key) => engine.read(key),
    delete: (key, options) => engine.delete(key, options),
    write(key, value, options) {
      written.push(value);
      return engine.write(key, value, options);
    },
  };
  const storage = createSessionStorage({ engine: listening });
  const cookie = await openSession(storage);
  const sessions = await Promise.all(
    Array.from({ length: 50 }, () => storage.getSession(cookie)),
  );
  written.length = 0;
  await Promise.all(sessions.map((session, i) => {
    session.set("last", `request ${i}.`);
    return storage.commitSession(session);
  }));
  const order = written.map((value) => /request (\d+)\./.exec(value)?.[1]);
  assertEquals(order, sessions.map((_, i) => String(i)));
});

Deno.test("save() fails with store-failed for each request that waits, when the engine hangs, and works once it answers", async () => {
  const engine = new FakeEngine();
  const events: SessionEvent["type"][] = [];
  const storage = createSessionStorage({
    engine,
    engineTimeout: 0.05,
    owner,
    onEvent: ({ type }) => void events.push(type),
  });
  const cookie = await openSession(storage);
  const open = async () => await storage.getSession(cookie);
  for (const what of ["writes", "logins"]) {
    const change = async () => {
      const session = await open();
      if (what === "logins") {
        session.restart();
        session.set("user", "ann");
      } else session.set("a", 1);
      return session;
    };
    const sessions = await Promise.all(Array.from({ length: 20 }, change));
    const hangs: Promise<void>[] = [];
    const release: (() => void)[] = [];
    const hang = () => {
      const hanging = Promise.withResolvers<void>();
      hangs.push(hanging.promise);
      release.push(hanging.resolve);
      return hanging.promise;
    };
    const tricks = Array.from({ length: 60 }, () => ({ before: hang }));
    for (const verb of ["read", "write", "delete"] as const) {
      engine.play(verb, ...tricks);
    }
    events.length = 0;
    await Promise.all(sessions.map(async (session, i) => {
      const error = await assertRejects(
        () => storage.commitSession(session),
        `${what} ${i}`,
      );
      const { code } = error as { code?: unknown };
      assertEquals(code, "store-failed", `${what} ${i}`);
    }));
    assertEquals(new Set(events), new Set(["engine-error"]), what);
    engine.forget();
    for (const go of release) go();
    await Promise.all(hangs);
    const next = await Promise.all(Array.from({ length: 20 }, change));
    const cookies = await Promise.all(
      next.map((session) => storage.commitSession(session)),
    );
    assert(cookies.every((cookie) => cookie !== ""), what);
  }
});

for (const [each, jitter] of [[50, 0], [50, 20], [5, 10]] as const) {
  Deno.test(`save() starves no process, when two send 200 requests at once to an engine ${each} to ${each + jitter} ms away`, async () => {
    for (const logins of [false, true]) {
      const network = new Network(true);
      network.random = new Random(7);
      const engine = network.engine(new FakeEngine(), each, each + jitter);
      const open = () =>
        createSessionStorage({
          engine,
          now: () => network.now,
          ...logins ? { owner } : {},
        });
      using _timers = network.takeTimers();
      const first = open();
      const storages = [first, open()];
      let cookie: string | undefined;
      await network.run([async () => void (cookie = await openSession(first))]);
      const told: Told[] = [];
      await network.run(storages.map((storage, i) => async () => {
        const plan = { name: `p${i}`, requests: 200 };
        told.push(await crowd(storage, logins ? plan : { ...plan, cookie }));
      }));
      const all = {
        statuses: told.flatMap(({ statuses }) => statuses),
        cookies: told.flatMap(({ cookies }) => cookies),
      };
      const row = logins ? "logins" : "writes";
      assertAnswered(all, 400, row);
      await network.run([async () => {
        if (logins) await assertListed(first, all, 400, row);
        else await assertWritten(first, cookie ?? "", 400, row);
      }]);
    }
  });
}

Deno.test("take() runs the turns of a key in order, when one is given up", async () => {
  const turns = new Turns<string>();
  const ran: string[] = [];
  const gate = Promise.withResolvers<void>();
  const giveUp = Promise.withResolvers<void>();
  const first = turns.take("key", async (shared) => {
    await gate.promise;
    ran.push("first");
    shared.newest = "first";
  });
  const second = turns.take(
    "key",
    async () => void ran.push("second"),
    () => giveUp.promise,
  );
  const third = turns.take("key", async ({ newest, turn }) => {
    ran.push(`third, after ${newest}, turn ${turn}`);
  });
  giveUp.reject(new Error("given up"));
  await assertRejects(async () => await second, Error, "given up");
  assertEquals(ran, []);
  gate.resolve();
  await Promise.all([first, third]);
  assertEquals(ran, ["first", "third, after first, turn 1"]);
  await turns.take("key", async (shared) => {
    assertEquals(shared, { turn: 0 }, "the queue has gone");
  });
});
