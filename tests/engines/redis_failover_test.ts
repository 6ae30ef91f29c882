// Servers that refuse to serve: a master that was demoted, a replica without its master, a server that loads its data.
import { assert, assertEquals } from "@std/assert";
import { Redis as IoRedis } from "npm:ioredis@^6.0.0";
import { createClient } from "npm:redis@^6.3.1";
import { createRedisSessionStorage } from "../../mod.ts";
import type { RedisLike } from "../../storage/engines/redis/client.ts";
import { isUnfit } from "../../storage/engines/redis/replies.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { assertSessionError } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { eventually } from "./_eventually.ts";
import { startLossy } from "./_faulty_servers.ts";
import {
  clusterReady,
  installed,
  type Server,
  startRedis,
  startRedisNode,
} from "./_servers.ts";
import { connect, type Connection, urlOf } from "./redis_support.ts";

async function login(storage: SessionStorage, user: string): Promise<string> {
  const session = await storage.read(null);
  session.set("user", user);
  return await storage.save(session) ?? "";
}

async function userOf(storage: SessionStorage, id: string): Promise<unknown> {
  return (await storage.read(id)).get("user");
}

Deno.test("isUnfit() recognizes the reply of a command and of a script, on old and new servers", () => {
  const readonly = "READONLY You can't write against a read only replica.";
  for (
    const [message, expected] of [
      [readonly, true],
      [`${readonly} script: 1f8f, on @user_script:1.`, true],
      [
        `ERR Error running script (call to f_f3): @user_script:50: @user_script: 50: -${readonly}`,
        true,
      ],
      ["NOREPLICAS Not enough good replicas to write.", true],
      ["TRYAGAIN Multiple keys request during rehashing of slot", true],
      ["OOM command not allowed when used memory > 'maxmemory'.", false],
      ["NOSCRIPT No matching script.", false],
      ["ERR unknown command 'LOADING '", false],
      ["connect ECONNREFUSED", false],
    ] as const
  ) assertEquals(isUnfit(new Error(message)), expected, message);
});

