// Values that other programs wrote, and invalid replies.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createRedisSessionStorage } from "../../mod.ts";
import { utf8 } from "../../core/bytes.ts";
import { hashId } from "../../core/keys.ts";
import { rowName } from "../_row.ts";
import { installed, startRedis } from "./_servers.ts";
import { connect, engineOf, newKey, soon } from "./redis_support.ts";

if (installed("redis")) {
  const server = await startRedis();

  Deno.test("a value that another program wrote is not a session, and can be replaced", async () => {
    await using client = await connect(server);
    const { engine, prefix } = engineOf(client.send);
    const key = newKey();
    const expires = soon();
    for (
      const foreign of [
        ["SET", prefix + key, "text"],
        ["SET", prefix + key, "*"],
        ["SET", prefix + key, "é".repeat(50)],
        // Looks like a version.
        ["SET", prefix + key, "x".repeat(50)],
        ["LPUSH", prefix + key, "text"],
        ["HSET", prefix + key, "v", "text"],
      ]
    ) {
      await client.ask("DEL", prefix + key);
      await client.ask(...foreign);
      const found = await engine.read(key);
      assertEquals(found?.value, "", rowName(foreign));
      assertEquals(found?.expires, Infinity, rowName(foreign));
      assertEquals(
        await engine.write(key, "", { expires, ifVersion: null }),
        null,
        rowName(foreign),
      );
      assertEquals(await engine.touch(key, expires), false, rowName(foreign));
      assertEquals((await engine.read(key))?.value, "", rowName(foreign));
      assertEquals(
        await engine.delete(key, { ifVersion: "an older one" }),
        false,
        rowName(foreign),
      );
      const ifVersion = found?.version;
      const written = await engine.write(key, "new", { expires, ifVersion });
      assertEquals(await engine.read(key), {
        value: "new",
        version: written,
        expires,
      }, rowName(foreign));
    }
    await client.ask("DEL", prefix + key);
    await client.ask("SET", prefix + key, "text");
    assert(await engine.write(key, "new", { expires }));
    await client.ask("SET", prefix + key, "text");
    assert(await engine.delete(key));
    assertEquals(await engine.read(key), null);
  });

  Deno.test("a record that was cut or edited is expired or corrupt, never a session without a deadline", async () => {
    await using client = await connect(server);
    const { engine, prefix } = engineOf(client.send);
    const storage = createRedisSessionStorage({ client, prefix });
    const session = await storage.read(null);
    session.set("a", "é");
    const id = await storage.save(session) ?? "";
    const key = hashId(id);
    const record = String(await client.ask("GET", prefix + key));
    const { version, expires } = await engine.read(key) ?? {};
    const sizeOf = async (edited: string) => {
      await client.ask("SET", prefix + key, edited);
      return (await storage.read(id)).size;
    };
    for (let length = 0; length < record.length; length++) {
      assertEquals(await sizeOf(record.slice(0, length)), 0, `${length}`);
    }
    assertEquals(await sizeOf(record), 1);
    for (const deadline of ["", "soon", "-1", "1", "NaN", "0x"]) {
      const edited = deadline.padEnd(24);
      assertEquals(
        await sizeOf(`${version}${edited}${record.slice(40)}`),
        0,
        rowName(deadline),
      );
    }
    assertEquals(await sizeOf(`${version}${expires}${record.slice(40)}`), 0);
    // A save that has read the record before the edit cannot restore it.
    await client.ask("SET", prefix + key, "");
    assertEquals(
      await engine.write(key, "", { expires: soon(), ifVersion: version }),
      null,
    );
  });

  Deno.test("read() decodes bytes, when the client returns them", async () => {
    await using client = await connect(server);
    const { engine } = engineOf(async (key, args) => {
      const reply = await client.send(key, args);
      return typeof reply === "string" ? utf8(reply) : reply;
    });
    const key = newKey();
    const expires = soon();
    const version = await engine.write(key, "é", { expires, ifVersion: null });
    assertEquals(await engine.read(key), { value: "é", version, expires });
    const broken = engineOf(() => Promise.resolve(new Uint8Array([0xff])));
    assertEquals((await broken.engine.read(key))?.value, "");
  });

  Deno.test("read() and write() reject, when the reply is invalid", async () => {
    for (const answer of [undefined, 7, [], new Map()]) {
      const { engine } = engineOf(() => Promise.resolve(answer));
      await assertRejects(
        () => engine.read(newKey()),
        TypeError,
        undefined,
        rowName(answer),
      );
    }
    for (const answer of [undefined, null, "OK", 2, new Error("MOVED")]) {
      const { engine } = engineOf(() => Promise.resolve(answer));
      for (const ifVersion of [null, "0123456789abcdef"]) {
        if (ifVersion === null && answer === "OK") continue;
        await assertRejects(
          () => engine.write(newKey(), "", { expires: soon(), ifVersion }),
          TypeError,
          "not a script's",
          rowName(answer, ifVersion),
        );
      }
    }
    const failing = new Error("ERR of the server");
    const { engine } = engineOf(() => Promise.reject(failing));
    const key = newKey();
    await assertRejects(() => engine.read(key), Error, "ERR of");
    await assertRejects(() => engine.delete(key), Error, "ERR of");
    await assertRejects(() => engine.write(key, "", { expires: 1 }), Error);
  });
}
