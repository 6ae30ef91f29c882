/**
 * Every storage when its engine is down, slow or sends garbage: the table in `docs/storages.md`.
 */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals } from "@std/assert";
import { walk } from "@std/fs";
import type { DynamoDBDocument } from "npm:@aws-sdk/lib-dynamodb@^3.1162.0";
import { Redis as IoRedis } from "npm:ioredis@^6.0.0";
import {
  createDenoKvSessionStorage,
  createDurableObjectSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  createSqlSessionStorage,
  createWorkersKVSessionStorage,
  type DurableObjectNamespaceLike,
  type FourFunctions,
  type KvLike,
  type SessionEvent,
  type SessionStorage,
  withSession,
} from "../../mod.ts";
import { memoryEngine } from "./_memory.ts";
import { assertSessionError } from "../core/_support.ts";
import { tableUnder } from "../_markdown.ts";
import { startDynamoDB } from "./_dynamodb.ts";
import { eventually } from "./_eventually.ts";
import { GARBAGE, startFaulty } from "./_faulty_servers.ts";
import { kvNamespace } from "./_kv_namespace.ts";
import { startObjects } from "./_objects.ts";
import { withPackages } from "./_packages.ts";
import {
  installed,
  type Server,
  startMemcached,
  startRedis,
} from "./_servers.ts";
import { PACKAGES as WORKERD } from "./_workerd.ts";

type Situation = "down" | "slow" | "garbage";

/** The result of a read. Every other call fails, or is reported as an event and ignored. */
type Outcome = "fails" | "absent";

/** A storage whose engine can be broken and repaired. */
interface Case {
  /** Opens a storage whose engine works. */
  open(options: Options): Promise<Open> | Open;
  /** The result of a read in each situation. The other situations are impossible. */
  readonly reads: Partial<Record<Situation, Outcome>>;
  /** Whether every answer is garbage in that situation, not only that of a read. */
  readonly server?: boolean;
}

interface Options {
  cookie: { name: string; secrets: string[] };
  engineTimeout: number;
  onEvent(event: SessionEvent): void;
}

interface Open {
  readonly storage: SessionStorage;
  breakDown(situation: Situation): Promise<void> | void;
  /** Repairs the engine. Optional: not every engine keeps its records. */
  mend?(): Promise<void> | void;
  close?(): Promise<void> | void;
}

/** An object whose methods, once broken, reject, never answer, or, if they read, return garbage. */
function breakable<T extends object>(target: T): {
  proxy: T;
  breakDown(situation: Situation | undefined): void;
} {
  let broken: Situation | undefined;
  const proxy = new Proxy(target, {
    get(object, name) {
      const value = Reflect.get(object, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (broken === "down") return Promise.reject(new Error("down"));
        if (broken === "slow") return new Promise(() => {});
        if (broken && /^(get|read)/.test(String(name))) {
          return Promise.resolve("garbage");
        }
        return value.apply(object, args);
      };
    },
  });
  return { proxy, breakDown: (situation) => broken = situation };
}

/** A relay in front of a server. Its target can be replaced, while its own address stays the same. */
function relayTo(port: number) {
  let target = port;
  const open = new Set<Deno.Conn>();
  let listener: Deno.Listener | undefined;
  function listen(at: number): number {
    const own = Deno.listen({ hostname: "127.0.0.1", port: at });
    listener = own;
    (async () => {
      for await (const client of own) relay(client);
    })().catch(() => {});
    return (own.addr as Deno.NetAddr).port;
  }
  async function relay(client: Deno.Conn): Promise<void> {
    open.add(client);
    const server = await Deno.connect({ hostname: "127.0.0.1", port: target });
    open.add(server);
    const ended = [
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ];
    await Promise.allSettled(ended);
  }
  function cut(): void {
    for (const connection of open) {
      try {
        connection.close();
      } catch {
        // It is closed already.
      }
    }
    open.clear();
  }
  const own = listen(0);
  return {
    port: own,
    /** Closes all connections. New ones lead to `port`, or are refused. */
    leadTo(port: number | undefined) {
      cut();
      if (port === undefined) {
        listener?.close();
        listener = undefined;
        return;
      }
      target = port;
      if (!listener) listen(own);
    },
    close() {
      cut();
      listener?.close();
    },
  };
}

