import {
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { checkStorage, type Report, rules } from "../../conformance/mod.ts";
import { deno } from "../../tools/project.ts";
import { problemsOf, readSent } from "../../tools/reports/others.ts";
import { escapeMarkdown, makePages } from "../../tools/reports/pages.ts";
import { readIndex } from "../../tools/reports/index.ts";
import { memoryTarget } from "./targets.ts";

const NOW = Date.parse("2026-12-01T00:00:00Z");

const report: Report = {
  ...JSON.parse(
    JSON.stringify(await checkStorage(memoryTarget(), { seed: 1 })),
  ),
  date: "2026-11-28T10:00:00.000Z",
};

const FRAME = {
  package: "acme-sessions",
  version: "1.2.3",
  by: "Ada Lovelace",
  reproduce: {
    command: "npx @satchel/session ./target.js --seed 1",
    url: "https://example.org/acme/sessions/blob/v1.2.3/target.js",
  },
};

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The problems of a report that differs from a good one in its frame, its report or the result of its first rule. */
function problems(
  frame: object,
  inner: object = {},
  first: object = {},
): string[] {
  const [result, ...others] = report.results;
  const results = [{ ...result, ...first }, ...others];
  return problemsOf(
    bytesOf({ ...FRAME, report: { ...report, results, ...inner }, ...frame }),
    NOW,
  );
}

Deno.test("problemsOf() finds nothing in a report as --json prints it", () => {
  assertEquals(problems({}), []);
});

const FRAMES: readonly [string, object, RegExp][] = [
  ["no package", { package: undefined }, /^package must be/],
  [
    "HTML in the package",
    { package: "<b>x</b>" },
    /package must be a name on npm/,
  ],
  ["an unknown field", { award: "gold" }, /^award is not known: remove it/],
  [
    "a version range",
    { version: "^1.0.0" },
    /version must be the package's version/,
  ],
  [
    "a control character",
    { by: "Ada\u001b[2J" },
    /^by must be your name.*control/,
  ],
  ["a directional override", { by: "Ada\u202e" }, /^by must be your name/],
  ["a lone surrogate", { by: "Ada\ud800" }, /^by must be your name/],
  ["a long name", { by: "A".repeat(81) }, /at most 80 characters/],
  ["an address that runs", {
    reproduce: { command: "x", url: "javascript:alert(1)" },
  }, /reproduce.url must be an https/],
  ["an address that ends a link", {
    reproduce: { command: "x", url: "https://example.org/a)b" },
  }, /reproduce.url must be an https/],
  ["two commands on two lines", {
    reproduce: { command: "a\nb", url: FRAME.reproduce.url },
  }, /reproduce.command must be one line/],
  ["no reproduction", { reproduce: undefined }, /reproduce must be an object/],
  ["a list of reports", { report: [report] }, /for one target/],
];

for (const [what, frame, message] of FRAMES) {
  Deno.test(`problemsOf() refuses ${what}, and says what to write`, () => {
    const found = problems(frame);
    assertEquals(found.length, 1, found.join("\n"));
    assertMatch(found[0] ?? "", message);
  });
}

const REPORTS: readonly [string, object, object, RegExp][] = [
  [
    "another rule set",
    { ruleSet: "2025.1" },
    {},
    /run the suite of this version again/,
  ],
  [
    "a date that lies ahead",
    { date: "2027-01-01T00:00:00.000Z" },
    {},
    /date must be the time/,
  ],
  ["a date without a time", { date: "yesterday" }, {}, /date must be the time/],
  [
    "an unknown claim",
    { claims: ["telepathy"] },
    {},
    /claims must be a list of capabilities/,
  ],
  [
    "a claim of Object's",
    { claims: ["toString"] },
    {},
    /claims must be a list/,
  ],
  ["HTML as its name", { target: "a\u0007" }, {}, /report.target must be/],
  ["a seed that is text", { seed: "1" }, {}, /seed must be an integer/],
  [
    "a better verdict than its results",
    {},
    { outcome: "fail", reason: "x" },
    /verdict says conformant, but its results are nonconformant/,
  ],
  ["an unknown verdict", { verdict: "perfect" }, {}, /verdict says perfect/],
  [
    "better levels than its results",
    { levels: { core: "kept" } },
    {},
    /levels does not follow/,
  ],
  [
    "an unknown rule",
    {},
    { rule: "MAGIC-01" },
    /has the rule MAGIC-01, which rules/,
  ],
  [
    "an unknown outcome",
    {},
    { outcome: "great" },
    /outcome must be one of pass/,
  ],
  [
    "a rule that passes for a reason",
    {},
    { reason: "luck" },
    /must not have a reason/,
  ],
  [
    "a failure without a reason",
    {},
    { outcome: "fail" },
    /reason must be a text/,
  ],
  ["a reason with a control character", {}, {
    outcome: "fail",
    reason: "\u0000",
  }, /reason must be a text/],
  [
    "a rule twice",
    { results: [...report.results, report.results[0]] },
    {},
    /has PERSIST-01 twice/,
  ],
  [
    "a selection of rules",
    { results: report.results.slice(1) },
    {},
    /lacks PERSIST-01.*without --only/,
  ],
  ["results that are no list", { results: {} }, {}, /results must be a list/],
];

for (const [what, inner, first, message] of REPORTS) {
  Deno.test(`problemsOf() refuses a report with ${what}, and says what to write`, () => {
    const found = problems({}, inner, first);
    assertMatch(found[0] ?? "", message, found.join("\n"));
  });
}

Deno.test("problemsOf() refuses a result of a rule that needs a claim which the report does not make", () => {
  const claims = report.claims.filter((claim) => claim !== "merge");
  const found = problems({}, { claims });
  assertMatch(
    found[0] ?? "",
    /its outcome is pass, but the report does not claim merge/,
  );
});

Deno.test("problemsOf() refuses what is not JSON, not UTF-8 or too large", () => {
  for (
    const [bytes, message] of [
      [new TextEncoder().encode("<html>"), "must be JSON in UTF-8"],
      [new Uint8Array([0x22, 0xff, 0x22]), "must be JSON in UTF-8"],
      [new Uint8Array(2 ** 20 + 1), "at most 1048576 are allowed"],
      [bytesOf(null), "must be an object"],
      [bytesOf([]), "must be an object"],
    ] as const
  ) {
    assertStringIncludes(problemsOf(bytes, NOW)[0] ?? "", message, message);
  }
});

Deno.test("problemsOf() never throws on a report with a member of another type", () => {
  for (const name of Object.keys(report)) {
    for (const value of [null, 1, "x", [], {}, [null], undefined]) {
      const kept =
        JSON.stringify(value) === JSON.stringify(Reflect.get(report, name));
      const found = problems({}, { [name]: value });
      if (
        ["ruleSet", "target", "results", "claims", "levels", "verdict", "date"]
          .includes(name) && !kept
      ) {
        const fits = name === "target" && value === "x";
        assertEquals(
          found.length > 0,
          !fits,
          `${name}: ${JSON.stringify(value)}`,
        );
      }
    }
  }
  assertEquals(problems({}, {}, { rule: null }).length > 0, true);
});

Deno.test("readSent() throws what is wrong", () => {
  assertThrows(() => readSent(bytesOf({}), NOW), TypeError, "package must be");
});

Deno.test("makePages() shows a report from somebody else, escaped", async () => {
  const target = "a|b <img src=x> [x](y)";
  const sent = readSent(
    bytesOf({ ...FRAME, by: "Ada | <b>", report: { ...report, target } }),
    NOW,
  );
  const pages = await makePages(readIndex().storages, [sent]);
  const row = pages.get("README.md")?.split("\n")
    .find((line) => line.includes("acme-sessions"));
  assertStringIncludes(
    row ?? "",
    `[${escapeMarkdown(target)}](${sent.reproduce.url})`,
  );
  assertStringIncludes(row ?? "", "checked by Ada \\| \\<b\\>");
  assertEquals(pages.get("matrix.svg")?.includes("<img"), false);
});

Deno.test("tools/reports.ts --check FILE ends with status 1 and says what is wrong", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const check = () =>
      deno([
        "run",
        "--allow-read",
        "--allow-env",
        "tools/reports.ts",
        "--check",
        file,
      ]);
    await Deno.writeFile(file, bytesOf({ ...FRAME, report }));
    assertEquals(await check(), {
      ok: true,
      stdout: `${file}: ok\n`,
      text: `${file}: ok\n`,
    });
    await Deno.writeFile(file, bytesOf({ ...FRAME, version: "1", report }));
    const { ok, text } = await check();
    assertEquals(ok, false);
    assertMatch(text, /version must be the package's version, such as 1.2.3/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the catalogue has rules for this test to leave out", () => {
  assertEquals(report.results.length, rules.length);
});
