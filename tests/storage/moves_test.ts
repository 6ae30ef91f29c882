/**
 * A new id by one call of the engine: what a save does if that call fails, has its effect late, or says no. All orders of
 * steps are in `faults_model_test.ts`.
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { rowName } from "../_row.ts";
import { assertSessionError } from "../core/_support.ts";
import type { Session } from "../../core/session.ts";
import type { SessionEvent, SessionStorage } from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine, type Trick, type Verb } from "./_fake_engine.ts";

interface Bench {
  readonly engine: FakeEngine;
  readonly storage: SessionStorage;
  readonly events: SessionEvent["type"][];
  /** The id of a visitor's session. */
  readonly old: string;
}

async function setUp(options: { maxBytes?: number } = {}): Promise<Bench> {
  const engine = new FakeEngine({ moves: true, ...options });
  const events: SessionEvent["type"][] = [];
  const storage = createSessionStorage({
    engine,
    engineTimeout: 0.01,
    onEvent: ({ type }) => events.push(type),
  });
  const session = await storage.read(null);
  session.set("cart", ["tea"]);
  const old = await storage.save(session) ?? "";
  engine.calls = [];
  events.length = 0;
  return { engine, storage, events, old };
}

/** Ways to a new id, and whether the cart comes along. */
const LOGINS: Record<string, [(session: Session) => void, keeps: boolean]> = {
  "restart()": [(session) => session.restart(), false],
  "restart({ keep })": [
    (session) => session.restart({ keep: ["cart"] }),
    true,
  ],
  "regenerateId()": [(session) => session.regenerateId(), true],
};

/** Reads the session and takes a new id. Returns the session, which is not saved. */
async function begin(
  { storage, old }: Bench,
  login: (session: Session) => void,
): Promise<Session> {
  const session = await storage.read(old);
  login(session);
  session.set("user", "ann");
  return session;
}

/** Fails unless the login holds, the old id does not, and there is one session. */
async function assertSignedIn(
  { engine, storage, old }: Bench,
  id: string | null,
  keeps: boolean,
  what: string,
): Promise<void> {
  assert(id, what);
  assertNotEquals(id, old, what);
  const session = await storage.read(id);
  assertEquals(session.get("user"), "ann", what);
  assertEquals(session.has("cart"), keeps, `${what}: the cart`);
  const late = await storage.read(old);
  assertEquals(late.data, {}, `${what}: the old id`);
  assertEquals(engine.sessions, 1, `${what}: sessions`);
}

