/**
 * Targets that are wrong, and engines that are not ready: an error that says what to change, and never a verdict.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  checkEngine,
  type EngineTarget,
  formatReport,
  isEngineTarget,
} from "../../../conformance/mod.ts";
import type { Engine } from "../../../mod.ts";
import { broken } from "./_mutant.ts";
import { memoryEngine } from "./targets.ts";

// deno-lint-ignore no-explicit-any -- what JavaScript can pass
type Any = any;

const never = new Promise<never>(() => {});

/** An engine whose answers are replaced. */
function answering(parts: Any): EngineTarget["open"] {
  return broken("bad", () => parts).open;
}

function reading(change: (record: Any) => Any): EngineTarget["open"] {
  return broken("bad", ({ engine }) => ({
    async read(key) {
      const record = await engine.read(key);
      return record && change(record);
    },
  })).open;
}

const NOT_READY =
  /An engine must work when open\(\) returns: create its table there/;

const bad: Record<string, [EngineTarget["open"], RegExp]> = {
  "open throws": [() => {
    throw new Error("connection refused");
  }, /^open\(\) threw: Error: connection refused$/],
  "open returns undefined": [
    () => undefined as Any,
    /^open\(\) returned undefined; it must return an engine, or \{ engine \}$/,
  ],
  "open returns an object without methods": [
    () => ({ guarantees: {} }) as Any,
    /^open\(\) must return an engine: it does not have read\(\), write\(\), delete\(\)$/,
  ],
  "open returns an engine without delete": [
    () => ({ engine: { read() {}, write() {} } }) as Any,
    /^open\(\) must return an engine: it does not have delete\(\)$/,
  ],
  "touch is not a function": [
    answering({ touch: true }),
    /^the engine's touch is boolean; it must be a function, or left out$/,
  ],
  "open never returns": [
    () => never,
    /^open\(\) took more than 200 ms; check that what it waits for is running|^skipped/,
  ],
  "read never answers": [
    answering({ read: () => never }),
    /(first call|read\(\)) has not answered within 200 ms; check that the engine is running and reachable|^skipped/,
  ],
  "its table is missing": [
    answering({
      read() {
        throw Object.assign(new Error("Failed query: select …"), {
          cause: Object.assign(
            new Error('relation "sessions" does not exist'),
            { name: "error", code: "42P01" },
          ),
        });
      },
    }),
    /^the engine's first read\(\) rejected: Error: Failed query: select …; caused by error: relation "sessions" does not exist\. An engine must work/,
  ],
  "it may only read": [
    answering({
      write: () =>
        Promise.reject(new Error("permission denied for table sessions")),
    }),
    /^the engine's first write\(\) rejected: Error: permission denied for table sessions\. An engine must work/,
  ],
  "its server is down": [
    answering({
      read: () =>
        Promise.reject(
          new AggregateError([new Error("connect ECONNREFUSED 127.0.0.1:1")]),
        ),
    }),
    /^the engine's first read\(\) rejected: AggregateError: ; caused by Error: connect ECONNREFUSED/,
  ],
  "a missing record is undefined": [
    answering({ read: async () => undefined }),
    /^read\(\) returned undefined; it must return \{ value, version, expires \}, or null \(return null for a missing record, row \?\? null\)$/,
  ],
  "the deadline is a BIGINT, which came as text": [
    reading((record) => ({ ...record, expires: String(record.expires) })),
    /^read\(\)'s "expires" is a string, "\d{13}"; it must be a number of milliseconds \(drivers return a BIGINT or DECIMAL column as text: convert it, Number\(row\.expires\)\)$/,
  ],
  "the deadline is a bigint": [
    reading((record) => ({ ...record, expires: BigInt(record.expires) })),
    /^read\(\)'s "expires" is a bigint, \d{13}n; it must be a number of milliseconds \(drivers/,
  ],
  "the deadline is a date": [
    reading((record) => ({ ...record, expires: new Date(record.expires) })),
    /^read\(\)'s "expires" is an object \(Date\); it must be a number of milliseconds \(convert it, row\.expires\.getTime\(\)\)$/,
  ],
  "the deadline is not selected": [
    reading(({ expires: _, ...record }) => record),
    /^read\(\)'s "expires" is undefined; it must be a number of milliseconds$/,
  ],
  "the version is not selected": [
    reading(({ version: _, ...record }) => record),
    /^read\(\)'s "version" is undefined; it must be what write\(\) returned$/,
  ],
  "the client parses JSON (automaticDeserialization)": [
    reading((record) => ({ ...record, value: JSON.parse(record.value) })),
    /^read\(\)'s "value" is an object \(Array\); it must be the text as it was written \(the client parsed the text as JSON: turn that off/,
  ],
  "the value is a BLOB": [
    reading((record) => ({ ...record, value: new Uint8Array(3) })),
    /^read\(\)'s "value" is an object \(Uint8Array\); it must be the text as it was written \(decode it as UTF-8\)$/,
  ],
  "write returns nothing": [
    answering({ write: async () => {} }),
    /^write\(\) returned undefined; it must return the record's new version; null if another version is stored \(return the version that was stored, for example by RETURNING version\)$/,
  ],
  "write returns whether it succeeded": [
    answering({ write: async () => true }),
    /^write\(\) returned a boolean, true; it must return the record's new version/,
  ],
  "move is not a function": [
    answering({ move: true }),
    /^the engine's move is boolean; it must be a function, or left out$/,
  ],
  "delete returns how many rows it deleted": [
    answering({ delete: async () => 1 }),
    /^delete\(\) returned a number, 1; it must return true or false \(return whether a row was changed, rowCount > 0\)$/,
  ],
};

