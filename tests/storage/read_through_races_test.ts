/**
 * Requests of one visitor that move their session at the same time, in every order of the engines' steps; and a move
 * that fails, or whose process dies, at every step.
 */
import { assert, assertEquals } from "@std/assert";
import {
  createCookieSessionStorage,
  createReadThroughSessionStorage,
  createSessionStorage,
  SessionError,
  type SessionStorage,
} from "../../mod.ts";
import { memoryEngine } from "../engines/_memory.ts";
import type { Engine } from "../../storage/contract.ts";
import { effort } from "../_effort.ts";
import { rowName } from "../_row.ts";
import { everyOrder } from "./_schedule.ts";

type Storage = SessionStorage;
type Request = (storage: Storage, header: string) => Promise<unknown>;

const owner = (data: { user?: string }) => data.user;
const cookie = { name: "session", secrets: ["s3cr3t"] };

/** Both storages, as a request sees them. */
interface Storages {
  /** The `Cookie` header of a visitor whose session is in the previous storage. */
  readonly header: string;
  storage(through?: (engine: Engine) => Engine, keepOld?: boolean): Storage;
  /** The number of records in each storage. */
  left(): Promise<{ old: number; new: number }>;
}

/** Counts the keys that were ever written. */
function engine(): { engine: Engine; count(): Promise<number> } {
  const keys = new Set<string>();
  const engine = memoryEngine(1000, Date.now, () => {});
  const write = engine.write.bind(engine);
  engine.write = (key, ...rest) => {
    keys.add(key);
    return write(key, ...rest);
  };
  // Its lists need not be rewritten with each save.
  Object.assign(engine, {
    guarantees: { ...engine.guarantees, evicts: "nothing" },
  });
  const count = async () => {
    let found = 0;
    for (const key of keys) if (await engine.read(key)) found++;
    return found;
  };
  return { engine, count };
}

async function signIn(storage: SessionStorage): Promise<string> {
  const session = await storage.getSession();
  session.set("user", "ann");
  return (await storage.commitSession(session)).split(";")[0] ?? "";
}

async function fromEngine(options: { owner?: typeof owner } = {}): Promise<
  Storages
> {
  const old = engine();
  const fresh = engine();
  const homeOf = (engine: Engine) =>
    createSessionStorage({ ...options, engine, cookie });
  return {
    header: await signIn(homeOf(old.engine)),
    storage: (through = (engine) => engine, keepOld = false) =>
      createReadThroughSessionStorage({
        to: homeOf(through(fresh.engine)),
        from: homeOf(through(old.engine)),
        keepOld,
      }),
    left: async () => ({ old: await old.count(), new: await fresh.count() }),
  };
}

/** Its sessions get new ids. */
async function fromCookie(): Promise<Storages> {
  const fresh = engine();
  const from = createCookieSessionStorage({ cookie });
  return {
    header: await signIn(from),
    storage: (through = (engine) => engine, keepOld = false) =>
      createReadThroughSessionStorage({
        to: createSessionStorage({
          engine: through(fresh.engine),
          cookie,
        }),
        from,
        keepOld,
      }),
    left: async () => ({ old: 0, new: await fresh.count() }),
  };
}

async function inEveryOrder(
  open: () => Promise<Storages>,
  requests: readonly Request[],
  check: (storages: Storages, results: readonly unknown[]) => Promise<void>,
  keepsOld: readonly boolean[] = [],
): Promise<number> {
  return await everyOrder(async (schedule) => {
    const storages = await open();
    const results = await schedule.run(requests.map((request, nth) => {
      const storage = storages.storage(
        (engine) => schedule.engine(engine),
        keepsOld[nth],
      );
      return () => request(storage, storages.header);
    }));
    await check(storages, results);
  }, { switches: effort.thorough ? 6 : 4 });
}

const read: Request = async (storage, header) =>
  (await storage.getSession(header)).get("user");

const set = (key: string): Request => async (storage, header) => {
  const session = await storage.getSession(header);
  const user = session.get("user");
  session.set(key, true);
  const setCookie = await storage.commitSession(session, { renew: false });
  return [user, setCookie];
};

