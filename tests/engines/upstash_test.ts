// Redis through the client of Upstash, over HTTP, in each of its configurations.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { Redis } from "npm:@upstash/redis@^1.39.0";
import { Redis as WorkersRedis } from "npm:@upstash/redis@^1.39.0/cloudflare";
import { createClient as createVercelKv } from "npm:@vercel/kv@^3.0.0";
import { Redis as IoRedis } from "npm:ioredis@^6.0.0";
import { hashId } from "../../core/keys.ts";
import { createRedisSessionStorage, type RedisLike } from "../../mod.ts";
import { sendBy } from "../../storage/engines/redis/client.ts";
import { assertSessionError } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { installed, startRedis } from "./_servers.ts";
import { startUpstash } from "./_upstash.ts";

interface Configuration {
  url: string;
  token: string;
  signal?: AbortSignal;
}

/** Each client, with what changes its answers. */
const CLIENTS: Record<string, (to: Configuration) => RedisLike> = {
  "@upstash/redis": (to) => new Redis(to),
  "one request for each command": (to) =>
    new Redis({ ...to, enableAutoPipelining: false }),
  "plain answers": (to) => new Redis({ ...to, responseEncoding: false }),
  "plain answers, one request for each command": (to) =>
    new Redis({ ...to, responseEncoding: false, enableAutoPipelining: false }),
  "no automatic deserialization": (to) =>
    new Redis({ ...to, automaticDeserialization: false }),
  "for Workers": (to) => new WorkersRedis(to),
  "@vercel/kv": (to) => createVercelKv(to),
};

const cookie = { name: "session", secrets: ["s3cr3t"] };
/** What a client could take for something else. */
const VALUES = ["123", '{"a":1}', "null", "OK", "T0s=", "é€😀", 1e21, null];

if (installed("redis")) {
  const server = await startRedis();
  const redis = new IoRedis(server.port, "127.0.0.1");
  const { url, token, asked, stop } = startUpstash(server.port);
  globalThis.addEventListener("unload", () => {
    redis.disconnect();
    stop();
  });

  for (const [name, connect] of Object.entries(CLIENTS)) {
    Deno.test(`createRedisSessionStorage() keeps sessions in Upstash: ${name}`, async () => {
      const storage = createRedisSessionStorage({
        client: connect({ url, token }),
        prefix: `${name}:`,
        cookie,
        owner: ({ user }) => user as string | undefined,
      });
      await redis.call("SCRIPT", "FLUSH", "SYNC");
      asked.length = 0;
      const session = await storage.read(null);
      session.set("user", "ann");
      session.set("values", VALUES);
      const first = await storage.save(session);
      const read = await storage.read(first);
      assertEquals(read.get("values"), VALUES);
      read.set("more", true);
      read.regenerateId();
      const second = await storage.save(read);
      assertEquals((await storage.read(second)).get("values"), VALUES);
      assertEquals((await storage.read(first)).size, 0);
      assertEquals((await storage.listSessions("ann")).length, 1);
      assertEquals(await storage.destroySessions("ann"), 1);
      assertEquals((await storage.read(second)).size, 0);
      // A database with read regions may answer it from one that lags behind.
      assertEquals(asked.filter((command) => command === "GET"), []);
    });

    Deno.test(`what another program put there is not a session: ${name}`, async () => {
      const events: string[] = [];
      const storage = createRedisSessionStorage({
        client: connect({ url, token }),
        cookie,
        onEvent: ({ type }) => events.push(type),
      });
      const id = "A".repeat(22);
      const key = `session:${hashId(id)}`;
      for (
        const text of ["123", '{"a":1}', "[1]", '"a"', "null", "true", "a b"]
      ) {
        await redis.set(key, text);
        events.length = 0;
        assertEquals((await storage.read(id)).size, 0, rowName(text));
        assertEquals(events, ["corrupt-record"], rowName(text));
      }
      await redis.del(key);
      await redis.hset(key, "a", "1");
      assertEquals((await storage.read(id)).size, 0);
      await redis.del(key);
    });

    Deno.test(`a failure is not taken for a missing session, and names no value: ${name}`, async () => {
      const open = (to: Partial<Configuration>) => {
        const client = connect({ url, token, ...to });
        return createRedisSessionStorage({ client, cookie });
      };
      const working = open({});
      const kept = await working.read(null);
      kept.set("user", "ann");
      const id = await working.save(kept);
      const faults: Record<string, Partial<Configuration>> = {
        "an aborted signal": { signal: AbortSignal.abort() },
        "a signal with a text": { signal: AbortSignal.abort("gone") },
        "a wrong token": { token: "wr0ng" },
      };
      for (const [fault, to] of Object.entries(faults)) {
        const storage = open(to);
        const row = { row: rowName(fault) };
        await assertSessionError(() => storage.read(id), "store-failed", row);
        const session = await storage.read(null);
        session.set("password", "hunter2");
        const save = () => storage.save(session);
        const send = sendBy(connect({ url, token, ...to }));
        for (const command of [["SET", "k", "v", "PX", "9"], ["DEL", "k"]]) {
          await assertRejects(() => send("k", command), Error, "", row.row);
        }
        const error = await assertSessionError(save, "store-failed", row);
        assertInstanceOf(error.cause, Error, row.row);
        const { message, stack } = error.cause;
        assert(!`${message}${stack}`.includes("hunter2"), row.row);
      }
      await redis.config("SET", "maxmemory", "1");
      kept.set("password", "hunter2");
      const save = () => working.save(kept);
      const error = await assertSessionError(save, "store-failed");
      await redis.config("SET", "maxmemory", "0");
      assertInstanceOf(error.cause, Error);
      assert(error.cause.message.includes("OOM"), error.cause.message);
      assert(!error.cause.message.includes("hunter2"));
      assertEquals((await working.read(id)).get("user"), "ann");
    });
  }

  Deno.test("the error of a connection to Upstash is the cause as it was", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const closed = `http://127.0.0.1:${listener.addr.port}`;
    listener.close();
    const client = new Redis({ url: closed, token, retry: false });
    const storage = createRedisSessionStorage({ client, cookie });
    const read = () => storage.read("A".repeat(22));
    const { cause } = await assertSessionError(read, "store-failed");
    assertInstanceOf(cause, TypeError);
  });
}
