// A server that stops, hangs and comes back; and clusters, which may have forgotten a script on one node only.
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
  Deno.test("a server that crashes and starts again has every session that was saved", async () => {
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

    // Closed, it opens again where it is used again.
    assertEquals((await storage.read(id)).size, 3);
    await storage.close?.();
    await server.stop();
  });

  Deno.test("a crash in the middle of saves loses none that was acknowledged", async () => {
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

  Deno.test("a server that hangs is an error in time, and no longer one when it goes on", async () => {
    const server = await startRedis();
    const { send, close } = new RedisConnection(urlOf(server), 250);
    const { engine } = engineOf(send);
    const key = newKey();
    await eventually(() => engine.write(key, "text", { expires: soon() }));
    await server.pause();
    await assertRejects(() => engine.read(key), Error, "closed, or hung");
    // The next one finds a server that accepts connections and says nothing.
    const late = "Redis did not answer within 0.25 s";
    await assertRejects(() => engine.read(key), Error, late);
    server.resume();
    assertEquals((await eventually(() => engine.read(key)))?.value, "text");
    await close();
    await server.stop();
  });

  Deno.test("a client of one's own reconnects as it was told to", async () => {
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
    // It was not made here, and is not closed here.
    assertEquals(storage.close, undefined);
    client.disconnect();
    await server.stop();
  });

  Deno.test("a login is not lost with the answer to its last command, when the client sends that again", async () => {
    const server = await startRedis();
    const lossy = startLossy(server.port);
    const client = new IoRedis({ port: lossy.port });
    client.on("error", () => {});
    const storage = createRedisSessionStorage({ client });
    let id = await visit(storage, null, 1);
    // The first time, the server has yet to learn the scripts.
    for (const answer of [Infinity, 2]) {
      const session = await storage.read(id);
      session.regenerateId();
      session.set("user", "ann");
      // The first answer is that to storing the new id, the second that to ending the old one.
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
    Deno.test(`an error of ${kind} takes no value of a session along`, async () => {
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
      const told = Deno.inspect(error, { depth: 20, showHidden: true });
      assert(told.includes("OOM"), told);
      assert(!told.includes("sesame"), told);

      ioredis.disconnect();
      await nodeRedis[Symbol.asyncDispose]();
      await server.stop();
    });
  }

  Deno.test("sessions are spread over a cluster's nodes, and braces keep them on one", async () => {
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