const logOut: Request = async (storage, header) =>
  await storage.destroySession(await storage.getSession(header));

const regenerate: Request = async (storage, header) => {
  const session = await storage.getSession(header);
  session.regenerateId();
  const setCookie = await storage.commitSession(session);
  return setCookie.split(";")[0];
};

async function user(storages: Storages, header: unknown): Promise<unknown> {
  return (await storages.storage().getSession(header as string)).get("user");
}

Deno.test("createReadThroughSessionStorage() keeps the changes of both requests that move a session, in every order of steps", async () => {
  const orders = await inEveryOrder(
    fromEngine,
    [set("first"), read],
    async (storages, [first, second]) => {
      assertEquals((first as unknown[])[0], "ann");
      assertEquals(second, "ann");
      const session = await storages.storage().getSession(storages.header);
      assertEquals(session.data, { user: "ann", first: true });
      assertEquals(await storages.left(), { old: 0, new: 1 });
    },
  );
  assert(orders > 200, `${orders} orders`);
});

Deno.test("createReadThroughSessionStorage() keeps a session destroyed, when another request moves it, in every order of steps", async () => {
  const orders = await inEveryOrder(
    fromEngine,
    [logOut, read],
    async (storages) => {
      assertEquals(await user(storages, storages.header), undefined);
      assertEquals(await storages.left(), { old: 0, new: 0 });
    },
  );
  assert(orders > 200, `${orders} orders`);
});

Deno.test("createReadThroughSessionStorage() keeps only the new id, when another request moves the session, in every order of steps", async () => {
  const orders = await inEveryOrder(
    fromEngine,
    [regenerate, read],
    async (storages, [fresh]) => {
      assertEquals(await user(storages, storages.header), undefined);
      assertEquals(await user(storages, fresh), "ann");
      // For a minute, the old id leads to a note that it was replaced.
      assertEquals(await storages.left(), { old: 0, new: 2 });
    },
  );
  assert(orders > 200, `${orders} orders`);
});

Deno.test("destroySessions() revokes a session, when it is being moved, in every order of steps", async () => {
  const orders = await inEveryOrder(
    () => fromEngine({ owner }),
    [(storage) => storage.destroySessions("ann"), read],
    async (storages) => {
      assertEquals(await user(storages, storages.header), undefined);
    },
  );
  assert(orders > 150, `${orders} orders`);
});

Deno.test("createReadThroughSessionStorage() finds one session for all requests with one old cookie, in every order of steps", async () => {
  const orders = await inEveryOrder(
    fromCookie,
    [set("first"), set("second")],
    async (storages, [first, second]) => {
      for (const [nth, result] of [first, second].entries()) {
        const [was, setCookie = ""] = result as string[];
        assertEquals(was, "ann", `request ${nth + 1}`);
        const header = setCookie.split(";")[0];
        const session = await storages.storage().getSession(header ?? "");
        assertEquals(
          session.data,
          { user: "ann", first: true, second: true },
          `request ${nth + 1}`,
        );
      }
      assertEquals(await storages.left(), { old: 0, new: 2 });
    },
  );
  assert(orders > 10, `${orders} orders`);
});

Deno.test("createReadThroughSessionStorage() returns an empty session for an old cookie, when its session was destroyed, in every order of steps", async () => {
  await inEveryOrder(fromCookie, [logOut, read], async (storages) => {
    assertEquals(await user(storages, storages.header), undefined);
    assertEquals(await storages.left(), { old: 0, new: 1 });
  });
});

const restart: Request = async (storage, header) => {
  const session = await storage.getSession(header);
  session.restart();
  session.set("user", "bea");
  return (await storage.commitSession(session)).split(";")[0];
};

/** The first request's server has `keepOld`, the second one's does not. */
const MIXED = [true, false];

