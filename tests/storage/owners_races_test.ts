/**
 * Signing out everywhere while requests of the same user are under way: every order of the engine's steps is tried. The
 * quick form tries the orders with few switches between requests.
 */
import { assert, assertEquals } from "@std/assert";
import {
  createSessionStorage,
  type Engine,
  type SessionStorage,
} from "../../mod.ts";
import { memoryEngine, movingMemoryEngine } from "../engines/_memory.ts";
import { effort } from "../_effort.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "./_fake_engine.ts";
import { everyOrder } from "./_schedule.ts";

type Storage = SessionStorage;
type Request = (storage: Storage, ids: readonly string[]) => Promise<unknown>;

const owner = (data: { user?: string }) => data.user;

/** Engines that find an owner's sessions by lists, and by an index. */
const engines: Record<string, () => Engine> = {
  lists: () => new FakeEngine(),
  index: () => memoryEngine(1000, Date.now, () => {}),
  "lists, a new id is one call": () => new FakeEngine({ moves: true }),
  "index, a new id is one call": () =>
    movingMemoryEngine(1000, Date.now, () => {}),
};

/** Runs requests in every order of their calls to the engine; returns the number of orders. */
function inEveryOrder(
  open: () => Engine,
  before: readonly string[],
  requests: readonly Request[],
  check: (
    storage: Storage,
    ids: readonly string[],
    results: readonly unknown[],
  ) => Promise<void>,
): Promise<number> {
  return everyOrder(async (schedule) => {
    const memory = open();
    const storage = createSessionStorage({ engine: memory, owner });
    const ids: string[] = [];
    for (const user of before) ids.push(await login(storage, user));
    const results = await schedule.run(requests.map((request) => {
      const engine = schedule.engine(memory);
      const own = createSessionStorage({ engine, owner });
      return () => request(own, ids);
    }));
    await check(storage, ids, results);
  }, effort.thorough ? {} : { switches: 4 });
}

async function login(storage: Storage, user: string): Promise<string> {
  const session = await storage.read(null);
  session.set("user", user);
  return await storage.save(session) ?? "";
}

async function alive(storage: Storage, id: unknown): Promise<boolean> {
  return (await storage.read(id as string)).has("user");
}

/** Checks that exactly the user's sessions are in the list. */
async function assertIndexed(
  storage: Storage,
  user: string,
  ids: readonly unknown[],
): Promise<void> {
  const listed = (await storage.listSessions(user)).length;
  let living = 0;
  for (const id of new Set(ids)) if (await alive(storage, id)) living++;
  assertEquals(listed, living);
}

const signOut: Request = (storage) => storage.destroySessions("u1");

const regenerate: Request = async (storage, [id = ""]) => {
  const session = await storage.read(id);
  session.regenerateId();
  await storage.save(session);
  return session.id;
};

const change: Request = async (storage, [id = ""]) => {
  const session = await storage.read(id);
  session.set("cart", ["tea"]);
  return await storage.save(session);
};

const become = (user: string): Request => async (storage, [id = ""]) => {
  const session = await storage.read(id);
  session.set("user", user);
  return await storage.save(session);
};

for (const [name, open] of Object.entries(engines)) {
  Deno.test(`destroySessions() revokes a session, when it gets a new id in the meantime, in every order of steps (${name})`, async () => {
    const orders = await inEveryOrder(
      open,
      ["u1"],
      [regenerate, signOut],
      async (storage, [old], [fresh]) => {
        // If signing out began first, the request got a new session, which it never saved.
        assert(!await alive(storage, old), "the old id");
        assert(!await alive(storage, fresh), "the new id");
        assertEquals(await storage.listSessions("u1"), []);
      },
    );
    assert(orders > 20, `${orders} orders`);
  });

  Deno.test(`destroySessions({ only }) revokes a session, when it gets a new id in the meantime, in every order of steps (${name})`, async () => {
    await inEveryOrder(
      open,
      ["u1", "u1"],
      [
        regenerate,
        (storage, [only = ""]) => storage.destroySessions("u1", { only }),
      ],
      async (storage, [old, other], [fresh]) => {
        assert(!await alive(storage, old), "the old id");
        assert(!await alive(storage, fresh), "the new id");
        assert(await alive(storage, other), "the other session");
      },
    );
  });

  Deno.test(`destroySessions() revokes a session, when it is changed in the meantime, in every order of steps (${name})`, async () => {
    const orders = await inEveryOrder(
      open,
      ["u1"],
      [change, signOut],
      async (storage, [id]) => {
        assert(!await alive(storage, id));
        assertEquals(await storage.listSessions("u1"), []);
      },
    );
    assert(orders > 10, `${orders} orders`);
  });

  Deno.test(`destroySessions() revokes a parallel login or leaves it listed, in every order of steps (${name})`, async () => {
    const both = new Set<boolean>();
    await inEveryOrder(
      open,
      ["u1"],
      [(storage) => login(storage, "u1"), signOut],
      async (storage, [old], [fresh]) => {
        assert(!await alive(storage, old));
        await assertIndexed(storage, "u1", [fresh]);
        both.add(await alive(storage, fresh));
        await storage.destroySessions("u1");
        assert(!await alive(storage, fresh));
      },
    );
    assertEquals(both.size, 2, "both happen");
  });

  Deno.test(`listSessions() returns both of two parallel logins, in every order of steps (${name})`, async () => {
    await inEveryOrder(
      open,
      [],
      [(storage) => login(storage, "u1"), (storage) => login(storage, "u1")],
      async (storage, _, ids) => {
        for (const id of ids) assert(await alive(storage, id), rowName(id));
        assertEquals((await storage.listSessions("u1")).length, 2);
      },
    );
  });

  Deno.test(`listSessions() returns a session of its owner only, when two requests change its owner, in every order of steps (${name})`, async () => {
    await inEveryOrder(
      open,
      ["u1"],
      [become("u2"), become("u1")],
      async (storage, [id = ""]) => {
        const user = (await storage.read(id)).get("user");
        if (user === undefined) return; // signed out, because the other request unlisted it
        const other = user === "u1" ? "u2" : "u1";
        assertEquals((await storage.listSessions(user)).length, 1, user);
        assertEquals(await storage.listSessions(other), []);
      },
    );
  });
}