/** A case for a server, which a relay can replace. */
function serverCase(
  start: () => Promise<Server | { port: number; stop(): Promise<void> }>,
  connect: (
    port: number,
    options: Options,
  ) => { storage: SessionStorage; close?(): unknown },
): Case {
  return {
    reads: { down: "fails", slow: "fails", garbage: "fails" },
    server: true,
    async open(options) {
      const server = await start();
      const relay = relayTo(server.port);
      const { storage, close } = connect(relay.port, options);
      const silent = startFaulty();
      const loud = startFaulty(GARBAGE);
      const ports = { down: undefined, slow: silent.port, garbage: loud.port };
      return {
        storage,
        breakDown: (situation) => relay.leadTo(ports[situation]),
        mend: () => relay.leadTo(server.port),
        async close() {
          await close?.();
          relay.close();
          await silent.stop();
          await loud.stop();
          await server.stop();
        },
      };
    },
  };
}

const memory = memoryEngine(1000, Date.now, () => {});

const cases: Record<string, Case> = {
  "Deno KV": {
    reads: { down: "fails", slow: "fails", garbage: "absent" },
    async open(options) {
      const kv = await Deno.openKv(":memory:");
      const { proxy, breakDown } = breakable({
        get: (key: Deno.KvKey) => kv.get(key),
        commit: (operation: Deno.AtomicOperation) => operation.commit(),
      });
      const atomic = () => {
        const operation = kv.atomic();
        const chained: Deno.AtomicOperation = new Proxy(operation, {
          get: (_, name: keyof Deno.AtomicOperation) => (...args: never[]) => {
            if (name === "commit") return proxy.commit(operation);
            (operation[name] as (...args: never[]) => unknown)(...args);
            return chained;
          },
        });
        return chained;
      };
      const storage = createDenoKvSessionStorage({
        ...options,
        kv: {
          get: (key) => proxy.get(key as Deno.KvKey),
          atomic,
          close() {},
        } as KvLike,
      });
      const mend = () => breakDown(undefined);
      return { storage, breakDown, mend, close: () => kv.close() };
    },
  },
  "Workers KV": {
    reads: { down: "fails", slow: "fails", garbage: "absent" },
    open(options) {
      const { proxy, breakDown } = breakable(kvNamespace().kv);
      const storage = createWorkersKVSessionStorage({
        ...options,
        kv: proxy,
      });
      return { storage, breakDown, mend: () => breakDown(undefined) };
    },
  },
  File: {
    reads: { down: "fails", garbage: "absent" },
    async open(options) {
      const root = await Deno.makeTempDir();
      const [dir, away] = [`${root}/sessions`, `${root}/away`];
      const intact = new Map<string, Uint8Array>();
      return {
        storage: createFileSessionStorage({ ...options, dir }),
        // Like a disk that is not mounted. Permissions do not apply to root.
        async breakDown(situation) {
          if (situation === "down") return await Deno.rename(dir, away);
          for await (const { path, isFile } of walk(dir)) {
            if (!isFile) continue;
            intact.set(path, await Deno.readFile(path));
            await Deno.writeFile(path, GARBAGE);
          }
        },
        async mend() {
          if (intact.size === 0) await Deno.rename(away, dir);
          for (const [path, bytes] of intact) {
            await Deno.writeFile(path, bytes);
          }
        },
        close: () => Deno.remove(root, { recursive: true }),
      };
    },
  },
  "Four functions": {
    reads: { down: "fails", slow: "fails", garbage: "absent" },
    open(options) {
      const rows = new Map<string, object>();
      const db: FourFunctions = {
        async createData(data) {
          const id = crypto.randomUUID();
          rows.set(id, data);
          return id;
        },
        readData: async (id) => rows.get(id) as never ?? null,
        updateData: async (id, data) => void rows.set(id, data),
        deleteData: async (id) => void rows.delete(id),
      };
      const { proxy, breakDown } = breakable(db);
      const { createData, readData, updateData, deleteData } = proxy;
      // Looks up each function at the call, because the proxy may be broken by then.
      const functions = {
        createData: (...args: Parameters<typeof createData>) =>
          proxy.createData(...args),
        readData: (...args: Parameters<typeof readData>) =>
          proxy.readData(...args),
        updateData: (...args: Parameters<typeof updateData>) =>
          proxy.updateData(...args),
        deleteData: (...args: Parameters<typeof deleteData>) =>
          proxy.deleteData(...args),
      };
      const storage = createSessionStorage({ ...options, ...functions });
      return { storage, breakDown, mend: () => breakDown(undefined) };
    },
  },
  SQL: {
    reads: { down: "fails", slow: "fails", garbage: "fails" },
    open(options) {
      const db = new DatabaseSync(":memory:");
      const { proxy, breakDown } = breakable({
        async query(sql: string, values: (string | number)[]) {
          const statement = db.prepare(sql);
          return sql.startsWith("SELECT")
            ? await proxy.readRows(() => statement.all(...values))
            : { rows: [], rowCount: statement.run(...values).changes };
        },
        readRows: async (all: () => unknown[]) => ({ rows: all() }),
      });
      const storage = createSqlSessionStorage({
        ...{ ...options, db: proxy, dialect: "sqlite", createTable: true },
      });
      return {
        storage,
        breakDown,
        mend: () => breakDown(undefined),
        close: () => db.close(),
      };
    },
  },
  "Own engine": {
    reads: { down: "fails", slow: "fails", garbage: "fails" },
    open(options) {
      const { proxy: engine, breakDown } = breakable(memory);
      return {
        storage: createSessionStorage({ ...options, engine }),
        breakDown,
        mend: () => breakDown(undefined),
      };
    },
  },
};

