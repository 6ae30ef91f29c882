import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { MemcacheClient } from "npm:memcache-client@^1.0.5";
import { createMemcacheSessionStorage } from "../../mod.ts";
import { hashId } from "../../core/keys.ts";
import { MemcachedEngine } from "../../storage/engines/memcached/engine.ts";
import {
  MemcachedClient,
  type MemcacheLike,
} from "../../storage/engines/memcached/client.ts";
import { assertSessionError, Clock, cookieHeader } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { installed, startMemcached } from "./_servers.ts";

const DAY = 24 * 60 * 60 * 1000;
const COMMANDS = ["gets", "cas", "add", "set", "delete"] as const;

/** A client that adds the name of each command to `sent`. */
function counted(client: MemcacheLike): MemcacheLike & { sent: string[] } {
  const sent: string[] = [];
  const note = (name: typeof COMMANDS[number]) =>
  // deno-lint-ignore no-explicit-any -- passes its arguments on
  (...args: any[]): Promise<any> => {
    sent.push(name);
    return (client[name] as (...args: unknown[]) => Promise<unknown>)(...args);
  };
  const [gets, cas, add, set, remove] = COMMANDS.map(note);
  assert(gets && cas && add && set && remove);
  return { sent, gets, cas, add, set, delete: remove };
}

const newKey = () => hashId(crypto.randomUUID());
const soon = () => Date.now() + 3_600_000;

