/** Moves sessions to a real server. */
import { assertEquals } from "@std/assert";
import {
  createFileSessionStorage,
  createMemorySessionStorage,
  createReadThroughSessionStorage,
  createRedisSessionStorage,
} from "../../mod.ts";
import { assertSessionError } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { MOVE, playRollout } from "../storage/_rollout.ts";
import { installed, startRedis } from "./_servers.ts";
import { connect, urlOf } from "./redis_support.ts";

if (installed("redis")) {
  Deno.test("sessions move from memory to Redis, and wait in memory while Redis is away", async () => {
    const server = await startRedis();
    const cookie = { name: "session", secrets: ["s3cr3t"] };
    const from = createMemorySessionStorage({ cookie });
    const storage = createRedisSessionStorage({ url: urlOf(server), cookie });
    const moving = createReadThroughSessionStorage({ to: storage, from });
    const headers: string[] = [];
    for (let i = 0; i < 10; i++) {
      const session = await from.getSession();
      session.set("visitor", i);
      const setCookie = await from.commitSession(session, { maxAge: 600 });
      headers.push(setCookie.split(";")[0] ?? "");
    }
    const [first = "", ...others] = headers;
    assertEquals((await moving.getSession(first)).get("visitor"), 0);

    await server.kill();
    for (const header of headers) {
      await assertSessionError(
        () => moving.getSession(header),
        "store-failed",
        { row: rowName(header) },
      );
    }
    await server.restart();
    // The client connects again by itself after a while.
    while (await moving.getSession(first).then(() => false, () => true));
    await Promise.all(
      others.flatMap((header, i) =>
        ["a", "b", "c"].map(async (key) => {
          const session = await moving.getSession(header);
          assertEquals(session.get("visitor"), i + 1);
          session.set(key, true);
          await moving.commitSession(session);
        })
      ),
    );
    for (const header of others) {
      const { data } = await storage.getSession(header);
      assertEquals(
        Object.keys(data).sort(),
        ["a", "b", "c", "visitor"],
        rowName(header),
      );
      assertEquals((await from.getSession(header)).size, 0, rowName(header));
    }
    await moving.close?.();
    await server.stop();
  });

  Deno.test("createReadThroughSessionStorage() signs nobody out in a rolling deployment with keepOld from files to Redis", async () => {
    const server = await startRedis();
    {
      await using client = await connect(server);
      const dir = await Deno.makeTempDir();
      const cookie = { name: "session", secrets: ["s3cr3t"] };
      for (let seed = 1; seed <= 2; seed++) {
        await playRollout(
          {
            from: () => createFileSessionStorage({ dir, cookie }),
            to: () => createRedisSessionStorage({ client, cookie }),
            revokes: true,
          },
          MOVE,
          seed,
        );
      }
      await Deno.remove(dir, { recursive: true });
    }
    await server.stop();
  });
}
