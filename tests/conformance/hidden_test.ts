/** What a report does not show: ids and cookies that another library's error quotes. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkStorage } from "../../conformance/mod.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";

Deno.test("checkStorage() names no cookie and no id, when the storage's errors quote them", async () => {
  const secrets: string[] = [];
  const report = await checkStorage({
    name: "talks",
    capabilities: ["revoke"],
    open({ namespace: _, ...options }) {
      const storage = createMemorySessionStorage(options);
      return {
        storage: {
          async read(value) {
            const session = await storage.read(value);
            secrets.push(session.id);
            if (value !== null && session.has("coupon")) {
              throw new Error(`row ${session.id} of cookie ${value} is locked`);
            }
            return session;
          },
          save: (session) => storage.save(session),
        },
      };
    },
  }, { seed: 1 });
  const failed = report.results.filter(({ outcome }) => outcome === "fail");
  const text = JSON.stringify(failed);
  assertStringIncludes(text, "is locked");
  assertEquals(secrets.filter((id) => text.includes(id)), []);
});