for (const [name, [open, reason]] of Object.entries(bad)) {
  Deno.test(`checkEngine() says what to change and gives no verdict, when ${name}`, async () => {
    const report = await checkEngine(
      { name: "bad", clock: { kind: "virtual", advance() {} }, open },
      { seed: 1, deadline: 0.2 },
    );
    assertEquals(report.verdict, "incomplete", name);
    for (const { rule, outcome, reason: said = "" } of report.results) {
      const skipped = said.startsWith("skipped");
      assertEquals(outcome, skipped ? "not-run" : "error", `${rule}: ${said}`);
      assertMatch(said, reason, rule);
      const isCall = / rejected: /.test(said);
      assertEquals(NOT_READY.test(said), isCall, `${rule}: ${said}`);
    }
    // One failure of all rules is shown once.
    const text = formatReport(report, { format: "text" });
    assert(text.split("\n").length < 30, text);
  });
}

Deno.test("checkEngine() says what a member has become, when it is wrong later", async () => {
  const { results, verdict } = await checkEngine(
    broken("bad", ({ engine }) => ({
      touch: async (...call) =>
        Number(await engine.touch(...call)) as unknown as boolean,
    })),
    { seed: 1, only: ["ENGINE-15"] },
  );
  assertEquals(verdict, "incomplete");
  const [{ outcome, reason, trace = [] } = results[0] as Any] = results;
  assertEquals(outcome, "error");
  assertEquals(
    reason,
    "touch() returned a number, 1; it must return true or false (return whether a row was changed, rowCount > 0)",
  );
  assertMatch(
    trace.at(-1) ?? "",
    /^\d+\. A\.touch\(key 1, expires in \d+ ms\) → 1$/,
  );
});

Deno.test("checkEngine() says what sweep must return, when it returns what the driver did", async () => {
  const returned: [unknown, string][] = [
    [7n, "a bigint, 7n; WANT (convert it, Number(changes))"],
    [{ rowCount: 7 }, "an object (Object); WANT"],
    [null, "null; WANT"],
    [-1, "a number, -1; WANT"],
  ];
  for (const [answer, reason] of returned) {
    const { results } = await checkEngine(
      broken("bad", () => ({ sweep: async () => answer as number })),
      { seed: 1, only: ["ENGINE-27"] },
    );
    const want = "it must return how many records it removed, or nothing";
    assertEquals(
      results.map(({ outcome, reason }) => [outcome, reason]),
      [["error", `sweep() returned ${reason.replace("WANT", want)}`]],
      reason,
    );
  }
});

Deno.test("checkEngine() says what move must return, when it returns nothing", async () => {
  const { results } = await checkEngine(
    broken("bad", () => ({ move: async () => {} })),
    { seed: 1, only: ["ENGINE-33"] },
  );
  assertEquals(
    results.map(({ outcome, reason }) => [outcome, reason]),
    [[
      "error",
      "move() returned undefined; it must return the record's new version; null if another version is stored (return the version that was stored, for example by RETURNING version)",
    ]],
  );
});

