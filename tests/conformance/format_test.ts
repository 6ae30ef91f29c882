import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type FormatOptions,
  formatReport,
  type Report,
  type RuleResult,
} from "../../conformance/mod.ts";
import { rowName } from "../_row.ts";

/** What a hostile target would like to get into a report. */
const HOSTILE =
  "\x1b[2J</title><script>alert(1)</script> ]]> \"q\" 'a' & # \\ \u202e\ud800\x00";

function reportOf(
  results: Partial<RuleResult>[],
  more: Partial<Report> = {},
): Report {
  return {
    target: "memory",
    ruleSet: "2026.1",
    seed: 7,
    verdict: "nonconformant",
    notes: [],
    stale: [],
    claims: ["revoke", "merge"],
    unclaimed: ["owners"],
    levels: { core: "broken", revoke: "kept", merge: "untried" },
    clock: "virtual",
    versions: { "@satchel/session": "0.1.0", runtime: "Deno 2.9.6" },
    date: "2026-01-02T03:04:05.000Z",
    latencyMs: 0.2,
    results: results.map((result) => ({
      rule: "FLASH-01",
      outcome: "pass",
      ms: 1.5,
      ...result,
    })),
    ...more,
  };
}

/** One of each kind. */
const mixed = reportOf([
  { rule: "PERSIST-01" },
  { rule: "PERSIST-04", outcome: "not-applicable", reason: "no claim" },
  {
    rule: "FLASH-01",
    outcome: "fail",
    reason: "the flash is missing",
    got: "undefined",
    want: '"Saved"',
    trace: ["1. open a storage", "2. A sends no cookie"],
  },
  { rule: "FLASH-02", outcome: "error", reason: "open() threw" },
  { rule: "FLASH-03", outcome: "not-run", reason: "no clock" },
  {
    rule: "FLASH-04",
    outcome: "fail",
    reason: "gone",
    expected: "known, see issue 5",
  },
  { rule: "FLASH-05", expected: "was broken" },
], { notes: ["it has sweep"], stale: ["FLASH-05"] });

const hostile = reportOf([
  {
    outcome: "fail",
    reason: HOSTILE,
    got: HOSTILE,
    want: HOSTILE,
    trace: [`1. set "${HOSTILE}"`],
  },
  { rule: "FLASH-02", outcome: "not-applicable", reason: HOSTILE },
  {
    rule: "FLASH-03",
    outcome: "fail",
    reason: "x",
    expected: HOSTILE,
  },
], { target: HOSTILE, notes: [HOSTILE] });

const formats: FormatOptions["format"][] = [
  "text",
  "json",
  "junit",
  "tap",
  "html",
  "badge",
  "matrix",
];

for (const format of formats) {
  Deno.test(`formatReport() lets nothing of a target act on its reader, as ${format}`, () => {
    const text = formatReport(hostile, { format });
    // deno-lint-ignore no-control-regex -- they are what must not be there
    assertFalse(/[\x00-\x08\x0b-\x1f\x7f\u202e]|\p{Surrogate}/u.test(text));
    if (/html|junit|badge|matrix/.test(format)) {
      assertFalse(text.includes("<script"));
      assertWellFormed(text);
    }
    assert(text.endsWith("\n"));
  });

  Deno.test(`formatReport() takes several reports, as ${format}`, () => {
    const one = reportOf([{}], { verdict: "conformant", target: "file" });
    const text = formatReport([mixed, one], { format });
    if (format !== "badge") assertStringIncludes(text, "file");
  });
}

