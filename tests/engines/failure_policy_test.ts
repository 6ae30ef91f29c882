/**
 * What a request sees of an engine that is away, silent or out of its mind: the same under each, and as
 * `docs/storages.md` says.
 */
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  createCloudflareKVSessionStorage,
  createDenoKvSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createRedisSessionStorage,
  type HttpSessionStorage,
  SessionError,
  type SessionEvent,
  type StorageOptions,
  withSession,
} from "../../mod.ts";
import { Redis as IoRedis } from "npm:ioredis@^6.0.0";
import { type Line, openProxy } from "./_proxy.ts";
import { installed, startMemcached, startRedis } from "./_servers.ts";
import { PACKAGES as DYNAMODB, startDynamoDB } from "./_dynamodb.ts";
import { withPackages } from "./_packages.ts";
import { PACKAGES as WORKERD, startWorkerd } from "./_workerd.ts";

type Trouble = Exclude<Line, "good">;
type Options = Pick<StorageOptions, "engineTimeout" | "onEvent"> & {
  cookie: { secrets: string[] };
};

/** An engine that can be brought into trouble. */
interface Patient {
  readonly storage: HttpSessionStorage;
  turn(line: Line): void | Promise<void>;
  close(): void | Promise<void>;
}

const cookie = { secrets: ["s3cr3t"] };
const headerOf = (setCookie: string) => setCookie.split(";")[0] ?? "";

/** Registers what an engine's storage owes a request, in each kind of trouble. */
function policy(
  engine: string,
  troubles: readonly Trouble[],
  open: (options: Options) => Patient | Promise<Patient>,
): void {
  for (const trouble of troubles) {
    Deno.test(`${engine}: no request takes it for "no session", sets a cookie or hangs, while the engine is ${trouble}`, async () => {
      const events: SessionEvent["type"][] = [];
      const { storage, turn, close } = await open({
        cookie,
        engineTimeout: 0.4,
        onEvent: ({ type }) => events.push(type),
      });
      const first = await storage.getSession();
      first.set("user", "ann");
      // The first one may load a client's package, which takes longer than the engine may.
      const header = headerOf(
        await eventually(() => storage.commitSession(first)),
      );
      events.length = 0;
      const changed = await storage.getSession(header);
      // Another visitor's: a client may send the change later that the request has given up.
      const second = await storage.getSession();
      second.set("user", "bob");
      const other = headerOf(await storage.commitSession(second));
      const leaving = await storage.getSession(other);
      changed.set("cart", ["tea"]);

      await turn(trouble);
      await assertFails(() => storage.getSession(header));
      await assertFails(() => storage.commitSession(changed));
      await assertFails(() => storage.destroySession(leaving));
      assertEquals(events.filter((type) => type === "engine-error").length, 3);
      // A visitor without a session never asks the engine.
      assertEquals((await storage.getSession(null)).size, 0);
      const handler = withSession(storage, () => new Response("hello"));
      const ask = (headers: HeadersInit) =>
        handler(new Request("http://localhost/", { headers }));
      const answer = await ask({ cookie: header });
      assertEquals(answer.status, 503);
      assertEquals(answer.headers.get("Set-Cookie"), null);
      assertEquals((await ask({})).status, 200);

      await turn("good");
      const back = await eventually(() => storage.getSession(header));
      assertEquals(back.get("user"), "ann", "nothing was lost");
      await storage.commitSession(changed);
      const next = await storage.getSession(header);
      assertEquals(next.get("cart"), ["tea"], "the retry saves it all");
      await close();
    });
  }
}

async function assertFails(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    assertInstanceOf(error, SessionError);
    assertEquals(error.code, "store-failed");
    assertInstanceOf(error.cause, Error);
    return;
  }
  throw new Error("it did not fail");
}

/** Asks until the client has connected again; each attempt waits for the client's next one. */
async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 50) throw error;
    }
  }
}

const LINE: readonly Trouble[] = ["refused", "silent", "garbage"];
/** What a platform's own binding answers is well-formed; a damaged record is a matter of the conformance suite. */
const BINDING: readonly Trouble[] = ["refused", "silent"];

if (installed("redis")) {
  policy("Redis by url", LINE, async (options) => {
    const server = await startRedis();
    const proxy = openProxy(server.port);
    const url = `redis://127.0.0.1:${proxy.port}`;
    const storage = createRedisSessionStorage({ ...options, url });
    return { storage, turn: proxy.turn, close: ending(storage, proxy, server) };
  });
}

