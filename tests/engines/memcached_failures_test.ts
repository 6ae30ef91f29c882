// A server that stops, hangs, comes back, or sends invalid answers.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createMemcacheSessionStorage } from "../../mod.ts";
import { MemcachedClient } from "../../storage/engines/memcached/client.ts";
import { assertSessionError } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { eventually } from "./_eventually.ts";
import { installed, startMemcached } from "./_servers.ts";

/** A busy machine is late too, in milliseconds: for answers that come. */
const PATIENCE = 60_000;
/** For answers that do not come. */
const LATE = 200;

/** A server that sends the next of `answers` for each command, in pieces of `pieces` bytes. */
async function scripted(
  answers: string[],
  pieces: number,
  test: (client: MemcachedClient) => Promise<void>,
  timeout = PATIENCE,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const sockets: Deno.Conn[] = [];
  const serve = async (socket: Deno.Conn) => {
    for await (const _command of socket.readable) {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      const bytes = new TextEncoder().encode(answer);
      for (let at = 0; at < bytes.length; at += pieces) {
        await socket.write(bytes.subarray(at, at + pieces));
      }
    }
  };
  const serving = (async () => {
    for await (const socket of listener) {
      sockets.push(socket);
      serve(socket).catch(() => {});
    }
  })().catch(() => {});
  const url = `127.0.0.1:${listener.addr.port}`;
  const client = new MemcachedClient(url, timeout);
  try {
    await test(client);
  } finally {
    await client.close();
    listener.close();
    await serving;
    for (const socket of sockets) {
      try {
        socket.close();
      } catch {
        // The other end has closed it.
      }
    }
  }
}

Deno.test("an answer may arrive in pieces of any size", async () => {
  const answer = "VALUE k 0 8 77\r\na\r\nEND\r\n\r\nEND\r\n";
  for (const pieces of [1, 2, 3, 7, 100]) {
    await scripted(
      [answer, "END\r\n", "STORED\r\n"],
      pieces,
      async (client) => {
        assertEquals(await client.gets("k"), {
          value: "a\r\nEND\r\n",
          casUniq: "77",
        }, rowName(pieces));
        assertEquals(await client.gets("k"), undefined, rowName(pieces));
        await client.set("k", "v", { lifetime: 1 });
      },
    );
  }
});

for (
  const [answer, message] of [
    ["ERROR\r\n", "ERROR"],
    ["CLIENT_ERROR bad data chunk\r\n", "CLIENT_ERROR bad data chunk"],
    ["SERVER_ERROR out of memory\r\n", "SERVER_ERROR out of memory"],
    ["HTTP/1.1 400 Bad Request\r\n", "sent an invalid answer"],
    ["STORED\r\n", "sent an invalid answer"],
    ["\xff\r\n", "sent an invalid answer"],
    ["VALUE other 0 1 1\r\nx\r\nEND\r\n", "sent an invalid answer"],
    ["VALUE k 0 9 1\r\nx\r\nEND\r\n", "did not answer within 0.2 s"],
    ["VALUE k 0 x 1\r\nx\r\nEND\r\n", "sent an invalid answer"],
    ["VALUE k", "did not answer within 0.2 s"],
    ["", "did not answer within 0.2 s"],
  ] as const
) {
  Deno.test(`gets() rejects, and the next command works, when the answer is ${JSON.stringify(answer)}`, async () => {
    const timeout = message.includes("within 0.2 s") ? LATE : PATIENCE;
    await scripted([answer, "END\r\n"], 100, async (client) => {
      await assertRejects(() => client.gets("k"), Error, message);
      assertEquals(await eventually(() => client.gets("k")), undefined);
    }, timeout);
  });
}

if (installed("memcached")) {
  Deno.test("commands reject while the server is down, and work again when it is back and empty", async () => {
    const server = await startMemcached();
    const url = `127.0.0.1:${server.port}`;
    const storage = createMemcacheSessionStorage({ url });
    const session = await storage.read(null);
    session.set("a", 1);
    const id = await storage.save(session);

    await server.kill();
    await assertSessionError(() => storage.read(id), "store-failed");
    await assertSessionError(() => storage.read(id), "store-failed");
    session.set("a", 2);
    await assertSessionError(() => storage.save(session), "store-failed");

    await server.restart();
    assertEquals((await storage.read(id)).size, 0);
    // The session existed when the request read it: the late save must not bring it back.
    assertEquals(await storage.save(session), null);
    const next = await storage.read(null);
    next.set("a", 3);
    assert(await storage.save(next));
    await storage.close?.();
    await storage.close?.();
    await server.stop();
  });

  Deno.test("a command works, when the server was restarted since the last one", async () => {
    const server = await startMemcached();
    const client = new MemcachedClient(`127.0.0.1:${server.port}`);
    await client.set("k", "v", { lifetime: 3600 });
    await server.restart();
    assertEquals(await client.gets("k"), undefined);
    await client.close();
    await server.stop();
  });

  Deno.test("commands reject after the timeout while the server hangs, and work again afterwards", async () => {
    const server = await startMemcached();
    const client = new MemcachedClient(`127.0.0.1:${server.port}`, LATE);
    await eventually(() => client.set("k", "v", { lifetime: 3600 }));
    await server.pause();
    const late = "Memcached did not answer within 0.2 s";
    await Promise.all(
      [1, 2, 3].map(() => assertRejects(() => client.gets("k"), Error, late)),
    );
    server.resume();
    assertEquals((await eventually(() => client.gets("k")))?.value, "v");
    await client.close();
    await server.stop();
  });
}
