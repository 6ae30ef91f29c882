/** Whether `docs/storages.md` says what is so. */
import { assert, assertEquals } from "@std/assert";
import {
  createCloudflareKVSessionStorage,
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createMemorySessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  type SessionStorage,
  type StorageOptions,
} from "../mod.ts";
import { FakeBackend } from "./storage/_fake_backend.ts";

const text = Deno.readTextFileSync(
  new URL("../docs/storages.md", import.meta.url),
);

/** The rows of the table under a heading, by their first cell. */
function table(heading: string): Map<string, string[]> {
  const [, section = ""] = text.split(`\n## ${heading}\n`);
  const rows = section.split("\n## ")[0]?.split("\n")
    .filter((line) => line.startsWith("|")).slice(2) ?? [];
  return new Map(rows.map((row) => {
    const [name = "", ...cells] = row.split("|").slice(1, -1)
      .map((cell) => cell.trim());
    return [name, cells];
  }));
}

const cookie = { secrets: ["s3cr3t"] };
const four = {
  cookie,
  createData: () => Promise.resolve("1"),
  readData: () => Promise.resolve(null),
  updateData: () => Promise.resolve(),
  deleteData: () => Promise.resolve(),
};
const kv = {
  getWithMetadata: () => Promise.resolve({ value: null, metadata: null }),
  put: () => Promise.resolve(),
  delete: () => Promise.resolve(),
};
const makers: Record<string, (options: StorageOptions) => SessionStorage> = {
  cookie: (options) => createCookieSessionStorage({ ...options, cookie }),
  memory: createMemorySessionStorage,
  file: (options) => createFileSessionStorage({ ...options, dir: "unused" }),
  "Deno KV": createDenoKvSessionStorage,
  Redis: (options) =>
    createRedisSessionStorage({ ...options, url: "redis://unused" }),
  Memcached: (options) =>
    createMemcacheSessionStorage({ ...options, url: "unused:11211" }),
  DynamoDB: (options) =>
    createDynamoDBSessionStorage({ ...options, table: "unused" }),
  "Workers KV": ({ owner }) =>
    createCloudflareKVSessionStorage(owner ? { kv, owner } : { kv }),
  "4 functions": (options) => createSessionStorage({ ...options, ...four }),
};

Deno.test("docs/storages.md says of each storage what it guarantees", () => {
  const rows = table("What they guarantee");
  assertEquals([...rows.keys()], Object.keys(makers));
  for (const [name, make] of Object.entries(makers)) {
    const { guarantees } = make({});
    assert(guarantees, name);
    const { compareAndSet, reads, revoke, durable, shared } = guarantees;
    const { evicts = "nothing" } = guarantees;
    let owned = true;
    try {
      make({ owner: () => undefined });
    } catch {
      owned = false;
    }
    const yes = (value: boolean) => value ? "yes" : "no";
    const drops = { nothing: "no", oldest: "the oldest", any: "any" }[evicts];
    assertEquals(
      rows.get(name)?.map((cell) => cell.replace(/, if full$/, "")),
      [
        yes(compareAndSet),
        reads,
        yes(revoke),
        yes(durable),
        yes(shared),
        drops,
        yes(owned),
      ],
      name,
    );
  }
});

/** Counts the calls of one kind of request. */
type Scene = (
  storage: SessionStorage,
  id: string,
  wait: () => void,
) => Promise<void>;

const SCENES: Record<string, Scene> = {
  "reads": async (storage, id) => {
    (await storage.read(id)).get("a");
  },
  "reads, and the idle deadline moves": async (storage, id, wait) => {
    wait();
    await storage.read(id);
  },
  "reads and changes": async (storage, id) => {
    const session = await storage.read(id);
    session.set("a", 2);
    await storage.save(session);
  },
  "is the first to store something": async (storage) => {
    const session = await storage.read(null);
    session.set("a", 1);
    await storage.save(session);
  },
  "gives the session a new id": async (storage, id) => {
    const session = await storage.read(id);
    session.regenerateId();
    await storage.save(session);
  },
  "signs out": async (storage, id) => {
    const session = await storage.read(id);
    session.destroy();
    await storage.save(session);
  },
};

/** The number of calls that a request makes to its engine. */
async function cost(
  make: (options: StorageOptions) => [SessionStorage, () => number],
  scene: Scene,
  options: StorageOptions = {},
): Promise<number> {
  let now = Date.now();
  const [storage, calls] = make({
    idleTimeout: 600,
    now: () => now,
    ...options,
  });
  const session = await storage.read(null);
  session.set("a", 1);
  const id = await storage.save(session) ?? "";
  const before = calls();
  await scene(storage, id, () => now += 300_000);
  return calls() - before;
}

function engine(
  compareAndSet: boolean,
): (options: StorageOptions) => [SessionStorage, () => number] {
  return (options) => {
    const backend = new FakeBackend({ compareAndSet });
    const storage = createSessionStorage({ ...options, backend });
    return [storage, () => backend.calls.length];
  };
}

function functions(options: StorageOptions): [SessionStorage, () => number] {
  const rows = new Map<string, object>();
  let calls = 0;
  const storage = createSessionStorage({
    ...options,
    cookie,
    async createData(data) {
      calls++;
      rows.set(`${calls}`, data);
      return `${calls}`;
    },
    async readData(id) {
      calls++;
      return rows.get(id) ?? null;
    },
    async updateData(id, data) {
      calls++;
      rows.set(id, data);
    },
    async deleteData(id) {
      calls++;
      rows.delete(id);
    },
  });
  return [storage, () => calls];
}

Deno.test("docs/storages.md says what each request costs", async () => {
  const rows = table("What a request costs");
  const count = (cell: string | undefined) => Number(cell);
  for (const [name, scene] of Object.entries(SCENES)) {
    const [strong, weak, plain] = rows.get(name) ?? [];
    assertEquals(await cost(engine(true), scene), count(strong), name);
    if (weak !== "not kept") {
      assertEquals(await cost(engine(false), scene), count(weak), name);
    }
    assertEquals(await cost(functions, scene), count(plain), name);
  }
  const owner = (data: { user?: string }) => data.user;
  const signIn: Scene = async (storage, id) => {
    const session = await storage.read(id);
    session.set("user", "u1");
    await storage.save(session);
  };
  const leave: Scene = async (storage, id) => {
    await signIn(storage, id, () => {});
    await SCENES["signs out"]?.(storage, id, () => {});
  };
  const onTop = async (scene: Scene) =>
    await cost(engine(true), scene, { owner }) -
    await cost(engine(true), scene);
  const signedIn = await onTop(signIn);
  assertEquals(
    signedIn,
    count(rows.get("signs in, with `owner`: on top")?.[0]),
  );
  assertEquals(
    await onTop(leave) - signedIn,
    count(rows.get("signs out, with `owner`: on top")?.[0]),
  );
});