Deno.test("checkEngine() is not-run about deadlines, without a clock", async () => {
  const { clock: _, ...target } = memoryEngine();
  const { results, verdict } = await checkEngine(target, { seed: 1 });
  const open = results.filter(({ outcome }) => outcome === "not-run");
  assertEquals(open.map(({ rule, reason }) => `${rule} ${reason}`), [
    "ENGINE-05 the target does not have a clock",
  ]);
  assertEquals(verdict, "incomplete");
});

Deno.test("checkEngine() is an error, when a fault's hook throws", async () => {
  const { open } = memoryEngine();
  const { results } = await checkEngine({
    name: "bad",
    async open(options) {
      const opened = await open(options) as { engine: Engine };
      const fail = () => {
        throw new Error("no proxy");
      };
      return { ...opened, faults: { fail, heal() {} } };
    },
  }, { seed: 1, only: ["ENGINE-31"] });
  const [result] = results;
  assertEquals(result?.outcome, "error");
  assertEquals(result?.reason, "faults.fail() threw: Error: no proxy");
});

Deno.test("checkEngine() shows the calls of a rule that fails, and how to repeat it", async () => {
  const report = await checkEngine(
    broken("bad", ({ engine }) => ({
      touch: (key, expires) => engine.touch(key, expires),
    })),
    { seed: 7, only: ["ENGINE-16"] },
  );
  const text = formatReport(report, { format: "text", width: 120 });
  assertMatch(
    text,
    /checkEngine\(target, \{ only: \["ENGINE-16"\], seed: 7 \}\)/,
  );
  assertMatch(
    text,
    /A\.touch\(key 1, expires in \d+ ms, ifVersion \d+\) → true/,
  );
  assertEquals(report.levels, { core: "broken" });
  assertEquals([report.claims, report.unclaimed], [[], []]);
});

const malformed: Record<string, [unknown, RegExp]> = {
  "nothing": [undefined, /^Cannot check engine: it must be an object$/],
  "no name": [{ open() {} }, /name must be a string/],
  "no open": [{ name: "x" }, /open must be a function/],
  "capabilities": [
    { name: "x", open() {}, capabilities: ["revoke"] },
    /capabilities are read from the engine's guarantees; leave them out, or use checkStorage\(\)/,
  ],
  "an unknown clock": [
    { name: "x", open() {}, clock: { kind: "water" } },
    /clock\.kind must be virtual, aged or real/,
  ],
  "namespaces that are a list": [
    { name: "x", open() {}, namespaces: [] },
    /namespaces must be true or false/,
  ],
};

for (const [name, [target, message]] of Object.entries(malformed)) {
  Deno.test(`checkEngine() rejects with a TypeError, for a target with ${name}`, async () => {
    const error = await assertRejects(
      () => checkEngine(target as EngineTarget),
      TypeError,
    );
    assertMatch(error.message, message);
  });
}

Deno.test("checkEngine() rejects with a TypeError, for a rule about session storages", async () => {
  await assertRejects(
    () => checkEngine(memoryEngine(), { only: ["FLASH"] }),
    TypeError,
    'Cannot run rule "FLASH": there is no such rule or group',
  );
  await assertRejects(
    () =>
      checkEngine(memoryEngine(), { expectedFailures: { "FLASH-01": "x" } }),
    TypeError,
    'Cannot expect rule "FLASH-01" to fail: there is no such rule',
  );
});

Deno.test("checkEngine() is partial, with an expected failure", async () => {
  const target = broken("bad", ({ engine }) => ({
    touch: (key, expires) => engine.touch(key, expires),
  }));
  const expectedFailures = { "ENGINE-16": "TODO" };
  const { verdict } = await checkEngine(target, { seed: 1, expectedFailures });
  assertEquals(verdict, "partial");
});

Deno.test("isEngineTarget() knows an engine target from a storage's, and from anything else", () => {
  const open = () => {};
  const values: [unknown, boolean][] = [
    [memoryEngine(), true],
    [{ name: "x", open, capabilities: [] }, false],
    [{ name: "x" }, false],
    [{ open }, false],
    [open, false],
    [null, false],
    ["x", false],
  ];
  for (const [value, expected] of values) {
    assertEquals(isEngineTarget(value), expected, Deno.inspect(value));
  }
});
