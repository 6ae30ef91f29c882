import { assert, assertThrows } from "@std/assert";
import { createMemcacheSessionStorage } from "../../mod.ts";
import { MemcachedClient } from "../../storage/engines/memcached/client.ts";
import { rowName } from "../_row.ts";

Deno.test("createMemcacheSessionStorage() throws and says what to change, when an option is invalid", () => {
  const client = new MemcachedClient("localhost");
  const url = "localhost";
  for (
    const [options, message] of [
      [{}, "pass either client or url"],
      [{ client, url }, "pass either client or url"],
      [{ client: {} }, "client must have the methods gets, cas"],
      [{ client: null }, "client must have the methods"],
      [{ url: "" }, "url must be like"],
      [{ url: "localhost:0" }, "url must be like"],
      [{ url: "localhost:65536" }, "url must be like"],
      [{ url: "user:s3cr3t@localhost" }, "url must be like"],
      [{ url: "localhost:11211\r\nflush_all" }, "url must be like"],
      [{ url, prefix: 1 }, "prefix must be a string"],
      [{ url, prefix: "a b" }, "prefix must not contain spaces"],
      [{ url, prefix: "a\r\nflush_all\r\n" }, "spaces or control characters"],
      [{ url, prefix: "\0" }, "spaces or control characters"],
      [{ url, prefix: "\x7f" }, "spaces or control characters"],
      [{ url, prefix: "\u2028" }, "spaces or control characters"],
      [{ url, prefix: "\ud800" }, "without lone surrogates"],
      [{ url, prefix: "x".repeat(208) }, "at most 207 bytes, received 208"],
      [{ url, prefix: "é".repeat(104) }, "at most 207 bytes, received 208"],
      [{ url, ttl: 0 }, "ttl: it must be more than 0"],
    ] as const
  ) {
    const error = assertThrows(
      () => createMemcacheSessionStorage(options as { url: string }),
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
