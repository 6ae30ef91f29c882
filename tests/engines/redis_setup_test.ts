// How a server is set up: one node of a cluster, eviction, an IPv6 address, passwords and databases.
import { assert, assertEquals } from "@std/assert";
import { Cluster as IoCluster, Redis as IoRedis } from "npm:ioredis@^6.0.0";
import {
  createClient,
  createClientPool,
  createCluster,
  createSentinel,
} from "npm:redis@^6.3.1";
import { createRedisSessionStorage } from "../../mod.ts";
import { SessionError } from "../../core/errors.ts";
import type { RedisLike } from "../../storage/engines/redis/client.ts";
import { checkingSetup } from "../../storage/engines/redis/setup.ts";
import type { SessionEvent, SessionStorage } from "../../storage/contract.ts";
import { assertSessionError } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { eventually } from "./_eventually.ts";
import {
  clusterReady,
  installed,
  startRedis,
  startRedisCluster,
  startRedisNode,
  startSentinel,
} from "./_servers.ts";
import { connect, urlOf } from "./redis_support.ts";

async function visit(storage: SessionStorage): Promise<void> {
  const session = await storage.read(null);
  session.set("a", 1);
  const id = await storage.save(session);
  assertEquals((await storage.read(id)).get("a"), 1);
}

/** The causes of the failures that a storage reports. */
function listening() {
  const causes: unknown[] = [];
  const onEvent = ({ type, cause }: SessionEvent) => {
    if (type === "engine-error") causes.push(cause);
  };
  return { causes, onEvent };
}

function assertEvicts([cause, ...others]: unknown[], policy: string) {
  assert(cause instanceof SessionError, `${cause}`);
  assertEquals(cause.code, "store-failed");
  assert(cause.message.includes(`is ${policy}, which evicts`), cause.message);
  assert(cause.message.includes("set maxmemory-policy to noeviction"));
  assertEquals(others, []);
}

/** Whether the machine has the address ::1. */
function hasIPv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

async function connectsToIPv6(): Promise<void> {
  const server = await startRedis("--bind", "127.0.0.1", "-::1");
  const url = `redis://[::1]:${server.port}`;
  const storage = createRedisSessionStorage({ url });
  await visit(storage);
  await storage.close?.();
  await server.stop();
}