Deno.test("createReadThroughSessionStorage() with keepOld keeps a visitor signed in, when a server without it moves the session, in every order of steps", async () => {
  const orders = await inEveryOrder(
    fromEngine,
    [set("first"), set("second")],
    async (storages, [first, second]) => {
      const users = [(first as unknown[])[0], (second as unknown[])[0]];
      assertEquals(users, ["ann", "ann"]);
      const { data } = await storages.storage().getSession(storages.header);
      const { first: kept, ...moved } = data;
      assertEquals(moved, { user: "ann", second: true });
      // If the session has moved meanwhile, the change is dropped.
      assert(kept === true || kept === undefined);
      assertEquals(await storages.left(), { old: 0, new: 1 });
    },
    MIXED,
  );
  assert(orders > 100, `${orders} orders`);
});

Deno.test("createReadThroughSessionStorage() with keepOld keeps a session destroyed, when a server without it moves the session, in every order of steps", async () => {
  const orders = await inEveryOrder(
    fromEngine,
    [logOut, read],
    async (storages) => {
      assertEquals(await user(storages, storages.header), undefined);
      assertEquals(await storages.left(), { old: 0, new: 0 });
    },
    MIXED,
  );
  assert(orders > 200, `${orders} orders`);
});

Deno.test("createReadThroughSessionStorage() with keepOld ends the old id at a login, when a server without it moves the session, in every order of steps", async () => {
  const orders = await inEveryOrder(
    fromEngine,
    [restart, read],
    async (storages, [fresh]) => {
      assertEquals(await user(storages, storages.header), undefined);
      assertEquals(await user(storages, fresh), "bea");
    },
    MIXED,
  );
  assert(orders > 200, `${orders} orders`);
});

Deno.test("createReadThroughSessionStorage() with keepOld keeps one id, when a server without it moves the session, in every order of steps", async () => {
  await inEveryOrder(
    fromEngine,
    [regenerate, read],
    async (storages, [fresh]) => {
      const sent = fresh !== "";
      const old = await user(storages, storages.header);
      assertEquals(old, sent ? undefined : "ann");
      if (sent) assertEquals(await user(storages, fresh), "ann");
    },
    MIXED,
  );
});

Deno.test("destroySessions() with keepOld revokes a session, when a server without it moves the session, in every order of steps", async () => {
  await inEveryOrder(
    () => fromEngine({ owner }),
    [(storage) => storage.destroySessions("ann"), read],
    async (storages) => {
      assertEquals(await user(storages, storages.header), undefined);
    },
    MIXED,
  );
});

for (const [name, open] of Object.entries({ fromEngine, fromCookie })) {
  Deno.test(`createReadThroughSessionStorage() finishes a move in the next request, when it stops at any step (${name})`, async () => {
    let steps = 0;
    for (const does of [false, true]) {
      for (let failing = 1;; failing++) {
        const storages = await open();
        let step = 0;
        const stopping = storages.storage((engine) =>
          stopsAt(engine, does, () => {
            step++;
            return step >= failing;
          })
        );
        try {
          await stopping.getSession(storages.header);
          break;
        } catch (error) {
          assert(error instanceof SessionError, rowName(does, failing));
          assertEquals(error.code, "store-failed", rowName(does, failing));
        }
        steps++;
        assertEquals(
          await user(storages, storages.header),
          "ann",
          `step ${failing}`,
        );
        await logOut(storages.storage(), storages.header);
        assertEquals(
          await user(storages, storages.header),
          undefined,
          rowName(does, failing),
        );
        assertEquals((await storages.left()).old, 0, rowName(does, failing));
      }
    }
    assert(steps > 5, `${steps} steps`);
  });
}

/** An engine that fails from a certain call on. That call may take effect before it fails. */
function stopsAt(
  engine: Engine,
  does: boolean,
  isOver: () => boolean,
): Engine {
  let stopped = false;
  const step =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A) => {
      if (!isOver()) return await call.apply(engine, args);
      if (does && !stopped) await call.apply(engine, args);
      stopped = true;
      throw new Error("out of order");
    };
  return {
    guarantees: engine.guarantees,
    read: step(engine.read),
    write: step(engine.write),
    delete: step(engine.delete),
  };
}
