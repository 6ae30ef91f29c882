import { assertEquals } from "@std/assert";
import { effort } from "../_effort.ts";
import { Clock } from "../core/_support.ts";
import { Model } from "./_lifetime_model.ts";
import {
  BEGIN,
  Browser,
  caller,
  CHANGES,
  DAY,
  HOUR,
  type Kind,
  KINDS,
  MINUTE,
  type Setting,
  SETTINGS,
  SIGNS_OUT,
  type Visitor,
} from "./_lifetimes.ts";

/** What a visitor does at an instant, in milliseconds from the beginning. */
interface Step {
  readonly at: number;
  readonly does: "read" | "save" | "deploy";
  /** How far ahead the clock of the server is, in milliseconds. */
  readonly skew?: number;
}

interface Story {
  readonly name: string;
  readonly steps: readonly Step[];
}

function daily(does: "read" | "save", count: number): Step[] {
  return Array.from({ length: count }, (_, i) => ({ at: (i + 1) * DAY, does }));
}

const once = (at: number, does: "read" | "save", skew = 0): Step[] => [
  { at, does, skew },
];

const STORIES: readonly Story[] = [
  { name: "never comes back", steps: [] },
  { name: "reads daily", steps: daily("read", 40) },
  { name: "reads once after 3 days", steps: once(3 * DAY, "read") },
  {
    name: "reads once after 4 days and 23 hours",
    steps: once(5 * DAY - HOUR, "read"),
  },
  { name: "reads once after 6 days", steps: once(6 * DAY, "read") },
  { name: "reads once after 13 days", steps: once(13 * DAY, "read") },
  { name: "saves daily", steps: daily("save", 40) },
  { name: "saves once after 3 days", steps: once(3 * DAY, "save") },
  {
    name: "saves twice within 10 seconds",
    steps: [...once(3 * DAY, "save"), ...once(3 * DAY + 10_000, "save")],
  },
  {
    name: "reads every 4 hours",
    steps: Array.from(
      { length: 60 },
      (_, i) => ({ at: (i + 1) * 4 * HOUR, does: "read" as const }),
    ),
  },
  {
    name: "reads with the clock ahead a day, shortly before an idle end",
    steps: once(5 * DAY - HOUR, "read", DAY),
  },
  {
    name: "reads with the clock ahead a day, shortly before 7 days",
    steps: [
      ...daily("read", 6),
      ...once(7 * DAY - HOUR, "read", DAY),
    ],
  },
  ...(["read", "save"] as const).flatMap((does) => [
    {
      name: `${does}s with the clock back an hour`,
      steps: once(3 * DAY, does, -HOUR),
    },
    {
      name: `${does}s at once with the clock back an hour`,
      steps: once(MINUTE, does, -HOUR),
    },
    {
      name: `${does}s with the clock ahead ten minutes`,
      steps: once(3 * DAY, does, 10 * MINUTE),
    },
    {
      name: `${does}s with the clock ahead a day, and with the right one`,
      steps: [...once(3 * DAY, does, DAY), ...once(3 * DAY + HOUR, does)],
    },
  ]),
];

const DEPLOYED = 4 * DAY;
const AFTER = DEPLOYED + 12 * HOUR;

const DEPLOYMENTS: readonly Story[] = [
  { name: "is not used", steps: [] },
  { name: "is read", steps: once(AFTER, "read") },
  { name: "is saved", steps: once(AFTER, "save") },
].map(({ name, steps }) => ({
  name,
  steps: [{ at: DEPLOYED, does: "deploy" }, ...steps],
}));

