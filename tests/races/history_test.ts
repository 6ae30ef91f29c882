import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Operation,
  refute,
  SOMETHING,
  STRICT,
} from "../../conformance/history/history.ts";
import { describe } from "./_race.ts";

type Rest = Partial<Omit<Operation, "start" | "end" | "process" | "kind">>;

function operation(
  kind: Operation["kind"],
  process: string,
  [start, end]: [number, number],
  rest: Rest,
): Operation {
  return { kind, process, start, end, id: "A", outcome: "ok", ...rest };
}

function read(process: string, when: [number, number], rest: Rest): Operation {
  return operation("read", process, when, rest);
}

function commit(
  process: string,
  when: [number, number],
  rest: Rest,
): Operation {
  return operation("commit", process, when, rest);
}

const both = { a: "1", b: "1" };
const written = commit("p", [0, 1], { sets: both });
const never: [number, number] = [2, Infinity];

const explained: Record<string, Operation[]> = {
  "nothing": [],
  "a commit and a read of it": [written, read("q", [2, 3], { saw: both })],
  "a read beside a commit, before it or after": [
    commit("p", [0, 9], { sets: both }),
    read("q", [1, 2], { saw: {} }),
    read("q", [3, 4], { saw: both }),
  ],
  "commits of different keys at once": [
    commit("p", [0, 5], { sets: { x: "1" }, saw: { x: "1", y: "2" } }),
    commit("q", [0, 5], { sets: { y: "2" }, saw: { y: "2" } }),
    read("r", [6, 7], { saw: { x: "1", y: "2" } }),
  ],
  "commits of one key at once, in either order": [
    commit("p", [0, 5], { sets: { a: "1" } }),
    commit("q", [0, 5], { sets: { a: "2" } }),
    read("r", [6, 7], { saw: { a: "1" } }),
  ],
  "a key unset": [
    written,
    commit("q", [2, 3], { sets: { a: null }, saw: { b: "1" } }),
  ],
  "a commit of unknown outcome that was done later": [
    commit("p", [0, Infinity], { sets: both, outcome: "unknown" }),
    read("q", [2, 3], { saw: {} }),
    read("q", [4, 5], { saw: both }),
    read("r", [6, 7], { saw: both }),
  ],
  "a commit of unknown outcome that was never done": [
    written,
    commit("q", never, { sets: { a: "2" }, outcome: "unknown" }),
    read("r", [9, 10], { saw: both }),
  ],
  "a commit that came to a conflict, and its repetition": [
    commit("p", [0, 1], { sets: both, outcome: "conflict" }),
    read("q", [2, 3], { saw: {} }),
    commit("p", [4, 5], { sets: both }),
  ],
  "a flash, left unread and then consumed": [
    commit("p", [0, 1], { sets: { f: "1" }, saw: { f: SOMETHING } }),
    read("q", [2, 3], { saw: { f: SOMETHING } }),
    commit("q", [4, 5], { takes: { f: "1" }, saw: {} }),
    read("r", [6, 7], { saw: {} }),
  ],
  "a flash that was set again while another was consumed": [
    commit("p", [0, 1], { sets: { f: "1" } }),
    commit("p", [2, 3], { sets: { f: "2" } }),
    commit("q", [4, 5], { takes: { f: "1" }, saw: { f: SOMETHING } }),
    read("r", [6, 7], { saw: { f: "2" } }),
  ],
  "a new id, and a late save under the old one": [
    written,
    commit("p", [2, 5], { sets: { a: "2" }, next: "B" }),
    commit("q", [3, 6], { sets: { b: "3" }, outcome: "gone" }),
    read("q", [7, 8], { outcome: "gone" }),
    read("p", [9, 10], { id: "B", saw: { a: "2", b: "1" } }),
  ],
  "a new id whose outcome is unknown, and the old one gone": [
    commit("p", [0, Infinity], { sets: both, next: "B", outcome: "unknown" }),
    read("q", [2, 3], { saw: {} }),
    read("q", [4, 5], { outcome: "gone" }),
  ],
  "the end": [
    operation("destroy", "p", [0, 5], {}),
    read("q", [1, 2], { saw: {} }),
    read("q", [3, 4], { outcome: "gone" }),
    operation("destroy", "q", [6, 7], {}),
  ],
  "a new id that was told of, by a process that could not say so": [
    commit("p", [0, Infinity], {
      sets: { x: "1" },
      next: "B",
      outcome: "unknown",
    }),
    read("q", [2, 3], { outcome: "gone" }),
    read("q", [4, 5], { id: "B", saw: { x: "1" } }),
  ],
  "an end under an id that was over already, of a session under another": [
    commit("p", [0, 1], { next: "B" }),
    operation("destroy", "q", [2, 3], {}),
    read("p", [4, 5], { id: "B", outcome: "gone" }),
  ],
};

