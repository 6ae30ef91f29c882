// Which rule a history breaks, where two rules could be to blame, and when a process is to be killed.
import { assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import type { Operation } from "../../conformance/history/history.ts";
import { LAST, type Logged } from "../../conformance/history/anomaly.ts";
import { judge } from "../../conformance/history/judge.ts";
import {
  fatalLog,
  type Kill,
  planKills,
} from "../../conformance/history/kill.ts";
import type { Log } from "../../conformance/history/work.ts";
import { Random } from "../../conformance/trial/random.ts";

const MODEL = { merge: false, follow: false, slack: 0 };
const NEVER = Infinity;
const first = { of: "s1.first.0", a: "s1.first.0", b: "s1.first.0" };

/** Everything that a save of a process stores, and everything that is there afterwards. */
function pair(text: string): Record<string, string> {
  return { ...first, [text.slice(3, 5)]: text, a: text, b: text };
}

type Rest = Partial<Logged>;

function save(process: string, [start, end]: [number, number], rest: Rest) {
  const { of: _, ...sets } = rest.whole ?? first;
  return {
    ...{ process, kind: "commit" as const, id: "A", sets, start, end },
    ...{ outcome: "ok" as const, ...rest },
  };
}

function read(process: string, [start, end]: [number, number], rest: Rest) {
  return {
    ...{ process, kind: "read" as const, id: "A", start, end },
    ...{ outcome: "ok" as const, ...rest },
  };
}

const created = save("first", [0, 1], { sets: first, whole: first });
const [one, two] = [pair("s1.p0.1"), pair("s1.p1.1")];
const half = { ...two, p0: "s1.p0.1" };
const cut = save("p0", [2, NEVER], {
  ...{ whole: one, outcome: "unknown", killed: true },
});

const rows: Record<string, [expected: string[], history: Operation[]]> = {
  "a session is gone after a kill, and a late save brings it back": [
    ["half"],
    [
      cut,
      read("p1", [3, 4], { outcome: "gone" }),
      save("p2", [3, 5], { whole: two }),
      read(LAST, [9, 10], { saw: two }),
    ],
  ],
  "a session is gone for one read, and no process was killed": [
    ["old"],
    [
      read("p1", [3, 4], { outcome: "gone" }),
      read(LAST, [9, 10], { saw: first }),
    ],
  ],
  "a read shows half of a save in progress": [
    ["made-up"],
    [
      save("p1", [2, 3], { whole: two }),
      save("p0", [4, 7], { whole: one }),
      read("p2", [5, 6], { saw: half }),
      read(LAST, [9, 10], { saw: one }),
    ],
  ],
  "a save that was answered before is partly replaced": [
    ["old"],
    [
      save("p1", [2, 3], { whole: two }),
      save("p0", [4, 5], { whole: one }),
      read("p2", [6, 7], { saw: half }),
      read(LAST, [9, 10], { saw: one }),
    ],
  ],
  "no process sees what was saved before a kill, and another save replaces it":
    [
      ["half"],
      [
        save("p0", [2, 3], { whole: one }),
        read("p1", [4, 5], { saw: first }),
        save("p1", [6, 7], { whole: two }),
        read(LAST, [9, 10], { saw: two }),
      ],
    ],
  "a process that is not killed later is read late": [
    ["old"],
    [
      save("p2", [2, 3], { whole: pair("s1.p2.1") }),
      read("p1", [4, 5], { saw: first }),
      save("p1", [6, 7], { whole: two }),
      read(LAST, [9, 10], { saw: two }),
    ],
  ],
};

for (const [name, [expected, history]] of Object.entries(rows)) {
  Deno.test(`judge() finds what is to blame, when ${name}`, () => {
    const tracks = [{ session: 1, created, history }];
    const found = judge(tracks, MODEL, new Set(["p0"]));
    assertEquals(found.map(({ kind }) => kind), expected);
  });
}

/** A process whose log `log` is: `lines` is what it reports, and its end. `time.now` is its clock. */
function killed(kill: Partial<Kill>) {
  const lines: string[] = [];
  const sound: Log = {
    begin(session, { kind }) {
      lines.push(`${kind} ${session}`);
      return ({ outcome }) => lines.push(outcome);
    },
  };
  const time = { now: 0 };
  const log = fatalLog(
    sound,
    { session: 1, spared: 0, when: "after", share: 0.5, ...kill },
    { clock: () => time.now, die: () => lines.push("killed") },
  );
  return { log, lines, time };
}

const begun = { process: "p0", id: "A", start: 0 };
const [commit, look] = [
  { ...begun, kind: "commit" as const },
  { ...begun, kind: "read" as const },
];
const told = { end: 0, outcome: "answered" as const };

Deno.test("fatalLog() kills a process at once, when it was told that a change is saved", () => {
  const { log, lines } = killed({ spared: 1 });
  log.begin(2, commit)(told);
  log.begin(1, look)(told);
  log.begin(1, commit)(told);
  log.begin(1, commit)({ ...told, outcome: "conflict" });
  assertEquals(lines.includes("killed"), false);
  log.begin(1, commit)(told);
  assertEquals(lines.slice(-3), ["commit 1", "answered", "killed"]);
});

Deno.test("fatalLog() kills a process in the middle of a change, when the change takes its time", async () => {
  const { log, lines, time } = killed({ when: "during", spared: 1 });
  const end = log.begin(1, commit);
  time.now = 10;
  end(told);
  log.begin(1, commit);
  time.now = 14;
  await new Promise<void>((turn) => setImmediate(turn));
  assertEquals(lines.at(-1), "commit 1");
  time.now = 15;
  await new Promise<void>((turn) => setImmediate(turn));
  assertEquals(lines.at(-1), "killed");
});

Deno.test("fatalLog() kills a process after a change, when no change waits for anything", () => {
  const { log, lines } = killed({ when: "during" });
  for (let i = 0; i < 4; i++) log.begin(1, commit)(told);
  assertEquals(lines.includes("killed"), false);
  log.begin(1, commit)(told);
  assertEquals(lines.at(-1), "killed");
});

Deno.test("planKills() kills during a change and after one, when two processes work", () => {
  for (let round = 0; round < 20; round++) {
    const [own, shared] = [[10, 11], [1, 2]];
    const kills = planKills(new Random(1), { own, shared, round, spared: 3 });
    const all = kills.map(({ when }) => when).sort();
    assertEquals(all, ["after", "during"], `round ${round}`);
    const alone = kills.map(({ session }, seat) => session === own[seat]);
    const expected = round % 2 === 0;
    assertEquals(alone, [expected, expected], `round ${round}`);
    const early = kills.filter(({ share }) => share < 0.5);
    assertEquals(early.length, 1, `round ${round}`);
  }
});
