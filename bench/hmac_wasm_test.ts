import { assertEquals } from "@std/assert";
import { createHmac } from "node:crypto";
import { hmac } from "./hmac_wasm.ts";

Deno.test("hmac() signs as node:crypto does, whatever the length", () => {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const sign = hmac(key);
  for (const length of [...Array(200).keys(), 3_000, 20_000]) {
    const text = "é".repeat(length % 7) + "x".repeat(length);
    const expected = createHmac("sha256", key).update(text).digest();
    assertEquals(sign(text), new Uint8Array(expected), `${length}`);
  }
});
