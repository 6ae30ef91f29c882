/**
 * Compares `docs/storages.md` with the storages: the guarantees with those that they declare, and the costs of a request
 * with the calls to their clients.
 */
import { assert, assertEquals } from "@std/assert";
import type { DynamoDBDocument } from "npm:@aws-sdk/lib-dynamodb@^3.1162.0";
import { Redis as IoRedis } from "npm:ioredis@^6.0.0";
import {
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createDurableObjectSessionStorage,
  createDynamoDBSessionStorage,
  createMemcacheSessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  createSqlSessionStorage,
  createWorkersKVSessionStorage,
  type FlashSessionData,
  type KvLike,
  type Session,
  type SessionStorage,
  withSession,
} from "../../mod.ts";
import { MemcachedClient } from "../../storage/engines/memcached/client.ts";
import { everyStorage } from "./_every_storage.ts";
import { memoryEngine } from "./_memory.ts";
import { DatabaseSync } from "node:sqlite";
import { tableUnder } from "../_markdown.ts";
import { startDynamoDB } from "./_dynamodb.ts";
import { startObjects } from "./_objects.ts";
import { withPackages } from "./_packages.ts";
import { PACKAGES as WORKERD } from "./_workerd.ts";
import { kvNamespace } from "./_kv_namespace.ts";
import { installed, startMemcached, startRedis } from "./_servers.ts";

const DOCUMENT = "docs/storages.md";
const cookie = { name: "session", secrets: ["s3cr3t"] };

/** How often a storage has called its client. */
interface Counted {
  readonly storage: SessionStorage;
  readonly asked: { count: number };
  stop?(): Promise<void> | void;
}

interface Options {
  cookie: typeof cookie;
  idleTimeout?: number;
  now(): number;
}

/** Counts the calls of some functions of an object. */
function counted<T extends object>(
  target: T,
  names: readonly string[],
  asked: { count: number },
): T {
  return new Proxy(target, {
    get(object, name) {
      const value = Reflect.get(object, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (names.includes(String(name))) asked.count++;
        return value.apply(object, args);
      };
    },
  });
}

const engineCalls = ["read", "write", "delete", "touch"];

const costs: Record<string, (options: Options) => Promise<Counted>> = {
  async Cookie(options) {
    return {
      storage: createCookieSessionStorage(options),
      asked: { count: 0 },
    };
  },
  async "Own engine"(options) {
    const asked = { count: 0 };
    const memory = memoryEngine(1000, options.now, () => {});
    const engine = counted(memory, engineCalls, asked);
    return { storage: createSessionStorage({ ...options, engine }), asked };
  },
  async "Deno KV"(options) {
    const asked = { count: 0 };
    const kv = await Deno.openKv(":memory:");
    const counting: KvLike = {
      get: (key, ...rest) => {
        asked.count++;
        return kv.get(key as Deno.KvKey, ...rest as []) as never;
      },
      atomic: () => counted(kv.atomic(), ["commit"], asked) as never,
      close() {},
    };
    // Its other methods return the operation itself, and do not count.
    const atomic = counting.atomic;
    counting.atomic = () => chained(atomic());
    const storage = createDenoKvSessionStorage({ ...options, kv: counting });
    return { storage, asked, stop: () => kv.close() };
  },
  async SQL(options) {
    const asked = { count: 0 };
    const db = new DatabaseSync(":memory:");
    // It looks for its table once.
    const storage = createSqlSessionStorage({
      ...{ ...options, createTable: true, owner: () => "ann" },
      db: {
        async query(sql, values) {
          asked.count++;
          const statement = db.prepare(sql);
          return sql.startsWith("SELECT")
            ? { rows: statement.all(...values) }
            : { rows: [], rowCount: statement.run(...values).changes };
        },
      },
      dialect: "sqlite",
    });
    await storage.read("a".repeat(24));
    return { storage, asked, stop: () => db.close() };
  },
  async DynamoDB(options) {
    const asked = { count: 0 };
    const local = await startDynamoDB();
    const client = counted(
      local.document,
      ["get", "update", "delete"],
      asked,
    ) as DynamoDBDocument;
    const table = await local.table();
    const storage = createDynamoDBSessionStorage({ ...options, client, table });
    return { storage, asked, stop: () => local.stop() };
  },
  async "Workers KV"({ idleTimeout: _, ...options }) {
    const asked = { count: 0 };
    const names = ["getWithMetadata", "put", "delete"];
    const kv = counted(kvNamespace().kv, names, asked);
    return {
      storage: createWorkersKVSessionStorage({ ...options, kv }),
      asked,
    };
  },
  async "Four functions"(options) {
    const asked = { count: 0 };
    type Plain = FlashSessionData<object, object>;
    const rows = new Map<string, Plain>();
    const storage = createSessionStorage({
      ...options,
      async createData(data: Plain) {
        asked.count++;
        const id = crypto.randomUUID();
        rows.set(id, data);
        return id;
      },
      async readData(id: string) {
        asked.count++;
        return rows.get(id) ?? null;
      },
      async updateData(id: string, data: Plain) {
        asked.count++;
        rows.set(id, data);
      },
      async deleteData(id: string) {
        asked.count++;
        rows.delete(id);
      },
    });
    return { storage, asked };
  },
};

