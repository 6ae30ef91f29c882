/**
 * Whether rules that try ids of their own reach the storage past a signed cookie, and say so if they cannot.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkStorage,
  type RuleResult,
  type Target,
} from "../../conformance/mod.ts";
import { createCookie } from "../../mod.ts";
import { bound } from "./mutants/_bound.ts";
import { type Defect, memory } from "./mutants/_mutant.ts";
import { PATIENT } from "./targets.ts";

const only = [
  "REGEN-03",
  "REGEN-04",
  "REGEN-05",
  "REGEN-06",
  "ISO-04",
  "ISO-05",
  "HOSTILE-02",
];

const right = memory("right", () => ({}));

/** Takes ids that differ by case for one. */
const caseless: Defect = (at) => {
  const ids = new Map<string, string>();
  return {
    storage: {
      read: (value) =>
        at.storage.read(value && (ids.get(value.toLowerCase()) ?? value)),
      async save(session, options) {
        const id = await at.storage.save(session, options);
        if (id) ids.set(id.toLowerCase(), id);
        return id;
      },
    },
  };
};

const unsigned = {
  "as it is": {
    parse: (header: string | null) =>
      Promise.resolve(decodeURIComponent(header?.split("=", 2)[1] ?? "")),
    serialize: (value: unknown, options: { maxAge?: number } = {}) =>
      Promise.resolve(
        `id=${encodeURIComponent(`${value}`)}` +
          (options.maxAge === undefined ? "" : `; Max-Age=${options.maxAge}`),
      ),
  },
  "as React Router writes it": createCookie("id", { format: "react-router" }),
};

async function check(
  target: Target,
  rules: readonly string[] = only,
): Promise<readonly RuleResult[]> {
  return (await checkStorage(target, { ...PATIENT, only: rules })).results;
}

for (const way of ["read", "cookieFor"] as const) {
  Deno.test(`ids are tried on a signed cookie by ${way}`, async () => {
    const results = await check(bound(right, way));
    assertEquals(results.length, only.length, way);
    assertEquals(results.filter(({ outcome }) => outcome !== "pass"), [], way);
  });
}

for (const [name, cookie] of Object.entries(unsigned)) {
  Deno.test(`ids are tried in a cookie that holds the id ${name}`, async () => {
    const results = await check(bound(right, "none", cookie));
    const bad = results.filter(({ outcome }) => outcome !== "pass");
    assertEquals(bad, [], name);
    const target = bound(memory(name, caseless), "none", cookie);
    const [result] = await check(target, ["ISO-05"]);
    assertEquals(result?.outcome, "fail", name);
  });
}

Deno.test("without a way to try ids, ISO-05 is not run and says what to add", async () => {
  const [result] = await check(bound(right, "none"), ["ISO-05"]);
  assertEquals(result?.outcome, "not-run");
  assertStringIncludes(result?.reason ?? "", "return cookieFor from open()");
});

Deno.test("without a way to try ids, REGEN-05 is not run unless a destroyed id can be planted", async () => {
  const target = bound(right, "none");
  const [tried] = await check(target, ["REGEN-05"]);
  assertEquals(tried?.outcome, "pass");
  const capabilities = target.capabilities.filter((c) =>
    !["revoke", "merge"].includes(c)
  );
  const [result] = await check({ ...target, capabilities }, ["REGEN-05"]);
  assertEquals(result?.outcome, "not-run");
  assertStringIncludes(result?.reason ?? "", "return cookieFor from open()");
});

Deno.test("a cookieFor that makes another cookie is an error of the target", async () => {
  const target = bound(right, "none");
  const [result] = await check({
    ...target,
    open: async (options) => ({
      ...await target.open(options),
      cookieFor: (id: string) => `session=${id}`,
    }),
  }, ["ISO-05"]);
  assertEquals(result?.outcome, "error");
  assertStringIncludes(
    result?.reason ?? "",
    "cookieFor() returned a header that does not read the session of that id",
  );
});
