import { assert, assertEquals, assertThrows } from "@std/assert";
import { createRedisSessionStorage } from "../../mod.ts";
import { sendBy } from "../../storage/engines/redis/client.ts";
import { rowName } from "../_row.ts";

Deno.test("createRedisSessionStorage() throws and says what to change, when an option is invalid", () => {
  const client = { sendCommand: () => Promise.resolve(null) };
  const url = "redis://localhost";
  for (
    const [options, message] of [
      [{}, "pass either client or url"],
      [{ client, url }, "pass either client or url"],
      [
        { client: {} },
        "client must be a client of node-redis, ioredis, Bun or Upstash",
      ],
      [
        { client: null },
        "client must be a client of node-redis, ioredis, Bun or Upstash",
      ],
      [{ url: "http://:s3cr3t@localhost" }, "url must be like"],
      [{ url: "redis://:s3cr3t@local host" }, "url must be like"],
      [{ url: 6379 }, "url must be like"],
      [{ client, prefix: 1 }, "prefix must be a"],
      [{ client, prefix: "a\ud800" }, "prefix must be a well-formed string"],
      [{ client, ttl: 0 }, "ttl: it must be more than 0"],
      [{ client, ttl: NaN }, "ttl: it must be a finite"],
      [{ client, ttl: -1 }, "ttl: it must be a finite"],
    ] as const
  ) {
    const error = assertThrows(
      () => createRedisSessionStorage(options as { url: string }),
      Error,
      message,
      rowName(options),
    );
    assert(
      error instanceof TypeError || error instanceof RangeError,
      rowName(options),
    );
    assert(!error.message.includes("s3cr3t"), rowName(options));
  }
});

Deno.test("sendBy() calls each kind of client as it expects", async () => {
  const calls: unknown[][] = [];
  const note = (...args: unknown[]) => {
    calls.push(args);
    return Promise.resolve(null);
  };
  const command = ["DEL", "k"];
  await sendBy({ call: note })("k", command);
  await sendBy({ send: note })("k", command);
  await sendBy({ sendCommand: note })("k", command);
  await sendBy({ sendCommand: note, isReady: false })("k", command);
  await sendBy({ sendCommand: note, isReady: true })("k", command);
  await sendBy({ sendCommand: note, masters: [] })("k", command);
  await sendBy({ sendCommand: note, getSentinelNode() {} })("k", command);
  assertEquals(calls, [
    ["DEL", "k"],
    ["DEL", ["k"]],
    [command],
    [command],
    // Turns off its own timeout for commands that wait to be sent.
    [command, { timeout: undefined }],
    ["k", false, command],
    [false, command],
  ]);
});