await withPackages(
  "Durable Objects (workerd)",
  WORKERD,
  startObjects,
  ({ namespace: objects }) => {
    cases["Durable Objects"] = {
      reads: { down: "fails", slow: "fails", garbage: "fails" },
      server: true,
      open(options) {
        let broken: Situation | undefined;
        const namespace: DurableObjectNamespaceLike = {
          idFromName: (name) => objects.idFromName(name),
          get: (id) => ({
            async fetch(url, init) {
              if (broken === "down") throw new Error("down");
              if (broken === "slow") return await new Promise(() => {});
              if (broken) return { text: async () => "garbage" };
              return await objects.get(id).fetch(url, init);
            },
          }),
        };
        return {
          storage: createDurableObjectSessionStorage({ ...options, namespace }),
          breakDown: (situation) => void (broken = situation),
          mend: () => void (broken = undefined),
        };
      },
    };
  },
);

if (installed("redis")) {
  cases["Redis by `url`"] = serverCase(
    () => startRedis(),
    (port, options) => {
      const url = `redis://127.0.0.1:${port}`;
      const storage = createRedisSessionStorage({ ...options, url });
      return { storage, close: () => storage.close?.() };
    },
  );
  cases["Redis by `client`"] = serverCase(
    () => startRedis(),
    (port, options) => {
      // It waits without a limit for a server that is down, and keeps commands for it.
      const client = new IoRedis(port, "127.0.0.1", {
        maxRetriesPerRequest: null,
        retryStrategy: () => 10,
      });
      client.on("error", () => {});
      const storage = createRedisSessionStorage({ ...options, client });
      return { storage, close: () => client.disconnect() };
    },
  );
}
if (installed("memcached")) {
  cases["Memcached by `url`"] = serverCase(
    () => startMemcached(),
    (port, options) => {
      const url = `127.0.0.1:${port}`;
      const storage = createMemcacheSessionStorage({ ...options, url });
      return { storage, close: () => storage.close?.() };
    },
  );
}

cases["DynamoDB"] = serverCase(
  async () => {
    const local = await startDynamoDB();
    await local.table("sessions");
    return local;
  },
  (port, options) => {
    let document: DynamoDBDocument | undefined;
    const client = (async () => {
      const { DynamoDB } = await import(
        "npm:@aws-sdk/client-dynamodb@^3.1162.0"
      );
      const { DynamoDBDocument } = await import(
        "npm:@aws-sdk/lib-dynamodb@^3.1162.0"
      );
      const db = new DynamoDB({
        endpoint: `http://127.0.0.1:${port}`,
        region: "local",
        credentials: { accessKeyId: "local", secretAccessKey: "local" },
        maxAttempts: 1,
      });
      return document = DynamoDBDocument.from(db);
    })();
    const storage = createDynamoDBSessionStorage({
      ...options,
      client,
      table: "sessions",
    });
    return { storage, close: () => document?.destroy() };
  },
);