/** An operation that counts calls of its last method. Its other methods return the operation. */
function chained<T extends object>(operation: T): T {
  const proxy: T = new Proxy(operation, {
    get: (object, name) => (...args: unknown[]) => {
      const call = Reflect.get(object, name) as (...args: unknown[]) => unknown;
      const result = call.apply(object, args);
      return name === "commit" ? result : proxy;
    },
  });
  return proxy;
}

await withPackages(
  "Durable Objects (workerd)",
  WORKERD,
  startObjects,
  ({ namespace: objects }) => {
    costs["Durable Objects"] = async (options) => {
      const asked = { count: 0 };
      // A request for each stub.
      const namespace = counted(objects, ["get"], asked);
      const storage = createDurableObjectSessionStorage({
        ...options,
        namespace,
      });
      return { storage, asked };
    };
  },
);

if (installed("redis")) {
  costs["Redis"] = async (options) => {
    const asked = { count: 0 };
    const server = await startRedis();
    const redis = new IoRedis(server.port, "127.0.0.1");
    const client = counted(redis, ["call"], asked);
    // Its scripts are sent only once.
    let now = options.now();
    const first = createRedisSessionStorage({
      ...options,
      client,
      idleTimeout: 600,
      now: () => now,
    });
    const header = await visitOnce(first);
    now += 300_000;
    const session = await first.getSession(header);
    session.regenerateId();
    await first.commitSession(session);
    await first.destroySession(session);
    const storage = createRedisSessionStorage({ ...options, client });
    return {
      storage,
      asked,
      async stop() {
        redis.disconnect();
        await server.stop();
      },
    };
  };
}

if (installed("redis")) {
  Deno.test(`${DOCUMENT} names the rights that a user of Redis needs`, async () => {
    const text = await Deno.readTextFile(
      new URL(`../../${DOCUMENT}`, import.meta.url),
    );
    const [said = ""] = text.match(/\*\*Rights\*\* \(ACL\):[^.]*/) ?? [];
    const rights = said.match(/[~+][^\s`]+/g) ?? [];
    const server = await startRedis();
    const admin = new IoRedis(server.port, "127.0.0.1");
    await admin.call("ACL", "SETUSER", "app", "on", ">secret", ...rights);
    admin.disconnect();
    let now = Date.now();
    const failures: unknown[] = [];
    const storage = createRedisSessionStorage<{ user: string }>({
      url: `redis://app:secret@127.0.0.1:${server.port}`,
      cookie,
      idleTimeout: 600,
      owner: ({ user }) => user,
      now: () => now,
      onEvent: ({ cause }) => cause === undefined || failures.push(cause),
    });
    const session = await storage.getSession();
    session.set("user", "ann");
    const header = (await storage.commitSession(session)).split(";")[0];
    now += 300_000;
    const next = await storage.getSession(header);
    next.regenerateId();
    await storage.commitSession(next);
    assertEquals(await storage.destroySessions("ann"), 1);
    assertEquals(failures, []);
    await storage.close?.();
    await server.stop();
  });
}