/** Tells a story twice side by side, because looking whether a session has ended can prolong it. */
async function tell(
  kind: Kind,
  story: Story,
  browses: boolean,
  before: Setting,
  after: Setting = before,
): Promise<string | undefined> {
  const clock = new Clock(BEGIN);
  const opened = await kind.make(clock);
  try {
    const storage = opened.open(before);
    const visitors = [0, 1].map((): Visitor =>
      browses ? new Browser(storage, clock) : caller(storage)
    );
    const [one, two] = visitors as [Visitor, Visitor];
    for (const visitor of visitors) await visitor.begin({ maxAge: before.own });
    const model = new Model(kind, before, { now: BEGIN, browses });
    const reads = async (visitor: Visitor, at: number) => {
      clock.time = at;
      return await visitor.read();
    };
    for (const { at, does, skew = 0 } of story.steps) {
      const now = BEGIN + at + skew;
      if (model.end <= BEGIN + at) break;
      clock.time = BEGIN + at;
      if (does === "deploy") {
        const next = opened.open(after);
        for (const visitor of visitors) visitor.deploy(next);
        model.deploy(after);
        continue;
      }
      clock.time = now;
      if (model.end <= now) {
        // In the eyes of a server whose clock is ahead.
        for (const visitor of visitors) {
          if (does === "read" && await visitor.read()) {
            return `lives ${ago(at)}`;
          }
        }
        continue;
      }
      for (const visitor of visitors) {
        if (does === "save") await visitor.save();
        else if (!await visitor.read()) return `is lost ${ago(at)}`;
      }
      model[does](now);
    }
    const { end, latest } = model;
    if (end === Infinity) {
      const at = BEGIN + 10_000 * DAY;
      return await reads(one, at) ? undefined : "ends";
    }
    const start = clock.time;
    if (end > start && !await reads(one, end - 1)) {
      return `ends before ${ago(end - BEGIN)}`;
    }
    // Until the next use, it is the engine's choice to keep a session longer.
    if (latest === Infinity) return;
    if (await reads(two, Math.max(latest, start))) {
      return `lives on ${ago(Math.max(latest, start) - BEGIN)}`;
    }
  } finally {
    await opened.close();
  }
}

function ago(instant: number): string {
  return `${Math.floor(instant / DAY)} days and ${
    (instant % DAY / HOUR).toFixed(3)
  } hours after its beginning`;
}

/** The faults of a table's rows, each with the row's name. */
async function faultsOf(
  rows: readonly [kind: Kind, story: Story, before: Setting, after?: Setting][],
  browses: boolean,
): Promise<string[]> {
  const faults: string[] = [];
  for (const [kind, story, before, after] of rows) {
    const fault = await tell(kind, story, browses, before, after);
    if (!fault) continue;
    const settings = after ? `${before.name}, then ${after.name}` : before.name;
    faults.push(`${kind.name}; ${settings}; ${story.name}: ${fault}`);
  }
  return faults;
}

const OWN = SETTINGS.filter((setting) => setting.own !== undefined);

for (const kind of KINDS) {
  // Every seventh row has each setting and each story.
  const step = kind.slow === true && !effort.long ? 7 : 1;
  for (const browses of [false, true]) {
    const [symbol, who] = browses
      ? ["withSession()", "a browser"]
      : ["getSession()", "a caller"];

    Deno.test(`${symbol} ends each session when its settings say, for ${who}, on ${kind.name}`, async () => {
      const rows = SETTINGS.flatMap((setting) =>
        STORIES.map((story): [Kind, Story, Setting] => [kind, story, setting])
      );
      const some = rows.filter((_, row) => row % step === 0);
      assertEquals(await faultsOf(some, browses), []);
    });

    Deno.test(`${symbol} ends each session when the settings of a new deployment say, for ${who}, on ${kind.name}`, async () => {
      const rows = [...CHANGES, ...OWN].flatMap((before) =>
        [...CHANGES, SIGNS_OUT].flatMap((after) =>
          DEPLOYMENTS.map((story): [Kind, Story, Setting, Setting] => [
            kind,
            story,
            before,
            after,
          ])
        )
      );
      const some = rows.filter((_, row) => row % step === 0);
      assertEquals(await faultsOf(some, browses), []);
    });
  }
}
