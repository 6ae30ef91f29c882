// The factories take the arguments of Remix 3's, and keep a session as those do.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  createFsSessionStorage,
  createMemcacheSessionStorage,
  createMemorySessionStorage,
  createRedisSessionStorage,
} from "../../mod.ts";
import { rowName } from "../_row.ts";
import { installed, startMemcached, startRedis } from "./_servers.ts";
import { connect } from "./redis_support.ts";

/** What a visitor of Remix 3 does with a storage. */
interface Storage {
  read(value: string | null): Promise<{
    get(key: string): unknown;
    set(key: string, value: unknown): void;
    destroy(): void;
    regenerateId(deleteOld?: never): void;
  }>;
  save(session: never): Promise<string | null>;
}

/** A login, a new id, a logout: what each of the ids leads to. */
async function visit(given: unknown): Promise<unknown[]> {
  const storage = given as Storage;
  const userOf = async (value: string | null) =>
    (await storage.read(value)).get("user");
  const session = await storage.read(null);
  session.set("user", "ann");
  const first = await storage.save(session as never);
  const seen = [typeof first, await userOf(first), await userOf("unknown")];
  const again = await storage.read(first);
  again.regenerateId(true as never);
  const second = await storage.save(again as never);
  seen.push(second !== first, await userOf(second), await userOf(first));
  const last = await storage.read(second);
  last.destroy();
  seen.push(await storage.save(last as never), await userOf(second));
  return seen;
}

const SEEN = [
  "string",
  "ann",
  undefined,
  true,
  "ann",
  undefined,
  "",
  undefined,
];

if (installed("redis")) {
  const server = await startRedis();

  Deno.test("createRedisSessionStorage() takes a client and Remix's options, and keeps a session as Remix does", async () => {
    await using client = await connect(server);
    const options = {
      keyPrefix: "shop:",
      ttl: 3600,
      useUnknownIds: false,
    } as const;
    const { createRedisSessionStorage: theirs } = await import(
      "npm:@remix-run/session-storage-redis@0.1.1"
    );
    const asRemix = {
      get: async (key: string) => await client.ask("GET", key) as string | null,
      set: (key: string, value: string) => client.ask("SET", key, value),
      del: (key: string) => client.ask("DEL", key),
      setEx: (key: string, ttl: number, value: string) =>
        client.ask("SETEX", key, String(ttl), value),
    };
    assertEquals(await visit(theirs(asRemix, options)), SEEN);
    assertEquals(await visit(createRedisSessionStorage(client, options)), SEEN);

    const storage = createRedisSessionStorage(client, options);
    const session = await storage.read(null);
    session.set("user", "ann");
    await storage.save(session);
    const keys = await client.ask("KEYS", "*") as string[];
    const ttls: number[] = [];
    for (const key of keys) {
      assert(key.startsWith("shop:"), key);
      ttls.push(Number(await client.ask("TTL", key)));
    }
    // The marks of ended sessions are kept for a minute.
    const longest = Math.max(...ttls);
    assert(longest > 3500 && longest <= 3600, `${longest} of 3600`);
  });
}

if (installed("memcached")) {
  const server = await startMemcached();

  Deno.test("createMemcacheSessionStorage() takes an address and Remix's options, and keeps a session as Remix does", async () => {
    const address = `127.0.0.1:${server.port}`;
    const options = { keyPrefix: "shop:", ttlSeconds: 3600 };
    const { createMemcacheSessionStorage: theirs } = await import(
      "npm:@remix-run/session-storage-memcache@0.1.1"
    );
    assertEquals(await visit(theirs(address, options)), SEEN);
    const storage = createMemcacheSessionStorage(address, options);
    assertEquals(await visit(storage), SEEN);
    await storage.close?.();
  });
}

/** A client of each kind, with the properties that options have, too. */
const CLIENTS = {
  ioredis: { call: nothing, options: {} },
  Bun: { send: nothing, url: "redis://localhost" },
  "node-redis": { sendCommand: nothing, client: {} },
  Upstash: { evalsha: nothing, eval: nothing, client: {} },
};

function nothing(): Promise<null> {
  return Promise.resolve(null);
}

Deno.test("createRedisSessionStorage() recognizes a client by its methods, whatever its properties", () => {
  for (const [name, client] of Object.entries(CLIENTS)) {
    createRedisSessionStorage(client as never, { ttl: 60 });
    createRedisSessionStorage(client as never);
    createRedisSessionStorage({ client: client as never });
    assertThrows(
      () => createRedisSessionStorage(client as never, { ttl: 0 }),
      RangeError,
      "ttl: it must be more than 0",
      name,
    );
  }
});

const client = CLIENTS.ioredis;
const URL = "redis://localhost";
const PLANTED = "an attacker could plant an id";

Deno.test("the factories refuse Remix's useUnknownIds, and say why", async () => {
  const asked = { useUnknownIds: true as unknown as false };
  const dir = await Deno.makeTempDir();
  const create = {
    redis: () => createRedisSessionStorage(client, asked),
    memcache: () => createMemcacheSessionStorage("localhost", asked),
    memory: () => createMemorySessionStorage(asked),
    file: () => createFsSessionStorage(dir, asked),
  };
  for (const [name, each] of Object.entries(create)) {
    assertThrows(each, TypeError, PLANTED, name);
  }
  const not = { useUnknownIds: false } as const;
  createRedisSessionStorage(client, not);
  createMemcacheSessionStorage("localhost", not);
  createMemorySessionStorage(not);
  createFsSessionStorage(dir, not);
  await Deno.remove(dir);
});

Deno.test("the factories refuse Remix's options in the wrong place, and say what to write", () => {
  const cases: [string, () => unknown, string][] = [
    [
      "Remix's name in the first object",
      () => createRedisSessionStorage({ url: URL, keyPrefix: "a:" } as never),
      'unknown option "keyPrefix"; the nearest known one is "prefix"',
    ],
    [
      "both names",
      () => createRedisSessionStorage(client, { prefix: "a", keyPrefix: "a" }),
      "pass either prefix or keyPrefix, received both",
    ],
    [
      "a second client",
      () => createRedisSessionStorage(client, { url: URL } as never),
      "pass either client or url, received both",
    ],
    [
      "two objects",
      () => createRedisSessionStorage({ url: URL } as never, { ttl: 60 }),
      "pass all options in one object, or a client before them",
    ],
    [
      "a client that Remix takes",
      () =>
        createRedisSessionStorage(
          { get: nothing, set: nothing, del: nothing } as never,
        ),
      "client must be a client of node-redis, ioredis, Bun or Upstash",
    ],
    [
      "two objects for Memcached",
      () => createMemcacheSessionStorage({ url: "a" } as never, { ttl: 60 }),
      "pass all options in one object, or the server's address before them",
    ],
    [
      "both names for Memcached",
      () => createMemcacheSessionStorage("a", { ttl: 1, ttlSeconds: 1 }),
      "pass either ttl or ttlSeconds, received both",
    ],
    [
      "for ever",
      () => createMemcacheSessionStorage("a", { ttlSeconds: 0 }),
      "ttlSeconds must be more than 0, because no session is kept for ever",
    ],
  ];
  for (const [what, create, message] of cases) {
    assertThrows(create, Error, message, rowName(what));
  }
});
