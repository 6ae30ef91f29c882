/** What `conformance()` hands to a test runner. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import denoJson from "../../deno.json" with { type: "json" };
import { createMemorySessionStorage } from "../../mod.ts";
import {
  type CheckOptions,
  checkStorage,
  conformance,
  rules,
  type Target,
} from "../../conformance/mod.ts";

const memory: Target = {
  name: "memory",
  capabilities: ["revoke", "maxAge"],
  clock: { kind: "virtual", advance() {} },
  open: ({ namespace: _, ...options }) => ({
    storage: createMemorySessionStorage(options),
  }),
};

interface Registered {
  readonly name: string;
  readonly fn: () => Promise<void>;
  readonly timeout: number | undefined;
}

function register(target: Target, options?: CheckOptions): Registered[] {
  const tests: Registered[] = [];
  conformance(
    (name, fn, timeout) => tests.push({ name, fn, timeout }),
    target,
    options,
  );
  return tests;
}

Deno.test("conformance() gives the runner more time than a rule can take", () => {
  for (const { name, timeout = 0 } of register(memory)) {
    // The longest that a rule of a slow storage takes by default.
    assert(timeout > 180_000, name);
  }
  const [short] = register(memory, { deadline: 1 });
  assertEquals(short?.timeout, 3000);
  const [real] = register({
    ...memory,
    clock: { kind: "real", granularityMs: 1000, minTtlMs: 60_000 },
  }, { deadline: 1 });
  assert(
    (real?.timeout ?? 0) > 600_000,
    "it waits for a minute, several times",
  );
});

Deno.test("conformance() registers the rules whose claims the target makes", () => {
  const names = register(memory).map(({ name }) => name.split(" ")[1]);
  const claims: readonly string[] = ["revoke", "maxAge"];
  const wanted = rules
    .filter((rule) => rule.capabilities.every((c) => claims.includes(c)))
    .map(({ id }) => id);
  assertEquals(names, wanted);
  const [first] = register(memory, { only: ["PERSIST-01"] });
  return first?.fn();
});

for (const deadline of [0, -1, NaN, Infinity, 1e9, "10" as never]) {
  Deno.test(`checkStorage() throws a TypeError, for a deadline of ${deadline}`, async () => {
    await assertRejects(
      () => checkStorage(memory, { deadline }),
      TypeError,
      "deadline must be a number of seconds",
    );
  });
}

Deno.test("checkStorage() reports what was claimed, and of which versions", async () => {
  const report = await checkStorage({
    ...memory,
    capabilities: ["revoke", "expiry"],
    versions: { redis: "8.0.1" },
  }, { seed: 1 });
  assertEquals(report.claims, ["revoke", "idle", "maxAge"]);
  assert(report.unclaimed.includes("merge"), "merge is not claimed");
  assertEquals((report.unclaimed as string[]).includes("expiry"), false);
  assertEquals(report.levels, {
    core: "kept",
    revoke: "kept",
    idle: "kept",
    maxAge: "kept",
  });
  assertEquals(report.versions["@satchel/session"], denoJson.version);
  assertEquals(report.versions["runtime"], `Deno ${Deno.version.deno}`);
  assertEquals(report.versions["redis"], "8.0.1");
  assertEquals(report.clock, "virtual");
  assertEquals(new Date(report.date).toISOString(), report.date);
});

Deno.test("checkStorage() says which levels are broken, and which nobody could try", async () => {
  const report = await checkStorage({
    name: "forgets",
    capabilities: ["merge", "idle"],
    open: ({ namespace: _, ...options }) => {
      const storage = createMemorySessionStorage(options);
      return {
        storage: {
          read: (value) => storage.read(value),
          save: async (session) => {
            session.unset("theme");
            return await storage.save(session);
          },
        },
      };
    },
  }, { seed: 1 });
  assertEquals(report.levels.core, "broken");
  assertEquals(report.levels.merge, "broken");
  assertEquals(report.levels.idle, "untried");
  assertEquals(report.clock, "none");
});