if (installed("redis")) {
  Deno.test("a storage on one node of a cluster fails, and says what to pass instead", async () => {
    const nodes = await startRedisCluster();
    const [first] = nodes;
    assert(first);
    {
      await using node = await connect(first);
      // Without the right to ask, the server's redirections say it.
      await node.ask(
        ...["ACL", "SETUSER", "app", "on", ">pw", "~session:*", "+@connection"],
        ...["+get", "+getrange", "+set", "+setrange", "+pexpire", "+del"],
        ...["+eval", "+evalsha"],
      );
      const url = urlOf(first);
      const forbidden = url.replace("//", "//app:pw@");
      for (
        const [options, always] of [
          [{ url }, true],
          [{ url: forbidden }, false],
          [{ client: node }, false],
        ] as const
      ) {
        const storage = createRedisSessionStorage(options);
        let failed = 0;
        for (let n = 0; n < 30; n++) {
          const error = await visit(storage).catch((error) => error);
          if (error === undefined && !always) continue;
          failed++;
          assert(error instanceof SessionError, `${error}`);
          assertEquals(error.code, "store-failed", error.message);
          assert(
            /createCluster\(\{ rootNodes.*new Cluster\(/.test(`${error.cause}`),
            `${error.cause}`,
          );
        }
        assert(failed > 5, `${rowName(always)}: ${failed}`);
        await storage.close?.();
      }
      // What the message asks for.
      const cluster = await createCluster({ rootNodes: [{ url }] }).connect();
      for (let n = 0; n < 30; n++) {
        await visit(createRedisSessionStorage({ client: cluster }));
      }
      await cluster.close();
    }
    await Promise.all(nodes.map((node) => node.stop()));
  });

  Deno.test("a cluster of one node has all sessions, and url can be its address", async () => {
    const server = await startRedisNode();
    {
      await using node = await connect(server);
      await node.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
      await clusterReady(server.port);
      const storage = createRedisSessionStorage({ url: urlOf(server) });
      for (let n = 0; n < 30; n++) await visit(storage);
      await storage.close?.();
    }
    await server.stop();
  });

  Deno.test({
    name: "url connects to an IPv6 address",
    ignore: !hasIPv6(),
    fn: connectsToIPv6,
  });

  Deno.test("url may have a user, a password and the number of a database", async () => {
    const server = await startRedis("--requirepass", "p@ss");
    const { port } = server;
    const at = (login: string, db = "") =>
      createRedisSessionStorage({
        url: `redis://${login}127.0.0.1:${port}${db}`,
      });
    for (const login of ["", ":wrong@", "nobody:p%40ss@"]) {
      const storage = at(login);
      const error = await assertSessionError(
        () => visit(storage),
        "store-failed",
      );
      assert(/NOAUTH|WRONGPASS/.test(String(error.cause)), `${error.cause}`);
      await storage.close?.();
    }
    for (const login of [":p%40ss@", "default:p%40ss@"]) {
      const storage = at(login, "/3");
      await visit(storage);
      await storage.close?.();
    }
    const client = createClient({
      url: `redis://:p%40ss@127.0.0.1:${port}/3`,
    });
    await client.connect();
    assertEquals(await client.dbSize(), 2);
    await client.close();
    await server.stop();
  });

  const server = await startRedis("--maxmemory-policy", "volatile-ttl");
  const nodes = await startRedisCluster();
  for (const node of nodes) {
    await using control = await connect(node);
    await control.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  }
  const [first] = nodes;
  assert(first);
  const { port } = server;
  const url = urlOf(server);
  const rootNodes = [{ url: urlOf(first) }];

  /** Ways to connect, and to disconnect again. */
  const CONNECT: Record<string, () => Promise<[RedisLike, () => unknown]>> = {
    async "node-redis"() {
      const client = await createClient({ url }).connect();
      return [client, () => client.close()];
    },
    async "a pool of node-redis"() {
      const client = createClientPool({ url });
      await client.connect();
      return [client, () => client.close()];
    },
    async "a cluster of node-redis"() {
      const client = await createCluster({ rootNodes }).connect();
      return [client, () => client.close()];
    },
    async ioredis() {
      const client = new IoRedis(port, "127.0.0.1");
      return [client, () => client.disconnect()];
    },
    async "a cluster of ioredis"() {
      const client = new IoCluster([{ host: "127.0.0.1", port: first.port }]);
      return [client, () => client.disconnect()];
    },
  };

  for (const [name, open] of Object.entries(CONNECT)) {
    Deno.test(`a maxmemory-policy that evicts is reported once, with ${name}`, async () => {
      const [client, close] = await open();
      const { causes, onEvent } = listening();
      const storage = createRedisSessionStorage({ client, onEvent });
      await eventually(async () => {
        await visit(storage);
        assert(causes.length > 0);
      });
      for (let n = 0; n < 3; n++) await visit(storage);
      const policy = name.includes("cluster") ? "allkeys-lru" : "volatile-ttl";
      assertEvicts(causes, policy);
      await close();
    });
  }

  Deno.test("a maxmemory-policy that evicts is reported once, with a url, also after a loss of the connection", async () => {
    const { causes, onEvent } = listening();
    const storage = createRedisSessionStorage({ url, onEvent });
    for (let n = 0; n < 3; n++) await visit(storage);
    await storage.close?.();
    for (let n = 0; n < 3; n++) await visit(storage);
    assertEvicts(causes, "volatile-ttl");
    await storage.close?.();
  });

  Deno.test("nothing is reported, when the policy keeps sessions or cannot be known", async () => {
    await using control = await connect(server);
    await control.ask("ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all");
    await control.ask("ACL", "SETUSER", "app", "-info", "-config");
    const forbidden = url.replace("//", "//app:pw@");
    const { causes, onEvent } = listening();
    const storage = createRedisSessionStorage({ url: forbidden, onEvent });
    for (let n = 0; n < 3; n++) await visit(storage);
    await storage.close?.();
    await control.ask("CONFIG", "SET", "maxmemory-policy", "noeviction");
    const other = createRedisSessionStorage({ url, onEvent });
    for (let n = 0; n < 3; n++) await visit(other);
    await other.close?.();
    await control.ask("CONFIG", "SET", "maxmemory-policy", "volatile-ttl");
    assertEquals(causes, []);
  });

  Deno.test("checkingSetup() asks once, after a command has succeeded, and ignores other answers", async () => {
    for (
      const answer of [
        () => Promise.resolve(null),
        () => Promise.resolve(["used_memory:1"]),
        () => Promise.reject(new Error("ERR unknown command 'INFO'")),
        () => new Promise(() => {}),
      ]
    ) {
      const sent: string[] = [];
      let down = true;
      const reported: unknown[] = [];
      const send = checkingSetup(async (_key, [name = ""]) => {
        sent.push(name);
        if (name === "INFO") return await answer();
        if (down) throw new Error("down");
        return "OK";
      }, (error) => reported.push(error));
      await send("k", ["GET", "k"]).catch(() => {});
      assertEquals(sent, ["GET"], `${answer}`);
      down = false;
      for (let n = 0; n < 3; n++) await send("k", ["GET", "k"]);
      const once = ["GET", "GET", "INFO", "GET", "GET"];
      assertEquals([sent, reported], [once, []], `${answer}`);
    }
  });

  Deno.test("url of a sentinel fails, and says what to pass instead", async () => {
    const sentinel = await startSentinel(port);
    const storage = createRedisSessionStorage({ url: urlOf(sentinel) });
    const error = await assertSessionError(
      () => visit(storage),
      "store-failed",
    );
    const cause = String(error.cause);
    assert(cause.includes("createSentinel({ name"), cause);
    await storage.close?.();

    const client = await createSentinel({
      name: "main",
      sentinelRootNodes: [{ host: "127.0.0.1", port: sentinel.port }],
    }).connect();
    const { causes, onEvent } = listening();
    const own = createRedisSessionStorage({ client, onEvent });
    await eventually(async () => {
      await visit(own);
      assert(causes.length > 0);
    });
    assertEvicts(causes, "volatile-ttl");
    await client.close();
    await sentinel.stop();
  });
}
