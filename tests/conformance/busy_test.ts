/**
 * Whether the suite blames a storage for a machine that is busy: by a real clock, whichever call to the engine comes
 * late, a rule about deadlines passes or is not run, and never fails.
 */
import { assert } from "@std/assert";
import { checkStorage, type RuleResult, rules } from "../../conformance/mod.ts";
import { everyCall, odd, type OddTarget } from "./odd/_build.ts";

/** How late the call comes, in milliseconds: lifetimes are a second here. */
const LATE = 600;

/** No rule about deadlines makes more calls to an engine than this, or they are like earlier ones. */
const CALLS = 40;

/** Timers up to this, in milliseconds, are the suite's waiting. The longer ones are its limits of time. */
const WAITING = 10_000;

/** The rules about deadlines. */
const timed = rules.filter(({ timed }) => timed).map(({ id }) => id);

for (const rule of timed) {
  Deno.test(`${rule} never fails by a real clock, whichever call to the engine comes late`, async () => {
    for (let which = 0; which < CALLS; which++) {
      const { outcome, reason } = await tryLate(rule, which);
      const isFair = outcome === "pass" || outcome === "not-applicable" ||
        outcome === "not-run" && reason?.startsWith("the machine was too busy");
      assert(isFair, `${rule}, call ${which}: ${outcome}: ${reason}`);
    }
  });
}

/** Tries a rule on a right storage, of which one call comes late. Nothing waits: waiting moves the clock. */
async function tryLate(rule: string, which: number): Promise<RuleResult> {
  const { setTimeout: realTimeout } = globalThis;
  const { now } = Date;
  let moved = 0;
  Date.now = () => now() + moved;
  globalThis.setTimeout = ((work: () => void, ms = 0) => {
    if (ms > WAITING) return realTimeout(work, ms);
    moved += ms;
    return realTimeout(work);
  }) as typeof setTimeout;
  try {
    const target = lateOnce(which, () => void (moved += LATE));
    const { results: [result] } = await checkStorage(target, {
      only: [rule],
      deadline: 60,
      seed: 1,
    });
    assert(result, rule);
    return result;
  } finally {
    Date.now = now;
    globalThis.setTimeout = realTimeout;
  }
}

function lateOnce(which: number, late: () => void): OddTarget {
  let namespace: string | undefined;
  let calls = 0;
  return odd("late", {
    claims: [
      "revoke",
      "shared",
      "durable",
      "expiry",
      "touch",
      "absolute",
      "lifetime",
      "merge",
      "owners",
      "inspect",
      "sweep",
    ],
    clock: { kind: "real", granularityMs: 5 },
    engine: (memory, options) => {
      // The measurement before the rule has a namespace of its own.
      if (namespace === undefined) namespace = options.namespace;
      const counts = options.namespace !== namespace;
      return everyCall(memory, async (call) => {
        if (counts && calls++ === which) late();
        return await call();
      });
    },
  });
}
