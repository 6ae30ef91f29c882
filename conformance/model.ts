/**
 * The reference model, driven by fast-check: random sequences of requests, and requests that overlap in random ways,
 * shrunk to the shortest that fails.
 *
 * The rules `MODEL-01` and `MODEL-02` try the same with no library at all; this tries more, and shrinks better. Pass
 * fast-check in, so that nobody installs it who does not use it.
 *
 * @example In a test
 * ```ts
 * import fc from "fast-check";
 * import { createMemorySessionStorage } from "@satchel/session";
 * import type { Target } from "@satchel/session/conformance";
 * import { modelConformance } from "@satchel/session/conformance/model";
 *
 * const target: Target = {
 *   name: "memory",
 *   capabilities: ["revoke", "expiry", "merge"],
 *   clock: { kind: "virtual", advance() {} },
 *   open: (options) => ({ storage: createMemorySessionStorage(options) }),
 * };
 *
 * await modelConformance(fc, target, { runs: 50 });
 * ```
 *
 * @module
 */
import { interleave, programOf } from "./rules/support/interleaving.ts";
import { commandOf, play } from "./rules/support/model.ts";
import { Unfit, Violation } from "./trial/port.ts";
import { Trial } from "./trial/trial.ts";
import type { Target } from "./types.ts";

export { CAPABILITIES, type Capability } from "./capabilities.ts";
export type {
  Faults,
  Inspect,
  Opened,
  OpenOptions,
  Profile,
  SessionLike,
  StorageLike,
  Target,
  TestClock,
} from "./types.ts";

/** What came of a property. */
export interface FastCheckDetails {
  /** Whether a case failed. */
  readonly failed: boolean;
  /** The seed of the run. */
  readonly seed: number;
  /** The way to the failing case. */
  readonly counterexamplePath: string | null;
  /** What the failing case threw. */
  readonly errorInstance?: unknown;
}

/** As much of fast-check as the suite uses: pass its default export. */
export interface FastCheck {
  /** Whole numbers. */
  // deno-lint-ignore no-explicit-any -- fast-check's own classes fit, and nothing else is known of them
  integer(constraints: { min: number; max: number }): any;
  /** Lists. */
  // deno-lint-ignore no-explicit-any -- see above
  array(item: any, constraints: { minLength: number; maxLength: number }): any;
  /** Properties. */
  // deno-lint-ignore no-explicit-any -- see above
  asyncProperty(...args: any[]): any;
  /** Tries a property. */
  check(
    // deno-lint-ignore no-explicit-any -- see above
    property: any,
    params: { seed?: number; path?: string; numRuns?: number },
  ): FastCheckDetails | Promise<FastCheckDetails>;
}

/** Options of {@linkcode modelConformance}. */
export interface ModelOptions {
  /** Repeats a run. @default {a random one} */
  readonly seed?: number | undefined;
  /** How many cases of each kind to try. @default {100} */
  readonly runs?: number | undefined;
  /** Goes straight to one case of a run, as its error names it; needs that run's seed. */
  readonly path?: string | undefined;
}

/** A sequence or an overlap that comes to something else than in the model. */
export class ModelError extends Error {
  /** `"ModelError"`. */
  override readonly name = "ModelError";
  /** Repeats it, together with the path. */
  readonly seed: number;
  /** Repeats it, together with the seed. */
  readonly path: string;
  /** The requests that led there, numbered; holds no cookie and no id. */
  readonly trace: readonly string[];

  /** For {@linkcode modelConformance}. */
  constructor(
    message: string,
    options: {
      seed: number;
      path: string;
      trace: readonly string[];
      cause: unknown;
    },
  ) {
    const { seed, path, trace, cause } = options;
    const lines = [
      message,
      ...trace.map((line) => `  ${line}`),
      `  Again: { seed: ${seed}, path: ${JSON.stringify(path)} }`,
    ];
    super(lines.join("\n"), { cause });
    this.seed = seed;
    this.path = path;
    this.trace = trace;
  }
}

