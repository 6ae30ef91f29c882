import { retiredWords } from "./words.ts";
import { assertEquals } from "@std/assert";

Deno.test("retiredWords() finds a retired word, in prose and in names", () => {
  for (
    const line of [
      "// the backend",
      "class RedisBackend {}",
      "/** Asks the store. */",
      "class RecordStore {}",
      "interface OldHome {}",
      "/** The old home. */",
    ]
  ) assertEquals(retiredWords(line).length > 0, true, line);
});

Deno.test("retiredWords() lets other words be", () => {
  for (
    const line of [
      "/** An engine stores a text under a key. */",
      'throw new SessionError("store-failed", "…")',
      "// Changed in place.",
      "text.replaceAll(a, b)",
      "fetched over HTTPS",
      "await storage.save(session);",
    ]
  ) assertEquals(retiredWords(line), [], line);
});