if (installed("redis")) {
  Deno.test("a storage by url follows its address to the new master, when a failover leaves the connection open", async () => {
    const [first, second] = [await startRedis(), await startRedis()];
    {
      await using old = await connect(first);
      await using next = await connect(second);
      await old.ask(...setting("repl-diskless-sync-delay", "0"));
      await next.ask("REPLICAOF", "127.0.0.1", `${first.port}`);
      const relay = startLossy(first.port);
      const storage = createRedisSessionStorage({ url: urlOf(relay) });
      const elsewhere = createRedisSessionStorage({ client: next });
      const ann = await login(storage, "ann");
      const bob = await login(storage, "bob");
      // WAIT counts from the last write of its own connection. Then the replica has all.
      await old.ask("SET", "last", "");
      assertEquals(await old.ask("WAIT", "1", "0"), 1);

      await next.ask("REPLICAOF", "NO", "ONE");
      await old.ask("REPLICAOF", "127.0.0.1", `${second.port}`);
      // Others already use the new master.
      const session = await elsewhere.read(bob);
      session.destroy();
      await elsewhere.save(session);

      const error = await assertSessionError(
        () => login(storage, "cy"),
        "store-failed",
      );
      assert(String(error.cause).includes("READONLY"), `${error.cause}`);
      // The address leads to the demoted server still: it is not asked again.
      const stale = await assertSessionError(
        () => storage.read(bob),
        "store-failed",
      );
      assert(String(stale.cause).includes("leads to a replica"));

      relay.leadTo(second.port);
      assertEquals(await userOf(storage, bob), undefined);
      assertEquals(await userOf(storage, ann), "ann");
      assertEquals(await userOf(storage, await login(storage, "cy")), "cy");
      const { accepted } = relay;
      assertEquals(await userOf(storage, await login(storage, "di")), "di");
      assertEquals(relay.accepted, accepted);
      await storage.close?.();
      await relay.stop();
    }
    await Promise.all([first.stop(), second.stop()]);
  });

  /** Ways to make a server refuse, and to make it serve again. */
  const REFUSALS: Record<string, {
    start?: () => Promise<Server>;
    /** What a visit calls. A server may refuse saves alone. */
    calls?: "save";
    refuse(server: Connection): Promise<unknown>;
    serve(server: Connection): Promise<unknown>;
  }> = {
    READONLY: {
      calls: "save",
      refuse: (server) => server.ask("REPLICAOF", "127.0.0.1", "1"),
      serve: (server) => server.ask("REPLICAOF", "NO", "ONE"),
    },
    NOREPLICAS: {
      calls: "save",
      refuse: (server) => server.ask(...setting("min-replicas-to-write", "1")),
      serve: (server) => server.ask(...setting("min-replicas-to-write", "0")),
    },
    MASTERDOWN: {
      async refuse(server) {
        await server.ask(...setting("replica-serve-stale-data", "no"));
        await server.ask("REPLICAOF", "127.0.0.1", "1");
      },
      serve: (server) => server.ask("REPLICAOF", "NO", "ONE"),
    },
    LOADING: {
      start: () =>
        startRedis(
          ...["--enable-debug-command", "yes"],
          ...["--loading-process-events-interval-bytes", "1024"],
          ...["--rdbcompression", "no"],
        ),
      async refuse(server) {
        const text = "x".repeat(2000);
        for (let n = 0; n < 1000; n++) await server.ask("SET", `${n}`, text);
        await server.ask(...setting("key-load-delay", "10000"));
        // It answers when all is loaded.
        server.ask("DEBUG", "RELOAD").catch(() => {});
      },
      async serve(server) {
        await server.ask(...setting("key-load-delay", "0"));
        await eventually(() => server.ask("GET", "0"));
      },
    },
    CLUSTERDOWN: {
      start: async () => {
        const node = await startRedisNode();
        await using server = await connect(node);
        await server.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
        await clusterReady(node.port);
        return node;
      },
      refuse: (server) => server.ask("CLUSTER", "DELSLOTSRANGE", "1", "16383"),
      async serve(server) {
        await server.ask("CLUSTER", "ADDSLOTSRANGE", "1", "16383");
        await eventually(() => server.ask("GET", "0"));
      },
    },
  };

  for (
    const [code, { start = startRedis, calls, refuse, serve }] of Object
      .entries(REFUSALS)
  ) {
    Deno.test(`a server that answers ${code} is a failure, and is used again when it serves`, async () => {
      const server = await start();
      {
        await using control = await connect(server);
        await using other = await connect(server);
        const relay = startLossy(server.port);
        const ioredis = new IoRedis(server.port, "127.0.0.1");
        const clients: Record<string, RedisLike> = {
          "node-redis": createClient({ url: urlOf(server) })
            .on("error", () => {}),
          ioredis,
        };
        await (clients["node-redis"] as ReturnType<typeof createClient>)
          .connect();
        const storages = Object.entries({
          url: createRedisSessionStorage({ url: urlOf(relay) }),
          "node-redis": createRedisSessionStorage({
            client: clients["node-redis"] as RedisLike,
          }),
          ioredis: createRedisSessionStorage({ client: ioredis }),
        });
        const ids = new Map<string, string>();
        for (const [name, storage] of storages) {
          ids.set(name, await login(storage, name));
        }
        const { accepted } = relay;
        await refuse(control);
        await eventually(async () => {
          const reply = await other.ask(
            ...(calls ? ["SET", "{0}", "x"] : ["GET", "0"]),
          ).then(() => "served", String);
          assert(reply.includes(code), reply);
        });
        for (const [name, storage] of storages) {
          const id = ids.get(name) ?? "";
          const visits = {
            read: () => storage.read(id),
            save: () => login(storage, name),
          };
          for (const [visit, call] of Object.entries(visits)) {
            if (calls && visit !== calls) continue;
            const error = await assertSessionError(call, "store-failed");
            const said = `${name}, ${visit}: ${error.cause}`;
            // A new connection finds a replica out by itself.
            const replica = name === "url" && /leads to a replica/;
            // A replica refuses to write before it looks for its master.
            const refuses = code === "MASTERDOWN" && visit === "save" &&
              said.includes("READONLY");
            assert(
              said.includes(code) || refuses || replica && replica.test(said),
              said,
            );
          }
        }
        await serve(other);
        for (const [name, storage] of storages) {
          const id = ids.get(name) ?? "";
          const user = await eventually(() => userOf(storage, id));
          assertEquals(user, name, name);
          assert(await eventually(() => login(storage, name)), name);
        }
        assert(relay.accepted > accepted, rowName(relay.accepted));
        await storages[0]?.[1].close?.();
        ioredis.disconnect();
        (clients["node-redis"] as ReturnType<typeof createClient>).destroy();
        await relay.stop();
      }
      await server.stop();
    });
  }

  Deno.test("a server that refuses many requests is not asked for as many connections", async () => {
    const server = await startRedis();
    {
      await using control = await connect(server);
      const relay = startLossy(server.port);
      const storage = createRedisSessionStorage({ url: urlOf(relay) });
      await login(storage, "ann");
      await control.ask(...setting("min-replicas-to-write", "1"));
      await Promise.all(
        Array.from(
          { length: 100 },
          () => assertSessionError(() => login(storage, "ann"), "store-failed"),
        ),
      );
      assert(relay.accepted < 5, `${relay.accepted} connections`);
      await storage.close?.();
      await relay.stop();
    }
    await server.stop();
  });
}

function setting(name: string, value: string): string[] {
  return ["CONFIG", "SET", name, value];
}