if (installed("memcached")) {
  costs["Memcached"] = async (options) => {
    const asked = { count: 0 };
    const server = await startMemcached();
    const memcached = new MemcachedClient(`127.0.0.1:${server.port}`);
    const names = ["gets", "cas", "add", "set", "delete"];
    const client = counted(memcached, names, asked);
    const storage = createMemcacheSessionStorage({ ...options, client });
    return {
      storage,
      asked,
      async stop() {
        await memcached.close();
        await server.stop();
      },
    };
  };
}

async function visitOnce(storage: SessionStorage): Promise<string> {
  const session = await storage.getSession();
  session.set("user", "ann");
  return (await storage.commitSession(session)).split(";")[0] ?? "";
}

/** The columns of the table. */
const requests: Record<string, (session: Session) => void> = {
  Read: (session) => void session.get("user"),
  Change: (session) => session.set("cart", ["tea"]),
  "New id": (session) => session.regenerateId(),
  Logout: (session) => session.destroy(),
};

const HEADING = "## What a request costs";

for (const [name, open] of Object.entries(costs)) {
  Deno.test(`${DOCUMENT} is right about the cost of a request with ${name}`, async () => {
    let now = Date.now();
    const clock = { cookie, now: () => now };
    const rows = await tableUnder(DOCUMENT, HEADING);
    const said = rows.find(({ Storage }) => Storage === name);
    assert(said, `${name} is missing`);
    const found: Record<string, string> = {};

    const { storage, asked, stop } = await open(clock);
    const ask = async (
      storage: SessionStorage,
      asked: { count: number },
      change: (typeof requests)[string],
      header?: string,
    ) => {
      const before = asked.count;
      const headers = header ? { cookie: header } : {};
      const handler = withSession(storage, (_request, session) => {
        change(session);
        return new Response();
      });
      await handler(new Request("http://localhost/", { headers }));
      return String(asked.count - before);
    };
    found["No session"] = await ask(storage, asked, () => {});
    found["First save"] = await ask(
      storage,
      asked,
      (session) => session.set("user", "ann"),
    );
    for (const [column, change] of Object.entries(requests)) {
      const header = await visitOnce(storage);
      found[column] = await ask(storage, asked, change, header);
    }
    await stop?.();

    if (name === "Workers KV") found["Read, slides"] = "—";
    else {
      const sliding = await open({ ...clock, idleTimeout: 600 });
      const header = await visitOnce(sliding.storage);
      now += 300_000;
      found["Read, slides"] = await ask(
        sliding.storage,
        sliding.asked,
        requests["Read"] ?? (() => {}),
        header,
      );
      await sliding.stop?.();
    }
    const { Storage: _, ...columns } = said;
    assertEquals(columns, found);
  });
}

Deno.test(`${DOCUMENT} is right about the guarantees of the storages`, async () => {
  const words = (value: unknown) =>
    value === undefined
      ? "—"
      : value === true
      ? "yes"
      : value === false
      ? "no"
      : typeof value === "number"
      ? value.toLocaleString("en")
      : String(value);
  const table = Object.entries(everyStorage()).map(
    ([Storage, { guarantees }]) => {
      const declared = { evicts: "nothing", ...guarantees };
      const names = [
        ...["compareAndSet", "reads", "revoke", "durable", "shared", "evicts"],
        "maxBytes",
      ] as const;
      const cells = names.map((name) => [
        `\`${name}\``,
        words(declared[name as keyof typeof declared]),
      ]);
      return { Storage, ...Object.fromEntries(cells) };
    },
  );
  assertEquals(await tableUnder(DOCUMENT, "## What each guarantees"), table);
});
