// A server that stops, hangs and comes back, and a cluster in which one node does not know a script.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis as IoRedis } from "npm:ioredis@^6.0.0";
import { createCluster } from "npm:redis@^6.3.1";
import { createRedisSessionStorage } from "../../mod.ts";
import { sendBy } from "../../storage/engines/redis/client.ts";
import { RedisConnection } from "../../storage/engines/redis/connection.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { assertSessionError } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { eventually } from "./_eventually.ts";
import { startLossy } from "./_faulty_servers.ts";
import { installed, startRedis, startRedisCluster } from "./_servers.ts";
import { connect, engineOf, newKey, soon, urlOf } from "./redis_support.ts";

async function visit(storage: SessionStorage, id: string | null, n: number) {
  const session = await storage.read(id);
  session.set(`visit ${n}`, true);
  return await storage.save(session);
}

if (installed("redis")) {
  Deno.test("a server that crashes and restarts still has every saved session", async () => {
    const server = await startRedis();
    const storage = createRedisSessionStorage({ url: urlOf(server) });
    const id = await visit(storage, null, 1);
    await visit(storage, id, 2);

    await server.kill();
    await assertSessionError(() => storage.read(id), "store-failed");
    await assertSessionError(() => visit(storage, null, 1), "store-failed");
    assertEquals((await storage.read(null)).size, 0);

    await server.restart();
    const session = await eventually(() => storage.read(id));
    assertEquals([...Object.keys(session.data)], ["visit 1", "visit 2"]);
    assertEquals(await visit(storage, id, 3), id);
    await storage.close?.();
    await storage.close?.();

    // After close(), the next call opens it again.
    assertEquals((await storage.read(id)).size, 3);
    await storage.close?.();
    await server.stop();
  });

  Deno.test("a command works, when the server was restarted since the last one", async () => {
    const server = await startRedis();
    const storage = createRedisSessionStorage({ url: urlOf(server) });
    const id = await visit(storage, null, 1);
    await server.restart();
    assertEquals(await visit(storage, id, 2), id);
    await storage.close?.();
    await server.stop();
  });

  Deno.test("a crash during saves loses no acknowledged save", async () => {
    const server = await startRedis();
    const storage = createRedisSessionStorage({ url: urlOf(server) });
    const id = await visit(storage, null, 0);
    const saved: number[] = [0];
    const saves = Array.from({ length: 40 }, async (_, i) => {
      try {
        if (await visit(storage, id, i + 1)) saved.push(i + 1);
      } catch {
        return;
      }
      if (saved.length === 10) await server.kill();
    });
    await Promise.all(saves);
    assert(saved.length >= 10);
    await server.restart();
    const session = await eventually(() => storage.read(id));
    for (const n of saved) assert(session.get(`visit ${n}`), `visit ${n}`);
    await storage.close?.();
    await server.stop();
  });

  Deno.test("commands reject after the timeout while the server hangs, and work again afterwards", async () => {
    const server = await startRedis();
    const { send, close } = new RedisConnection(urlOf(server), 250);
    const { engine } = engineOf(send);
    const key = newKey();
    await eventually(() => engine.write(key, "text", { expires: soon() }));
    await server.pause();
    await assertRejects(
      () => engine.read(key),
      Error,
      "closed or did not answer",
    );
    // The next command connects to a server that accepts connections and never answers.
    const late = "Redis did not answer within 0.25 s";
    await assertRejects(() => engine.read(key), Error, late);
    server.resume();
    assertEquals((await eventually(() => engine.read(key)))?.value, "text");
    await close();
    await server.stop();
  });

  Deno.test("a client that was passed in reconnects as configured, and is not closed", async () => {
    const server = await startRedis();
    const client = new IoRedis(server.port, "127.0.0.1", {
      maxRetriesPerRequest: 0,
      retryStrategy: () => 10,
    });
    client.on("error", () => {});
    const storage = createRedisSessionStorage({ client });
    const id = await visit(storage, null, 1);
    await server.kill();
    await assertSessionError(() => storage.read(id), "store-failed");
    await server.restart();
    assertEquals((await eventually(() => storage.read(id))).size, 1);
    // The storage does not close a client that was passed in.
    assertEquals(storage.close, undefined);
    client.disconnect();
    await server.stop();
  });

  Deno.test("a login survives a lost answer, when the client sends the command again", async () => {
    const server = await startRedis();
    const lossy = startLossy(server.port);
    const client = new IoRedis({ port: lossy.port });
    client.on("error", () => {});
    const storage = createRedisSessionStorage({ client });
    let id = await visit(storage, null, 1);
    // The first time, the server does not know the scripts yet.
    for (const answer of [Infinity, 2]) {
      const session = await storage.read(id);
      session.regenerateId();
      session.set("user", "ann");
      // The first answer is for storing the new id, the second for ending the old one.
      lossy.loseAnswer(answer);
      assertEquals(await storage.save(session), session.id, rowName(answer));
      assertEquals(
        (await storage.read(session.id)).get("user"),
        "ann",
        rowName(answer),
      );
      assertEquals((await storage.read(id)).size, 0, rowName(answer));
      id = session.id;
    }

    client.disconnect();
    await lossy.stop();
    await server.stop();
  });

  for (const kind of ["ioredis", "node-redis"]) {
    Deno.test(`an error of ${kind} does not contain a value of a session`, async () => {
      const server = await startRedis();
      const ioredis = new IoRedis({ port: server.port });
      const nodeRedis = await connect(server);
      await ioredis.call("CONFIG", "SET", "maxmemory", "1");
      const causes: unknown[] = [];
      const storage = createRedisSessionStorage({
        client: kind === "ioredis" ? ioredis : nodeRedis,
        onEvent: ({ cause }) => causes.push(cause),
      });
      const session = await storage.read(null);
      session.set("token", "open sesame");
      const error = await assertSessionError(
        () => storage.save(session),
        "store-failed",
      );
      assertEquals(causes, [error.cause]);
      const printed = Deno.inspect(error, { depth: 20, showHidden: true });
      assert(printed.includes("OOM"), printed);
      assert(!printed.includes("sesame"), printed);

      ioredis.disconnect();
      await nodeRedis[Symbol.asyncDispose]();
      await server.stop();
    });
  }

  Deno.test("a cluster spreads sessions over its nodes, and a prefix in braces keeps them on one", async () => {
    const servers = await startRedisCluster();
    const [first] = servers;
    assert(first);
    const cluster = await createCluster({
      rootNodes: [{ url: urlOf(first) }],
    }).connect();
    const counts = async (prefix: string) => {
      const storage = createRedisSessionStorage({ client: cluster, prefix });
      for (let n = 0; n < 60; n++) {
        const id = await visit(storage, null, 1);
        assertEquals(await visit(storage, id, 2), id, rowName(n));
      }
      return await Promise.all(servers.map(async (server) => {
        await using node = await connect(server);
        const keys = await node.ask("KEYS", `${prefix}*`);
        return (keys as string[]).length;
      }));
    };
    assert((await counts("a:")).every((count) => count > 5));
    assertEquals((await counts("{b}:")).sort().at(-1), 60);

    const { engine } = engineOf(sendBy(cluster));
    await using node = await connect(first);
    await node.ask("SCRIPT", "FLUSH", "SYNC");
    for (let n = 0; n < 20; n++) {
      const options = { expires: soon(), ifVersion: null };
      assert(await engine.write(newKey(), "text", options), rowName(n));
    }
    await cluster.close();
    await Promise.all(servers.map((server) => server.stop()));
  });
}