if (installed("memcached")) {
  const server = await startMemcached();
  const address = `127.0.0.1:${server.port}`;
  const client = new MemcachedClient(address);

  /** An engine, and the prefix of its keys. */
  const engineOf = (
    prefix = `${crypto.randomUUID()}:`,
    now: () => number = Date.now,
    by: MemcacheLike = client,
  ) => ({ prefix, engine: new MemcachedEngine(by, prefix, now) });

  /** How many seconds the server still keeps an item: `-1` if it never expires, `undefined` if it does not exist. */
  const secondsLeft = async (key: string): Promise<number | undefined> => {
    const socket = await Deno.connect({
      hostname: "127.0.0.1",
      port: server.port,
    });
    await socket.write(new TextEncoder().encode(`mg ${key} t\r\n`));
    const bytes = new Uint8Array(100);
    const size = await socket.read(bytes) ?? 0;
    socket.close();
    const answer = new TextDecoder().decode(bytes.subarray(0, size));
    const [, seconds] = /^HD t(-?\d+)/.exec(answer) ?? [];
    return seconds === undefined ? undefined : Number(seconds);
  };

  Deno.test("createMemcacheSessionStorage() costs zero to two round trips a request", async () => {
    const counting = counted(client);
    const storage = createMemcacheSessionStorage({
      client: counting,
      cookie: { secrets: ["s3cr3t"] },
    });
    const request = async (cookie: string | null, visits?: number) => {
      const session = await storage.getSession(cookie);
      if (visits !== undefined) session.set("visits", visits);
      const sent = await storage.commitSession(session, { renew: false });
      return [cookieHeader(sent), counting.sent.splice(0)] as const;
    };
    assertEquals(await request(null), ["", []]);
    const [cookie, created] = await request(null, 1);
    assertEquals(created, ["add"]);
    assertEquals((await request(cookie))[1], ["gets"]);
    assertEquals((await request(cookie, 2))[1], ["gets", "cas"]);
    assertEquals((await request("__session=forged"))[1], []);
  });

  Deno.test("the server keeps a record a little longer than the session", async () => {
    // Years behind the server's clock.
    const clock = new Clock(1_000_000_000_000);
    const { engine, prefix } = engineOf(undefined, clock.now);
    const key = newKey();
    const kept = async (ms: number) => {
      const expires = clock.time + ms;
      await engine.write(key, "text", { expires });
      const record = await engine.read(key);
      if (ms > 0) assertEquals(record?.expires, Math.ceil(expires));
      return await secondsLeft(prefix + key) ?? 0;
    };
    // On a busy machine, the server's clock may be seconds further by now.
    const within = (seconds: number, least: number, most: number) =>
      assert(seconds >= least - 10 && seconds <= most, `${seconds} of ${most}`);
    within(await kept(60_000), 59, 61);
    within(await kept(60_001), 60, 62);
    within(await kept(30 * DAY - 1000), 30 * 86_400 - 2, 30 * 86_400);
    // For a longer lifetime, the server expects an instant.
    within(await kept(30 * DAY), 31 * 86_400 - 2, 31 * 86_400 + 10);
    within(await kept(400 * DAY), 401 * 86_400 - 2, 401 * 86_400 + 10);
    assertEquals(await kept(100 * 365 * DAY), -1);
    assertEquals(await kept(8.64e15 - clock.time), -1);
    within(await kept(-5000), 0, 1);
  });

  Deno.test("ttl is the lifetime, when neither the commit nor the cookie has one", async () => {
    const { prefix } = engineOf();
    const storage = createMemcacheSessionStorage({ client, prefix, ttl: 600 });
    const session = await storage.read(null);
    session.set("a", 1);
    const id = await storage.save(session) ?? "";
    const seconds = await secondsLeft(prefix + hashId(id)) ?? NaN;
    assert(seconds > 590 && seconds <= 601, String(seconds));
  });

  Deno.test("write() stores a record of maxBytes, and keeps the old one when the new one is a byte larger", async () => {
    for (const prefix of ["", "session:", "é".repeat(103)]) {
      const { engine } = engineOf(prefix);
      const limit = engine.guarantees.maxBytes ?? NaN;
      const key = newKey();
      // Its deadline has the greatest number of digits.
      const expires = 8.64e15;
      const version = await engine.write(key, "é".repeat(limit >> 1), {
        expires,
        ifVersion: null,
      });
      const text = "x".repeat(limit);
      const options = { expires, ifVersion: version };
      assert(await engine.write(key, text, options), rowName(prefix));
      const found = await engine.read(key);
      assertEquals(found?.value.length, limit, rowName(prefix));
      await assertRejects(
        () =>
          engine.write(key, `${text}x`, { expires, ifVersion: found?.version }),
        Error,
        "SERVER_ERROR object too large for cache",
        rowName(prefix),
      );
      assertEquals(
        (await engine.read(key))?.value.length,
        limit,
        rowName(prefix),
      );
      await engine.delete(key);
    }
  });

  Deno.test("save() throws an error that names the keys and the limit, when a session is too large", async () => {
    const counting = counted(client);
    const storage = createMemcacheSessionStorage({ client: counting });
    const limit = storage.guarantees?.maxBytes ?? NaN;
    const size = async (session: typeof first) => {
      const id = await storage.save(session) ?? "";
      const item = await client.gets(`session:${hashId(id)}`);
      return String(item?.value).length -
        "1234567890123 1234567890123456 ".length;
    };
    const first = await storage.read(null);
    first.set("a", "");
    const rest = await size(first);
    const fits = await storage.read(null);
    fits.set("a", "x".repeat(limit - rest));
    assertEquals(await size(fits), limit);
    const beyond = await storage.read(null);
    beyond.set("a", "x".repeat(limit - rest + 1));
    counting.sent.length = 0;
    await assertSessionError(
      () => storage.save(beyond),
      "too-large",
      `it takes ${limit + 1} bytes, and the limit of the engine is ${limit}`,
      '"a"',
    );
    assertEquals(counting.sent, []);
  });

  Deno.test("a version is never used twice, and is known before the server returns it", async () => {
    const { engine } = engineOf();
    const key = newKey();
    const expires = soon();
    const first = await engine.write(key, "1", { expires, ifVersion: null });
    assert(first);
    assertEquals(
      await engine.write(key, "0", { expires, ifVersion: null }),
      null,
    );
    const read = (await engine.read(key))?.version;
    const second = await engine.write(key, "2", { expires, ifVersion: first });
    assert(second);
    for (const ifVersion of [first, read, null]) {
      assertEquals(
        await engine.write(key, "late", { expires, ifVersion }),
        null,
        rowName(ifVersion),
      );
      assertEquals(
        await engine.delete(key, { ifVersion }),
        false,
        rowName(ifVersion),
      );
    }
    assert(await engine.delete(key, { ifVersion: second }));
    assertEquals(await engine.read(key), null);
    assert(await engine.delete(key, { ifVersion: null }));
    assert(await engine.delete(key));
    const third = await engine.write(key, "3", { expires, ifVersion: null });
    assertNotEquals(third, second);
    for (const ifVersion of [first, read, second]) {
      assertEquals(
        await engine.write(key, "late", { expires, ifVersion }),
        null,
        rowName(ifVersion),
      );
    }
    assertEquals((await engine.read(key))?.value, "3");
  });

  Deno.test("a value that another program wrote is not a session, and can be replaced", async () => {
    const npm = new MemcacheClient({ server: address });
    for (const by of [client, npm] as MemcacheLike[]) {
      const { engine, prefix } = engineOf(undefined, undefined, by);
      const key = newKey();
      const expires = soon();
      const lifetime = 60;
      for (
        const foreign of [
          "",
          "text",
          "1 2 3",
          "NaN 1234567890123456 text",
          "-1 1234567890123456 text",
          "12345678901234567 1234567890123456 text",
          "VALUE x 0 1\r\nEND\r\n",
        ]
      ) {
        await by.set(prefix + key, foreign, { lifetime });
        const found = await engine.read(key);
        assertEquals(found?.value, "", foreign);
        const ifVersion = found?.version;
        assert(
          await engine.write(key, "new", { expires, ifVersion }),
          rowName(by, foreign),
        );
        assertEquals(
          (await engine.read(key))?.value,
          "new",
          rowName(by, foreign),
        );
      }
    }
    npm.shutdown();
  });

  Deno.test("items of other kinds and bytes that are not text are not sessions", async () => {
    const npm = new MemcacheClient({ server: address });
    const { engine, prefix } = engineOf();
    const through = engineOf(prefix, undefined, npm as MemcacheLike).engine;
    const key = newKey();
    for (const foreign of [7, { a: 1 }, Buffer.from([0xff, 0xfe])]) {
      await npm.set(prefix + key, foreign, { lifetime: 60 });
      assertEquals((await engine.read(key))?.value, "", rowName(foreign));
      assertEquals((await through.read(key))?.value, "", rowName(foreign));
    }
    npm.shutdown();
  });

  Deno.test("read() returns every value as it was written, byte by byte, in packets of any size", async () => {
    const { engine } = engineOf();
    const expires = soon();
    const values = [
      "",
      "END\r\n",
      "\r\n",
      "é\u{1f36a}",
      "a\0b",
      "x".repeat(300_000),
    ];
    const keys = values.map(newKey);
    await Promise.all(
      values.map((value, i) => engine.write(keys[i] ?? "", value, { expires })),
    );
    const found = await Promise.all(keys.map((key) => engine.read(key)));
    assertEquals(found.map((record) => record?.value), values);
  });

  globalThis.addEventListener("unload", () => void client.close());
}
