/**
 * Short requests of one browser and one account, side by side, while calls to the engine fail: all pairs in every order
 * with few switches, and cases drawn at random. A model says which outcomes are allowed.
 */
import { assert } from "@std/assert";
import { effort } from "../_effort.ts";
import { fits, Found, run, runRandom } from "./_cases.ts";
import {
  become,
  becomeBob,
  flashSame,
  list,
  login,
  logout,
  type Program,
  programs,
  readFlash,
  regenerate,
  restart,
  setB,
  signOutEverywhere,
  signOutOthers,
  type Start,
  unsetB,
  unsetUser,
} from "./_requests.ts";
import { type Bounds, everyOrder, type Fault } from "./_schedule.ts";

const FAULTS: readonly Fault[] = ["fails", "answer lost"];

const RETRIES = effort.long ? [0, 1] : [0];

/** What the quick form tries in pairs when calls fail: requests that write more than their session's record. */
const WIDE: readonly Program[] = [
  ...[setB, regenerate, become, login, restart, logout],
  ...[signOutEverywhere, signOutOthers],
];

/** What the quick form tries in pairs. The others differ little from these. */
const FEW: readonly Program[] = [
  ...WIDE,
  ...[unsetB, flashSame, readFlash, becomeBob, unsetUser, list],
];

/** Requests that give a session a new id, and those that can get in their way. */
const MOVING: readonly Program[] = [
  ...[setB, regenerate, login, restart, logout, signOutEverywhere],
];

/** All ways to begin. */
const STARTS: readonly Start[] = (["none", "anonymous", "signed in"] as const)
  .flatMap((session) => [
    { session, owned: false },
    { session, owned: true },
    { session, owned: true, indexed: true },
    { session, owned: true, moves: true },
    { session, owned: true, indexed: true, moves: true },
  ]);

/** Where a new id is one call. */
const MOVING_STARTS: readonly Start[] = [
  { session: "anonymous", owned: false, moves: true },
  { session: "signed in", owned: true, moves: true },
  { session: "signed in", owned: true, indexed: true, moves: true },
];

/** What the quick form begins with. */
const FEW_STARTS: readonly Start[] = [
  { session: "anonymous", owned: false },
  { session: "anonymous", owned: true },
  { session: "signed in", owned: true },
];

/** All sets of so many requests, in which one request can be several times. */
function* sets(
  size: number,
  of: readonly Program[],
): Generator<readonly Program[]> {
  if (size === 0) return yield [];
  for (const [index, program] of of.entries()) {
    for (const others of sets(size - 1, of.slice(index))) {
      yield [program, ...others];
    }
  }
}

/** Tries all sets of requests, in every order within the bounds. */
async function tryAll(
  { starts, size, of }: {
    starts: readonly Start[];
    size: number;
    of: readonly Program[];
  },
  bounds: Bounds,
): Promise<void> {
  const found = new Found();
  for (const start of starts) {
    for (const requests of sets(size, of)) {
      if (!fits(start, requests)) continue;
      await everyOrder(async (schedule, plan) => {
        const at = { start, requests, plan, answers: false, faults: FAULTS };
        found.add(at, await run(at, schedule));
      }, { faults: FAULTS, ...bounds });
    }
  }
  await found.verify();
  assert(found.runs > 1000, `${found.runs} runs`);
}

Deno.test("storage keeps its promises to each pair of requests, in every order of steps with few switches", async () => {
  const starts = effort.long ? STARTS : FEW_STARTS;
  const of = effort.long ? programs : FEW;
  await tryAll(
    { starts, size: 2, of },
    { switches: effort.long ? 3 : 2 },
  );
});

for (const retries of RETRIES) {
  Deno.test(`storage keeps its promises to each pair of requests, when a call to the engine fails at any step and they save again ${retries} times`, async () => {
    const starts = FEW_STARTS.map((start) => ({ ...start, retries }));
    const of = effort.long ? FEW : WIDE;
    await tryAll(
      { starts, size: 2, of },
      { switches: effort.long && retries === 0 ? 2 : 1, failures: 1 },
    );
  });
}

Deno.test("storage keeps its promises to each pair of requests, when a new id is one call, in every order of steps with few switches", async () => {
  await tryAll(
    { starts: MOVING_STARTS, size: 2, of: effort.long ? programs : MOVING },
    { switches: effort.long ? 3 : 2 },
  );
});

for (const retries of [0, 1]) {
  Deno.test(`storage keeps its promises to each pair of requests, when a new id is one call, a call to the engine fails at any step and they save again ${retries} times`, async () => {
    const starts = MOVING_STARTS.map((start) => ({ ...start, retries }));
    await tryAll(
      { starts, size: 2, of: effort.long ? FEW : MOVING },
      { switches: effort.long ? 2 : 1, failures: 1 },
    );
  });
}

for (const requests of [[regenerate, signOutEverywhere], [login, logout]]) {
  const names = requests.map(({ name }) => name).join(" and ");
  Deno.test(`storage keeps its promises, when a new id is one call that takes effect later (${names})`, async () => {
    const found = new Found();
    const faults = ["times out"] as const;
    for (const start of MOVING_STARTS) {
      if (!fits(start, requests)) continue;
      await everyOrder(async (schedule, plan) => {
        const at = { start, requests, plan, answers: false, faults };
        found.add(at, await run(at, schedule));
      }, { faults, switches: 3, failures: 1 });
    }
    await found.verify();
  });
}

/** Tries cases that are drawn at random. */
async function tryRandom(
  cases: number,
  options: Parameters<typeof runRandom>[1],
): Promise<void> {
  const found = new Found();
  for (let seed = 1; seed <= cases; seed++) {
    const { drawn, result } = await runRandom(seed, options);
    found.add(drawn, result, seed);
  }
  await found.verify();
}

Deno.test("storage keeps its promises to requests drawn at random, when calls to the engine fail", async () => {
  await tryRandom(effort.long ? 100_000 : 2_000, {
    faults: FAULTS,
    most: 3,
  });
});

// A record that is created again late, after its session was destroyed, looks like a new one. So no save is
// repeated here.
Deno.test("storage keeps its promises to requests drawn at random, when calls to the engine fail and take effect later", async () => {
  await tryRandom(effort.long ? 30_000 : 500, {
    faults: ["times out"],
    most: 2,
    retries: [0],
  });
});

if (effort.long) {
  Deno.test("storage keeps its promises to each pair of requests, when they follow each other and two calls to the engine fail at any step", async () => {
    const starts = FEW_STARTS.map((start) => ({ ...start, retries: 1 }));
    await tryAll({ starts, size: 2, of: WIDE }, { switches: 0, failures: 2 });
  });

  Deno.test("storage keeps its promises to each three requests, in every order of steps with few switches", async () => {
    await tryAll({ starts: FEW_STARTS, size: 3, of: FEW }, { switches: 1 });
  });
}