for (const [name, history] of Object.entries(explained)) {
  Deno.test(`refute() finds nothing, when there is ${name}`, () => {
    const finding = refute(history, "A");
    assertEquals(finding && describe(finding), undefined);
    assertEquals(refute(history.toReversed(), "A"), undefined);
  });
}

const refuted: Record<string, Operation[]> = {
  "a session that lives on under a new id, after its end": [
    commit("p", [0, 1], { next: "B" }),
    operation("destroy", "q", [2, 3], {}),
    read("p", [4, 5], { id: "B", saw: {} }),
  ],
  "a lost update": [
    commit("p", [0, 5], { sets: { x: "1" } }),
    commit("q", [0, 5], { sets: { y: "2" } }),
    read("r", [6, 7], { saw: { y: "2" } }),
  ],
  "an update lost between two commits": [
    written,
    commit("q", [2, 3], { sets: { x: "2" }, saw: { x: "2" } }),
  ],
  "a stale read": [
    written,
    commit("p", [2, 3], { sets: { a: "2", b: "2" } }),
    read("q", [4, 5], { saw: both }),
  ],
  "two reads that go back in time": [
    commit("p", [0, 9], { sets: both }),
    read("q", [1, 2], { saw: both }),
    read("r", [3, 4], { saw: {} }),
  ],
  "two reads that disagree about an order": [
    commit("p", [0, 1], { sets: { a: "1" } }),
    commit("q", [0, 1], { sets: { a: "2" } }),
    read("r", [2, 3], { saw: { a: "1" } }),
    read("s", [4, 5], { saw: { a: "2" } }),
  ],
  "a torn read": [
    written,
    commit("p", [2, 9], { sets: { a: "2", b: "2" } }),
    read("q", [3, 4], { saw: { a: "2", b: "1" } }),
  ],
  "half of a commit of unknown outcome": [
    commit("p", [0, Infinity], { sets: both, outcome: "unknown" }),
    read("q", [2, 3], { saw: { a: "1" } }),
  ],
  "a commit of unknown outcome, seen and gone again": [
    commit("p", [0, Infinity], { sets: both, outcome: "unknown" }),
    read("q", [2, 3], { saw: both }),
    read("q", [4, 5], { saw: {} }),
  ],
  "what nobody wrote": [written, read("q", [2, 3], { saw: { a: "7" } })],
  "what a commit wrote that came to a conflict": [
    commit("p", [0, 1], { sets: both, outcome: "conflict" }),
    read("q", [2, 3], { saw: both }),
  ],
  "what is read before it is written": [
    read("q", [0, 1], { saw: both }),
    commit("p", [2, 3], { sets: both }),
  ],
  "a key unset that is there again": [
    written,
    commit("q", [2, 3], { sets: { a: null } }),
    read("r", [4, 5], { saw: both }),
  ],
  "a flash that is seen after it was consumed": [
    commit("p", [0, 1], { sets: { f: "1" } }),
    commit("q", [2, 3], { takes: { f: "1" } }),
    read("r", [4, 5], { saw: { f: SOMETHING } }),
  ],
  "a flash that was lost": [
    commit("p", [0, 1], { sets: { f: "1" } }),
    read("r", [2, 3], { saw: {} }),
  ],
  "a read under an id that was destroyed": [
    operation("destroy", "p", [0, 1], {}),
    read("q", [2, 3], { saw: {} }),
  ],
  "a commit under an id that was destroyed": [
    operation("destroy", "p", [0, 1], {}),
    commit("q", [2, 3], { sets: both }),
  ],
  "an id that is gone and lives again": [
    operation("destroy", "p", [0, 9], {}),
    read("q", [1, 2], { outcome: "gone" }),
    read("r", [3, 4], { saw: {} }),
  ],
  "a read under an id that was regenerated away": [
    commit("p", [0, 1], { next: "B" }),
    read("q", [2, 3], { saw: {} }),
  ],
  "two new ids of one session": [
    commit("p", [0, 5], { next: "B" }),
    commit("q", [0, 5], { next: "C" }),
  ],
  "a new id without what was committed under the old one": [
    written,
    commit("q", [0, 5], { next: "B" }),
    read("q", [6, 7], { id: "B", saw: {} }),
  ],
  "a session that was lost": [
    written,
    read("q", [2, 3], { outcome: "gone" }),
  ],
  "a late save of a session that lives": [
    commit("p", [0, 1], { sets: both, outcome: "gone" }),
  ],
};