for (const [name, [login, keeps]] of Object.entries(LOGINS)) {
  Deno.test(`storage.save() takes the new id of ${name} by one call`, async () => {
    const bench = await setUp();
    const session = await begin(bench, login);
    bench.engine.calls = [];
    const id = await bench.storage.save(session);
    const writes = bench.engine.calls.filter((verb) => verb !== "read");
    assertEquals(writes, ["move"]);
    assert(id === session.id);
    await assertSignedIn(bench, id, keeps, name);
    // The version that move() returned is that of the new record.
    session.set("page", 1);
    bench.engine.calls = [];
    assertEquals(await bench.storage.save(session), id);
    assertEquals(bench.engine.calls, ["write"]);
  });

  Deno.test(`storage.save() takes the new id of ${name}, when move() fails, says no, or its answer is lost`, async () => {
    const tricks: Record<string, Trick> = {
      "before its effect": "fail",
      "after its effect": "late failure",
      "another version is stored": "conflict",
      "no answer": { before: () => new Promise(() => {}) },
    };
    for (const [what, trick] of Object.entries(tricks)) {
      const bench = await setUp();
      const session = await begin(bench, login);
      bench.engine.play("move", trick);
      const id = await bench.storage.save(session);
      assert(bench.engine.played, what);
      await assertSignedIn(bench, id, keeps, what);
      const failed = bench.events.includes("engine-error");
      assertEquals(failed, trick !== "conflict", `${what}: is it reported`);
    }
  });

  Deno.test(`storage.save() takes the new id of ${name}, when move() takes effect after its time is up, at any call after it`, async () => {
    for (const verb of ["read", "write"] as Verb[]) {
      for (let skip = 0; skip < 2; skip++) {
        const bench = await setUp();
        const session = await begin(bench, login);
        const land = Promise.withResolvers<void>();
        const landed = Promise.withResolvers<void>();
        const { move } = bench.engine;
        Object.assign(bench.engine, {
          move: async (...call: Parameters<NonNullable<typeof move>>) => {
            await land.promise;
            const version = await move?.(...call);
            landed.resolve();
            return version;
          },
        });
        const now = async () => {
          land.resolve();
          await landed.promise;
        };
        // Reads of restart({ keep }) come before the move.
        if (verb === "read" && name === "restart({ keep })") skip++;
        const pass = Array<Trick>(skip).fill("pass");
        bench.engine.play(verb, ...pass, { before: now });
        const id = await bench.storage.save(session);
        await now();
        await assertSignedIn(bench, id, keeps, `${skip} ${verb}`);
      }
    }
  });

  Deno.test(`storage.save() stores the session of ${name} once, when it failed and is repeated`, async () => {
    for (const trick of ["fail", "late failure"] as const) {
      const bench = await setUp();
      const session = await begin(bench, login);
      bench.engine.play("move", trick);
      bench.engine.play("write", "fail");
      await assertSessionError(
        () => bench.storage.save(session),
        "store-failed",
        "Cannot save session",
      );
      const id = await bench.storage.save(session);
      await assertSignedIn(bench, id, keeps, trick);
    }
  });

  Deno.test(`storage.save() refuses a move() that returns nothing, and says what it must return, after ${name}`, async () => {
    const bench = await setUp();
    const session = await begin(bench, login);
    bench.engine.play("move", { answer: undefined });
    await assertSessionError(
      () => bench.storage.save(session),
      "store-failed",
      "Cannot save session: the engine's move() returned undefined; it must return the new record's version, or null if it has changed nothing",
    );
  });

  Deno.test(`storage.save() throws too-large after ${name}, and the old session stays`, async () => {
    const bench = await setUp({ maxBytes: 500 });
    const session = await begin(bench, login);
    session.set("big", "x".repeat(600));
    bench.engine.calls = [];
    await assertSessionError(() => bench.storage.save(session), "too-large");
    assert(!bench.engine.calls.includes("write"), "nothing is written");
    assert(!bench.engine.calls.includes("move"), "nothing is moved");
    const visitor = await bench.storage.read(bench.old);
    assertEquals(visitor.data, { cart: ["tea"] });
    session.unset("big");
    const id = await bench.storage.save(session);
    await assertSignedIn(bench, id, keeps, "repeated");
  });
}

Deno.test("storage.save() does not call move(), when the old id is kept, or the engine does not compare", async () => {
  const bench = await setUp();
  const session = await begin(
    bench,
    (session) => session.regenerateId({ keepOld: true }),
  );
  const id = await bench.storage.save(session);
  assert(!bench.engine.calls.includes("move"));
  for (const each of [bench.old, id]) {
    assert((await bench.storage.read(each)).has("cart"), rowName(each));
  }

  const engine = new FakeEngine({ moves: true, compareAndSet: false });
  const storage = createSessionStorage({ engine });
  const visitor = await storage.read(null);
  visitor.set("cart", ["tea"]);
  const other = await begin(
    { ...bench, engine, storage, old: await storage.save(visitor) ?? "" },
    (session) => session.regenerateId(),
  );
  await storage.save(other);
  assert(!engine.calls.includes("move"));
});

Deno.test("storage.save() drops a change of rights, when its move fails and the visitor signs out under the old id", async () => {
  for (const trick of ["fail", "late failure"] as const) {
    const bench = await setUp();
    const session = await begin(bench, (session) => session.regenerateId());
    bench.engine.play("move", trick);
    bench.engine.play("write", {
      before: async () => {
        const leaving = await bench.storage.read(bench.old);
        leaving.destroy();
        await bench.storage.save(leaving);
      },
    });
    const id = await bench.storage.save(session);
    const found = await bench.storage.read(id);
    assertEquals(found.has("user"), false, trick);
    assertEquals(bench.engine.sessions, 0, trick);
  }
});

Deno.test("storage.save() merges what another request has saved, when its move comes too late", async () => {
  for (const [name, [login, keeps]] of Object.entries(LOGINS)) {
    const bench = await setUp();
    const session = await begin(bench, login);
    bench.engine.play("move", {
      before: async () => {
        const elsewhere = createSessionStorage({ engine: bench.engine });
        const other = await elsewhere.read(bench.old);
        other.set("cart", ["tea", "milk"]);
        await elsewhere.save(other);
      },
    });
    const id = await bench.storage.save(session);
    await assertSignedIn(bench, id, keeps, name);
    const found = await bench.storage.read(id);
    const cart = keeps ? ["tea", "milk"] : undefined;
    assertEquals(found.get("cart"), cart, name);
  }
});
