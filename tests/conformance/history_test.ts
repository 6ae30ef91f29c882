// What checkHistory() must find in storages that several processes share, and that it finds nothing in sound ones.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  checkHistory,
  formatReport,
  type HistoryOptions,
  historyRules,
  type Report,
  type Target,
} from "../../conformance/mod.ts";
import sqlite from "../../examples/sqlite_target.ts";
import { effort } from "../_effort.ts";
import { BAD } from "./history/bad.ts";
import { MUTANTS } from "./history/mutants.ts";
import * as sound from "./history/sound.ts";

const SEEDS = effort.thorough ? [1, 2, 3, 4, 5] : [1];
const folder = new URL("history/", import.meta.url);
const here = (name: string) => new URL(name, folder);

function check(
  target: Target,
  module: URL,
  options: Omit<HistoryOptions, "module"> = {},
): Promise<Report> {
  const rounds = effort.thorough ? 4 : 1;
  return checkHistory(target, { processes: 3, rounds, ...options, module });
}

/** The rules with an outcome, each with its reason. */
function withOutcome(report: Report, outcome: string): string[] {
  return report.results.filter((result) => result.outcome === outcome)
    .map(({ rule, reason }) => `${rule}: ${reason}`);
}

const right: [Target, URL][] = [
  [sqlite, new URL("../../examples/sqlite_target.ts", import.meta.url)],
  ...Object.values<Target>(sound).map((target): [Target, URL] => [
    target,
    here("sound.ts"),
  ]),
];

for (const [target, module] of right) {
  Deno.test(`checkHistory() explains everything, when processes on ${target.name} are killed`, async () => {
    for (const seed of SEEDS) {
      const report = await check(target, module, { kill: true, seed });
      const { notes } = report;
      assertEquals(withOutcome(report, "fail"), [], `seed ${seed}`);
      assertEquals(withOutcome(report, "error"), [], `seed ${seed}`);
      assertEquals(report.verdict, "conformant", `seed ${seed}: ${notes}`);
    }
  });
}

for (const { target, rule, kill = false, rounds = 1, also = {} } of MUTANTS) {
  Deno.test(`${rule} finds it, when a storage has ${target.name}`, async () => {
    for (const seed of SEEDS) {
      const report = await check(target, here("mutants.ts"), {
        ...{ seed, kill, rounds: effort.thorough ? 4 : rounds },
      });
      const broken = report.results.filter(({ outcome }) => outcome === "fail");
      const [own] = broken.filter((result) => result.rule === rule);
      const others = broken.map((result) => result.rule)
        .filter((id) => id !== rule && !Object.hasOwn(also, id));
      assertEquals(own?.rule, rule, `seed ${seed}`);
      assertEquals(others, [], `seed ${seed}`);
      assertEquals(report.verdict, "nonconformant", `seed ${seed}`);
      const last = own?.trace?.at(-1) ?? "";
      const shape = /^\d\. [\d.]+– ?[\d.]*( ms)? {2}\w+ \w+s session \d+/;
      assertMatch(last, shape, `seed ${seed}`);
    }
  });
}

for (const { target, reason, deadline = 20 } of BAD) {
  Deno.test(`checkHistory() says nothing about a storage, when ${target.name}`, async () => {
    const report = await check(target, here("bad.ts"), { deadline, seed: 1 });
    assertEquals(report.verdict, "incomplete");
    assertEquals(withOutcome(report, "fail"), []);
    assertEquals(withOutcome(report, "pass"), []);
    assertMatch(report.results[0]?.reason ?? "", reason);
  });
}

Deno.test("checkHistory() does not apply, when processes cannot share the storage", async () => {
  const rows: [Target["capabilities"], RegExp][] = [
    [["revoke"], /does not claim shared, durable; .* claim both$/],
    [["shared"], /does not claim durable; /],
    [["shared", "durable", "selfContained"], /the whole session is in the/],
  ];
  for (const [capabilities, reason] of rows) {
    const report = await check(
      { ...sound.file, capabilities },
      here("sound.ts"),
    );
    const [first] = report.results;
    const row = capabilities.join();
    assertEquals(first?.outcome, "not-applicable", row);
    assertMatch(first?.reason ?? "", reason, row);
  }
});

Deno.test("checkHistory() refuses options, when they make no sense", async () => {
  const module = here("sound.ts");
  const rows: [Partial<HistoryOptions>, RegExp][] = [
    [{ module: "./sound.ts" }, /: module must be .* module: import\.meta\.url/],
    [{ module: undefined as never }, /: module must be the address /],
    [{ module, processes: 1 }, /: processes must be .* from 2 to 16$/],
    [{ module, rounds: 0 }, /: rounds must be a whole number from 1 /],
    [{ module, seed: -1 }, /: seed must be a whole number from 0 /],
    [{ module, deadline: 0 }, /: deadline must be a positive number of /],
  ];
  for (const [options, message] of rows) {
    const error = await assertRejects(
      () => checkHistory(sound.file, options as HistoryOptions),
      TypeError,
      "Cannot check histories: ",
      `${message}`,
    );
    assertMatch(error.message, message, `${message}`);
  }
});

Deno.test("formatReport() shows the rules about histories by their sentences, when there is a report of them", async () => {
  const report = await check({ ...sound.file, capabilities: [] }, here("x.ts"));
  const text = formatReport([report], { format: "text" });
  assertMatch(text, /Histories/);
  assertEquals(report.results.map(({ rule }) => rule).length, 7);
  assertEquals(new Set(historyRules.map(({ kind }) => kind)).size, 7);
});