/** Tags nest and close; enough of a parser for what the formatters write. */
function assertWellFormed(markup: string): void {
  const open: string[] = [];
  const plain = markup.replace(/<style>[^<]*<\/style>/g, "");
  for (
    const [, close, name = "", , empty] of plain.matchAll(
      /<(\/?)([a-z]\w*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/gi,
    )
  ) {
    if (empty || /^meta$/.test(name)) continue;
    if (close) assertEquals(open.pop(), name, name);
    else open.push(name);
  }
  assertEquals(open, []);
  assertFalse(/&(?!(amp|lt|gt|quot|#\d+);)/.test(plain));
}

Deno.test("formatReport() prints only failures in full, as text", () => {
  assertEquals(
    formatReport(mixed, { format: "text" }),
    `memory · rules 2026.1 · seed 7

  Persistence    ✓–     1 passed, 1 not applicable
  Flash          ✗!?x^  1 failed, 1 unexpectedly passed, 1 error, 1 not run, 1
                        failed as expected

✗ FLASH-01 failed
  The next request can read a flash.

  reason  the flash is missing
  got     undefined
  want    "Saved"

       1. open a storage
       2. A sends no cookie

  why     After a redirect, the visitor learns from it whether something worked
          or failed.
  again   checkStorage(target, { only: ["FLASH-01"], seed: 7 })

! FLASH-02 error
  The first get returns a flash; a second get in the same request does not.

  reason  open() threw
  why     Two components that ask for the message would both show it.
  again   checkStorage(target, { only: ["FLASH-02"], seed: 7 })

^ FLASH-05 unexpectedly passed
  has returns true for a flash and does not consume it.

  reason  it was expected to fail (was broken), but passes: remove the
          expectation
  why     A layout that checks for a message must not consume it.
  again   checkStorage(target, { only: ["FLASH-05"], seed: 7 })

Failed as expected
  FLASH-04: known, see issue 5

Not run
  FLASH-03: no clock

Not applicable
  PERSIST-04: no claim

Notes
  it has sweep

nonconformant: 1 failed, 1 unexpectedly passed, 1 error, 1 not run, 1 failed as
expected, 1 passed, 1 not applicable
`,
  );
});

Deno.test("formatReport() keeps to its width, as text", () => {
  const text = formatReport(
    reportOf([{
      outcome: "fail",
      reason: `${"word ".repeat(40)}${"x".repeat(200)}`,
      got: "y".repeat(300),
      want: "z",
      trace: Array.from({ length: 100 }, (_, i) => `${i + 1}. A: set "k"`),
    }]),
    { format: "text", width: 60 },
  );
  for (const line of text.split("\n")) {
    assert(line.length <= 60 || line.startsWith("  again"), line);
  }
  assertStringIncludes(text, "… 60 more lines in the JSON report");
});

Deno.test("formatReport() tells one broken open once, as text", () => {
  const broken = ["FLASH-01", "FLASH-02", "UNSET-01"].map((rule) => ({
    rule,
    outcome: "error" as const,
    reason: "open() threw",
  }));
  const text = formatReport(reportOf(broken), { format: "text" });
  assertEquals(text.match(/open\(\) threw/g)?.length, 1);
  assertStringIncludes(text, "for the same reason FLASH-02; UNSET-01");
});

Deno.test("formatReport() colours text only where told", () => {
  const plain = formatReport(mixed, { format: "text" });
  const colour = formatReport(mixed, { format: "text", colour: true });
  assertFalse(plain.includes("\x1b"));
  assertStringIncludes(colour, "\x1b[31m✗\x1b[0m");
  // deno-lint-ignore no-control-regex -- colours
  assertEquals(colour.replaceAll(/\x1b\[[\d;]*m/g, ""), plain);
});

Deno.test("formatReport() gives the report itself, as JSON", () => {
  const text = formatReport(mixed, { format: "json" });
  assertEquals(JSON.parse(text), mixed);
  const both = formatReport([mixed, mixed], { format: "json" });
  assertEquals(JSON.parse(both), [mixed, mixed]);
});

Deno.test("formatReport() turns red what is not green, as JUnit XML", () => {
  const text = formatReport(mixed, { format: "junit" });
  assertStringIncludes(
    text,
    '<testsuite name="memory" tests="7" failures="2" errors="2" skipped="2" time="0.0105">',
  );
  assertMatch(
    text,
    /<failure type="fail" message="the flash is missing">got {2}undefined\n/,
  );
  assertStringIncludes(text, '<error type="not-run" message="no clock">');
  assertStringIncludes(text, '<failure type="stale"');
  assertStringIncludes(
    text,
    '<skipped message="failed as expected: known, see issue 5"/>',
  );
});

Deno.test("formatReport() turns red what is not green, as TAP 14", () => {
  const lines = formatReport(mixed, { format: "tap" }).split("\n");
  const points = lines.filter((line) => /^(not )?ok/.test(line));
  assertEquals(
    points.map((line) => line.match(/^(.*?) \d/)?.[1]),
    ["ok", "ok", "not ok", "not ok", "not ok", "not ok", "not ok"],
  );
  assertEquals(lines.slice(0, 2), ["TAP version 14", "1..7"]);
  assertMatch(points[1] ?? "", /# SKIP no claim$/);
  assertMatch(points[5] ?? "", /# TODO known, see issue 5$/);
  assertEquals(lines.filter((line) => line === "  ---").length, 5);
});

Deno.test("formatReport() names the worst verdict, as a badge", () => {
  const good = reportOf([{}], { verdict: "conformant" });
  const badge = formatReport(good, { format: "badge" });
  assertStringIncludes(badge, "session conformance: 2026.1 conformant");
  assertStringIncludes(
    formatReport([good, mixed], { format: "badge" }),
    "2026.1 nonconformant",
  );
});

Deno.test("formatReport() tells in words what the matrix shows", () => {
  const text = formatReport(mixed, { format: "matrix" });
  assertStringIncludes(
    text,
    "<title>memory, Flash: 1 failed, 1 unexpectedly passed, 1 error",
  );
  assertMatch(text, /<desc id="d">memory: nonconformant, 1 failed/);
});

Deno.test("formatReport() takes results of another catalogue", () => {
  const other = reportOf([{ rule: "NEW-99", outcome: "fail", reason: "x" }]);
  for (const format of formats.slice(0, 5)) {
    assertStringIncludes(
      formatReport(other, { format }),
      "NEW-99",
      rowName(format),
    );
  }
});

Deno.test("formatReport() throws a TypeError, for a format there is not", () => {
  assertThrows(
    () => formatReport(mixed, { format: "pdf" as "html" }),
    TypeError,
    'Cannot format reports: unknown format "pdf"',
  );
  assertThrows(() => formatReport([], { format: "text" }), TypeError, "empty");
});