const cookie = { name: "session", secrets: ["s3cr3t"] };
const DOCUMENT = "docs/storages.md";
const HEADING = "## When an engine fails";

async function signIn(storage: SessionStorage): Promise<string> {
  const session = await storage.getSession();
  session.set("user", "ann");
  return (await storage.commitSession(session)).split(";")[0] ?? "";
}

for (const [name, { open, reads, server }] of Object.entries(cases)) {
  for (const [situation, outcome] of Object.entries(reads)) {
    Deno.test(`${name}, ${situation}: loses no session, sends no cookie, and works again when the engine is back`, async () => {
      const events: SessionEvent["type"][] = [];
      const { storage, breakDown, mend, close } = await open({
        cookie,
        engineTimeout: 0.25,
        onEvent: ({ type }) => events.push(type),
      });
      // The first call loads the client, which takes a while.
      const header = await eventually(() => signIn(storage));
      const handler = withSession(storage, (_request, session) => {
        session.set("visited", true);
        return new Response();
      });
      const visit = (cookie?: string) =>
        handler(
          new Request("http://localhost/", {
            ...cookie ? { headers: { cookie } } : {},
          }),
        );
      const read = (header: string) =>
        eventually(() => storage.getSession(header));
      const ending = await read(await eventually(() => signIn(storage)));
      const changing = await read(header);
      changing.set("cart", ["tea"]);
      await breakDown(situation as Situation);

      // A visitor without a session does not notice.
      assertEquals((await storage.getSession()).size, 0);
      if (outcome === "absent") {
        assertEquals((await read(header)).size, 0);
      } else {
        events.length = 0;
        const fails = (call: () => Promise<unknown>) =>
          assertSessionError(call, "store-failed");
        await fails(() => storage.getSession(header));
        const answers = [await visit(header)];
        if (situation !== "garbage" || server) {
          await fails(() => storage.commitSession(changing));
          await fails(() => storage.destroySession(ending));
          // A visitor whose session would begin now.
          answers.push(await visit());
        }
        assertEquals(new Set(events), new Set(["engine-error"]));
        for (const [nth, response] of answers.entries()) {
          assertEquals(response.status, 503, `answer ${nth + 1}`);
          assertEquals(
            response.headers.getSetCookie(),
            [],
            `answer ${nth + 1}`,
          );
        }
      }

      await mend?.();
      if (outcome === "fails") {
        await eventually(() => storage.commitSession(changing));
      }
      const found = await read(header);
      assertEquals(found.get("user"), "ann");
      assertEquals(found.has("cart"), outcome === "fails");
      await eventually(() => storage.destroySession(found));
      assertEquals((await read(header)).size, 0);
      await close?.();
    });
  }
}

Deno.test("a failed touch does not fail the request, and is reported", async () => {
  const engine = memoryEngine(1000, Date.now, () => {});
  const events: SessionEvent["type"][] = [];
  let now = Date.now();
  const storage = createSessionStorage({
    cookie,
    idleTimeout: 600,
    now: () => now,
    onEvent: ({ type }) => events.push(type),
    engine: Object.assign(engine, {
      touch: () => Promise.reject(new Error("read-only")),
    }),
  });
  const header = await signIn(storage);
  now += 300_000;
  const response = await withSession(
    storage,
    (_request, session) => new Response(String(session.get("user"))),
  )(new Request("http://localhost/", { headers: { cookie: header } }));
  assertEquals([response.status, await response.text()], [200, "ann"]);
  assertEquals(events, ["created", "engine-error"]);
});

Deno.test(`${DOCUMENT} is right about each storage`, async () => {
  const rows = await tableUnder(DOCUMENT, HEADING);
  const words = { fails: "fails", absent: "no session" };
  for (const [name, { reads }] of Object.entries(cases)) {
    const row = rows.find(({ Storage }) => Storage === name);
    assert(row, `${name} is missing`);
    for (const situation of ["down", "slow", "garbage"] as const) {
      const outcome = reads[situation];
      const said = row[situation[0]?.toUpperCase() + situation.slice(1)];
      assertEquals(said, outcome ? words[outcome] : "—", name);
    }
  }
  // Storages without an engine, and clients to which another row applies.
  const others = ["Memory", "Cookie", "Memcached by `client`"];
  for (const { Storage = "" } of rows) {
    assert(Storage in cases || others.includes(Storage), Storage);
  }
});