/**
 * Compares a storage with the reference model: `sequence` of requests one at a time, then `two` and `three` requests
 * that overlap.
 *
 * What the model demands follows from what the target claims, as with `checkStorage`.
 *
 * @param fc fast-check: what `import fc from "fast-check"` gives.
 * @param target The storage, and what it claims.
 * @param options Seed and number of cases; the path of a case to see again.
 * @throws {ModelError} If the storage differs; it holds the shortest case, with seed and path to repeat it.
 * @throws {TypeError} If the path is none that an error named.
 *
 * @example Seeing a failure again
 * ```ts
 * import fc from "fast-check";
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { ModelError, modelConformance } from "@satchel/session/conformance/model";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const forgetful = createMemorySessionStorage();
 * const target = {
 *   name: "forgets what is unset",
 *   capabilities: [],
 *   open: () => ({
 *     storage: {
 *       read: forgetful.read.bind(forgetful),
 *       async save(session: Awaited<ReturnType<typeof forgetful.read>>) {
 *         return session.has("b") ? null : await forgetful.save(session);
 *       },
 *     },
 *   }),
 * };
 * const first = await assertRejects(() => modelConformance(fc, target), ModelError);
 * const { seed, path } = first;
 * const again = await assertRejects(() => modelConformance(fc, target, { seed, path }), ModelError);
 * assertEquals(again.trace, first.trace);
 * ```
 */
export async function modelConformance(
  fc: FastCheck,
  target: Target,
  options: ModelOptions = {},
): Promise<void> {
  const { seed = Math.floor(Math.random() * 2 ** 31), runs = 100 } = options;
  const [only, path] = parsePath(options.path);
  for (const [kind, make] of Object.entries(KINDS)) {
    if (only !== undefined && only !== kind) continue;
    let trace: readonly string[] = [];
    const attempt = async (work: (t: Trial) => Promise<void>) => {
      const trial = new Trial(target, seed, false);
      try {
        await work(trial);
      } catch (error) {
        if (!(error instanceof Unfit)) {
          throw new Attempt(error, [...trial.trace.lines]);
        }
      } finally {
        await trial.end();
      }
    };
    const details = await fc.check(make(fc, attempt), {
      seed,
      numRuns: runs,
      ...path === undefined ? {} : { path },
    });
    if (!details.failed) continue;
    const failure = details.errorInstance;
    let cause = failure;
    if (failure instanceof Attempt) ({ trace, cause } = failure);
    throw new ModelError(
      `"${target.name}" differs from the model (${kind}): ${
        cause instanceof Error ? cause.message : String(cause)
      }${differences(cause)}`,
      {
        seed: details.seed,
        path: `${kind}/${details.counterexamplePath ?? ""}`,
        trace,
        cause,
      },
    );
  }
}

type Play = (work: (t: Trial) => Promise<void>) => Promise<void>;

const KINDS: Readonly<Record<string, (fc: FastCheck, play: Play) => unknown>> =
  {
    sequence: (fc, attempt) =>
      fc.asyncProperty(
        fc.array(numbers(fc, 4, 4), { minLength: 1, maxLength: 30 }),
        (cases: number[][]) => attempt((t) => play(t, cases.map(commandOf))),
      ),
    two: (fc, attempt) => overlapping(fc, attempt, 2),
    three: (fc, attempt) => overlapping(fc, attempt, 3),
  };

/** The order is part of the case, so that it shrinks with it and a path repeats it. */
function overlapping(fc: FastCheck, attempt: Play, count: number): unknown {
  return fc.asyncProperty(
    fc.array(numbers(fc, 0, 4), { minLength: count, maxLength: count }),
    fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 0, maxLength: 16 }),
    fc.integer({ min: 0, max: 1 }),
    (cases: number[][], turns: number[], parallel: number) =>
      attempt((t) => {
        const programs = cases.map(programOf);
        return interleave(t, { programs, turns, parallel: parallel === 1 });
      }),
  );
}

function numbers(fc: FastCheck, minLength: number, maxLength: number): unknown {
  return fc.array(fc.integer({ min: 0, max: 209 }), { minLength, maxLength });
}

/** A failure, and what led to it. */
class Attempt extends Error {
  override readonly cause: unknown;
  readonly trace: readonly string[];

  constructor(cause: unknown, trace: readonly string[]) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.cause = cause;
    this.trace = trace;
  }
}

function parsePath(path: string | undefined): [string?, string?] {
  if (path === undefined) return [];
  const [, kind, steps] = /^(\w+)\/([\d:]*)$/.exec(path) ?? [];
  if (kind === undefined || !Object.hasOwn(KINDS, kind)) {
    throw new TypeError(
      `Cannot go to path ${JSON.stringify(path)}: no error names such a path`,
    );
  }
  return steps ? [kind, steps] : [kind];
}

function differences(cause: unknown): string {
  if (!(cause instanceof Violation) || !cause.compared) return "";
  return `\n  got  ${show(cause.got)}\n  want ${show(cause.want)}`;
}

function show(value: unknown): string {
  return value === undefined ? "undefined" : JSON.stringify(value);
}