if (installed("redis")) {
  policy("Redis by a client that waits for ever", LINE, async (options) => {
    const server = await startRedis();
    const proxy = openProxy(server.port);
    const client = new IoRedis(proxy.port, "127.0.0.1", {
      maxRetriesPerRequest: null,
      retryStrategy: () => 10,
    });
    client.on("error", () => {});
    const storage = createRedisSessionStorage({ ...options, client });
    const close = async () => {
      client.disconnect();
      proxy.close();
      await server.stop();
    };
    return { storage, turn: proxy.turn, close };
  });
}

if (installed("memcached")) {
  policy("Memcached by url", LINE, async (options) => {
    const server = await startMemcached();
    const proxy = openProxy(server.port);
    const url = `127.0.0.1:${proxy.port}`;
    const storage = createMemcacheSessionStorage({ ...options, url });
    return { storage, turn: proxy.turn, close: ending(storage, proxy, server) };
  });
}

await withPackages("DynamoDB (dynalite)", DYNAMODB, startDynamoDB, (local) => {
  policy("DynamoDB", LINE, async (options) => {
    const { DynamoDB } = await import("npm:@aws-sdk/client-dynamodb@^3.1162.0");
    const { DynamoDBDocument } = await import(
      "npm:@aws-sdk/lib-dynamodb@^3.1162.0"
    );
    const proxy = openProxy(local.port);
    const db = new DynamoDB({
      endpoint: `http://127.0.0.1:${proxy.port}`,
      region: "local",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
      maxAttempts: 1,
    });
    const client = DynamoDBDocument.from(db);
    const table = await local.table();
    const storage = createDynamoDBSessionStorage({ ...options, client, table });
    const close = () => {
      db.destroy();
      proxy.close();
    };
    return { storage, turn: proxy.turn, close };
  });
});

await withPackages(
  "Workers KV (workerd)",
  WORKERD,
  startWorkerd,
  (local) => {
    policy(
      "Workers KV",
      BINDING,
      (options) => {
        const { client, turn } = breakable(local.kv, [
          "getWithMetadata",
          "put",
          "delete",
        ]);
        const prefix = `${crypto.randomUUID()}:`;
        return {
          storage: createCloudflareKVSessionStorage({
            ...options,
            kv: client,
            prefix,
          }),
          turn,
          close() {},
        };
      },
    );
  },
);

policy("Deno KV", BINDING, async (options) => {
  const { client, turn } = breakable(await Deno.openKv(":memory:"), [
    "get",
    "commit",
  ]);
  const storage = createDenoKvSessionStorage({ ...options, kv: client });
  return { storage, turn, close: () => client.close() };
});

/** A file in the folder's place, as a mount that went wrong would leave it; or nothing. */
for (const left of ["a file", "nothing"]) {
  policy(`file, with ${left} in its place`, ["refused"], async (options) => {
    const parent = await Deno.makeTempDir();
    const [dir, away] = [`${parent}/sessions`, `${parent}/away`];
    const storage = createFileSessionStorage({ ...options, dir });
    return {
      storage,
      async turn(line) {
        if (line === "good") {
          if (left === "a file") await Deno.remove(dir);
          await Deno.rename(away, dir);
        } else {
          await Deno.rename(dir, away);
          if (left === "a file") await Deno.writeTextFile(dir, "");
        }
      },
      async close() {
        await storage.close?.();
        await Deno.remove(parent, { recursive: true });
      },
    };
  });
}

/** A binding whose calls can be made to fail: where the client is the platform's own, there is no line to cut. */
function breakable<T extends object>(
  real: T,
  calls: readonly string[],
): { client: T; turn(line: Line): void } {
  let line: Line = "good";
  const around = <O extends object>(target: O): O =>
    new Proxy(target, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          if (line !== "good" && calls.includes(String(name))) {
            return line === "silent"
              ? new Promise(() => {})
              : Promise.reject(new Error("unavailable"));
          }
          const result = member.apply(target, args);
          // A transaction, whose last call is the one that asks the engine.
          return name === "atomic" || result === target
            ? around(result)
            : result;
        };
      },
    });
  return { client: around(real), turn: (next) => void (line = next) };
}

function ending(
  storage: HttpSessionStorage,
  proxy: { close(): void },
  server: { stop(): Promise<void> },
): () => Promise<void> {
  return async () => {
    await storage.close?.();
    proxy.close();
    await server.stop();
  };
}