for (const [name, history] of Object.entries(refuted)) {
  Deno.test(`refute() finds it, when there is ${name}`, () => {
    const finding = refute(history, "A");
    assert(finding);
    assertStringIncludes(describe(finding), "no order explains {");
    const without = history.filter((each) => each !== finding.operation);
    assertEquals(refute(without, "A"), undefined);
  });
}

Deno.test("refute() keeps each process to its own clock, when clocks may differ", () => {
  const history = [
    commit("p", [0, 1], { sets: both, next: "B" }),
    operation("destroy", "p", [1.1, 1.2], { id: "B" }),
    read("p", [1.3, 1.4], { id: "B", outcome: "gone" }),
  ];
  assertEquals(refute(history, "A", { ...STRICT, slack: 1 }), undefined);
  history.push(read("p", [1.5, 1.6], { id: "B", saw: both }));
  assertEquals(
    refute(history, "A", { ...STRICT, slack: 1 })?.operation,
    history.at(-1),
  );
});

Deno.test("refute() lets clocks differ, when it is told by how much", () => {
  const history = [written, read("q", [1.5, 2], { saw: {} })];
  assert(refute(history, "A", { ...STRICT, slack: 0.4 }));
  assertEquals(refute(history, "A", { ...STRICT, slack: 0.6 }), undefined);
});

Deno.test("refute() lets clocks differ, when a process does one thing right after the other", () => {
  const history = [
    written,
    read("p", [1.01, 1.1], { saw: both }),
    read("q", [1.2, 1.3], { saw: {} }),
  ];
  assert(refute(history, "A", { ...STRICT, slack: 0.1 }));
  assertEquals(refute(history, "A", { ...STRICT, slack: 0.3 }), undefined);
});

Deno.test("refute() does not wait for the end of an operation, when nobody knows whether it ends", () => {
  const history = [
    written,
    operation("destroy", "p", never, { outcome: "unknown" }),
    commit("p", [3, 4], { sets: { c: "2" } }),
    read("q", [5, 6], { saw: { ...both, c: "2" } }),
  ];
  assertEquals(refute(history, "A", { ...STRICT, slack: 1 }), undefined);
});

Deno.test("refute() finds nothing, when eight processes overlap all the time", () => {
  const history: Operation[] = [];
  const values: Record<string, string> = {};
  for (let i = 0; i < 4_000; i++) {
    const process = `p${i % 8}`;
    values[process] = String(i);
    history.push(commit(process, [i, i + 7.5], {
      sets: { [process]: String(i) },
      saw: { ...values },
    }));
  }
  assertEquals(refute(history, "A"), undefined);
  history.push(read("q", [4_010, 4_011], { saw: { ...values, p0: "0" } }));
  assertEquals(refute(history, "A")?.operation.process, "q");
});
