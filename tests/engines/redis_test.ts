import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createRedisSessionStorage } from "../../mod.ts";
import { hashId } from "../../core/keys.ts";
import type { RedisSend } from "../../storage/engines/redis/client.ts";
import { assertSessionError, Clock, cookieHeader } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { installed, startRedis } from "./_servers.ts";
import { connect, engineOf, newKey, soon, urlOf } from "./redis_support.ts";

if (installed("redis")) {
  const server = await startRedis("--proto-max-bulk-len", "1mb");

  Deno.test("createRedisSessionStorage() costs zero to two round trips a request", async () => {
    await using client = await connect(server);
    const storage = createRedisSessionStorage({
      client,
      cookie: { secrets: ["s3cr3t"] },
    });
    const request = async (cookie: string | null, visits?: number) => {
      const session = await storage.getSession(cookie);
      if (visits !== undefined) session.set("visits", visits);
      const sent = await storage.commitSession(session, { renew: false });
      return [cookieHeader(sent), client.sent.splice(0).length] as const;
    };
    // The first script may have to be sent in full.
    await request((await request(null, 0))[0], 1);
    assertEquals(await request(null), ["", 0]);
    const [cookie, created] = await request(null, 1);
    assertEquals(created, 1);
    assertEquals((await request(cookie))[1], 1);
    assertEquals((await request(cookie, 2))[1], 2);
    assertEquals((await request("__session=forged"))[1], 0);
  });

  Deno.test("the server removes a record when it expires, by its own clock", async () => {
    await using client = await connect(server);
    // Years behind the server's clock, like a test's or a broken machine's.
    const clock = new Clock(1_000_000_000_000);
    const { engine, prefix } = engineOf(client.send, clock.now);
    const key = newKey();
    const ttl = async () => Number(await client.ask("PTTL", prefix + key));
    const within = (ms: number, most: number) =>
      assert(ms > most - 10_000 && ms <= most, `${ms} of ${most}`);

    await engine.write(key, "text", { expires: clock.time + 3_600_000 });
    within(await ttl(), 3_600_000);
    await engine.touch(key, clock.time + 7_200_000);
    within(await ttl(), 7_200_000);
    assertEquals((await engine.read(key))?.expires, clock.time + 7_200_000);
    await engine.write(key, "text", { expires: clock.time + 60_000.5 });
    within(await ttl(), 60_001);
    await engine.write(key, "text", { expires: 8.64e15 });
    assert(await ttl() > 1e15);
    clock.time = NaN;
    await engine.write(key, "text", { expires: 1 });
    // A millisecond, or expired already.
    assert(await ttl() <= 1 && await ttl() !== -1);
  });

  Deno.test("a clock that jumps neither ends a session that the server still has, nor restores one", async () => {
    await using client = await connect(server);
    const clock = new Clock();
    const { prefix } = engineOf(client.send);
    const now = clock.now;
    const storage = createRedisSessionStorage({
      client,
      prefix,
      ttl: 600,
      now,
    });
    const session = await storage.read(null);
    session.set("a", 1);
    const id = await storage.save(session);
    clock.pass(-3600);
    assertEquals((await storage.read(id)).get("a"), 1);
    clock.pass(3600 + 601);
    assertEquals((await storage.read(id)).size, 0);
    clock.time = NaN;
    assertEquals((await storage.read(id)).size, 0);
  });

  Deno.test("ttl is the lifetime, when neither the commit nor the cookie has one", async () => {
    await using client = await connect(server);
    const lasts = async (
      cookie: { maxAge?: number } | undefined,
      maxAge?: number,
    ) => {
      const { prefix } = engineOf(client.send);
      const options = { client, prefix, ttl: 600 };
      const storage = cookie
        ? createRedisSessionStorage({ ...options, cookie })
        : createRedisSessionStorage(options);
      const session = await storage.read(null);
      session.set("a", 1);
      const id = await storage.save(session, maxAge ? { maxAge } : {}) ?? "";
      const ms = await client.ask("PTTL", prefix + hashId(id));
      return Math.round(Number(ms) / 10_000) * 10;
    };
    assertEquals(await lasts(undefined), 600);
    assertEquals(await lasts({}), 600);
    assertEquals(await lasts({ maxAge: 900 }), 900);
    assertEquals(await lasts({ maxAge: 900 }, 1200), 1200);
  });

  Deno.test("a version is never used twice, even when a record is deleted and created again", async () => {
    await using client = await connect(server);
    const { engine } = engineOf(client.send);
    const key = newKey();
    const expires = soon();
    const first = await engine.write(key, "1", { expires, ifVersion: null });
    await engine.delete(key);
    const second = await engine.write(key, "2", { expires, ifVersion: null });
    assertNotEquals(first, second);
    assertEquals(
      await engine.write(key, "late", { expires, ifVersion: first }),
      null,
    );
    assertEquals(await engine.delete(key, { ifVersion: first }), false);
    assertEquals(await engine.delete(key, { ifVersion: null }), false);
    assertEquals((await engine.read(key))?.value, "2");
    assert(await engine.delete(key, { ifVersion: second }));
    assert(await engine.delete(key, { ifVersion: null }));
  });

  Deno.test("write() writes once, when the client sends the command twice", async () => {
    await using client = await connect(server);
    const twice: RedisSend = async (key, args) => {
      await client.send(key, args);
      return await client.send(key, args);
    };
    const { engine } = engineOf(twice);
    const key = newKey();
    const expires = soon();
    const first = await engine.write(key, "1", { expires, ifVersion: null });
    assert(first);
    assertEquals((await engine.read(key))?.version, first);
    assert(await engine.write(key, "2", { expires, ifVersion: first }));
    assertEquals((await engine.read(key))?.value, "2");
  });

  Deno.test("write(), delete() and touch() send their script again, when the server does not know it", async () => {
    await using client = await connect(server);
    const { engine } = engineOf(client.send);
    const key = newKey();
    const expires = soon();
    const first = await engine.write(key, "1", { expires, ifVersion: null });
    await client.ask("SCRIPT", "FLUSH", "SYNC");
    client.sent.length = 0;
    const second = await engine.write(key, "2", { expires, ifVersion: first });
    assert(second);
    assert(await engine.touch(key, expires + 1));
    assert(await engine.delete(key, { ifVersion: second }));
    assertEquals(client.sent, Array(3).fill(["EVALSHA", "EVAL"]).flat());
    client.sent.length = 0;
    const third = await engine.write(key, "3", { expires, ifVersion: null });
    const fourth = await engine.write(key, "4", { expires, ifVersion: third });
    assert(await engine.touch(key, expires + 1));
    assert(await engine.delete(key, { ifVersion: fourth }));
    // A record that must not exist is written without a script.
    assertEquals(client.sent, ["SET", ...Array(3).fill("EVALSHA")]);
    client.sent.length = 0;
    // And so is one that replaces any other.
    assert(await engine.write(key, "5", { expires }));
    assertEquals(client.sent, ["SET"]);
  });

  Deno.test("write() never replaces what is stored under a key that must be free", async () => {
    await using client = await connect(server);
    const { engine, prefix } = engineOf(client.send);
    const expires = soon();
    const stored: [string, ...string[]][] = [
      ["SET", "text of another program"],
      ["SET", "0123456789abcdef"],
      ["HSET", "field", "value"],
      ["RPUSH", "element"],
    ];
    for (const [command, ...values] of stored) {
      const key = newKey();
      await client.ask(command, prefix + key, ...values);
      const before = await client.ask("DUMP", prefix + key);
      const written = await engine.write(key, "1", {
        expires,
        ifVersion: null,
      });
      assertEquals(written, null, rowName(command, values));
      const after = await client.ask("DUMP", prefix + key);
      assertEquals(after, before, rowName(command, values));
    }
    // An empty text is no record.
    const key = newKey();
    await client.ask("SET", prefix + key, "");
    assert(await engine.write(key, "1", { expires, ifVersion: null }));
    assertEquals((await engine.read(key))?.value, "1");
  });

  Deno.test("createRedisSessionStorage() uses every prefix unchanged", async () => {
    await using client = await connect(server);
    const key = newKey();
    for (
      const prefix of [
        "",
        "a b",
        "\r\nFLUSHALL\r\n",
        "*",
        "a{b}",
        "\0",
        "é\u{1f36a}",
        "x".repeat(10_000),
      ]
    ) {
      const storage = createRedisSessionStorage({ client, prefix });
      const session = await storage.read(null);
      session.set("prefix", prefix);
      const id = await storage.save(session) ?? "";
      assertEquals(
        (await storage.read(id)).get("prefix"),
        prefix,
        rowName(prefix),
      );
      assertEquals(
        await client.ask("EXISTS", prefix + hashId(id)),
        1,
        rowName(prefix),
      );
    }
    assertEquals(await client.ask("EXISTS", key), 0);
  });

  Deno.test("save() stores a record of the server's limit, and keeps the old one when the new one is a byte larger", async () => {
    const storage = createRedisSessionStorage({ url: urlOf(server) });
    await using client = await connect(server);
    const session = await storage.read(null);
    session.set("a", "");
    const id = await storage.save(session) ?? "";
    const at = `session:${hashId(id)}`;
    const size = Number(await client.ask("STRLEN", at));
    const fill = async (bytes: number) => {
      const again = await storage.read(id);
      again.set("a", "x".repeat(bytes));
      return await storage.save(again);
    };
    const most = 1024 * 1024 - size;
    assertEquals(await fill(most), id);
    const error = await assertSessionError(
      () => fill(most + 1),
      "store-failed",
    );
    assert(!String(error.cause).includes(id));
    // The server has closed that connection.
    const other = createRedisSessionStorage({ client });
    const kept = (await other.read(id)).get("a");
    assertEquals(String(kept).length, most);
    await storage.close?.();
  });
}
