/**
 * Compares a storage with the reference model by fast-check: random sequences of requests and random overlaps, shrunk to
 * the shortest one that fails.
 *
 * The rules `MODEL-01` and `MODEL-02` do the same without a library; this tries more cases, and shrinks better. fast-check
 * is passed in, so that only its users install it.
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
 *   open: ({ namespace: _, ...options }) => ({
 *     storage: createMemorySessionStorage(options),
 *   }),
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

/** The result of a property. */
export interface FastCheckDetails {
  /** Whether a case failed. */
  readonly failed: boolean;
  /** The seed of the run. */
  readonly seed: number;
  /** The path to the failing case. */
  readonly counterexamplePath: string | null;
  /** The error of the failing case. */
  readonly errorInstance?: unknown;
}

/** The part of fast-check that the suite uses. Pass its default export. */
export interface FastCheck {
  /** Whole numbers. */
  // deno-lint-ignore no-explicit-any -- the classes of fast-check
  integer(constraints: { min: number; max: number }): any;
  /** Lists. */
  // deno-lint-ignore no-explicit-any -- see above
  array(item: any, constraints: { minLength: number; maxLength: number }): any;
  /** Properties. */
  // deno-lint-ignore no-explicit-any -- see above
  asyncProperty(...args: any[]): any;
  /** Checks a property. */
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
  /** Runs one case only: the `path` of an earlier error, together with its `seed`. */
  readonly path?: string | undefined;
}

/** A case in which the storage differs from the model. */
export class ModelError extends Error {
  /** `"ModelError"`. */
  override readonly name = "ModelError";
  /** Repeats the case, together with the path. */
  readonly seed: number;
  /** Repeats the case, together with the seed. */
  readonly path: string;
  /** The requests up to the failure, numbered. Cookies and ids are not shown. */
  readonly trace: readonly string[];

  /** Used by {@linkcode modelConformance}. */
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
 * Compares a storage with the reference model: a `sequence` of requests, then `two` and `three` requests that overlap.
 *
 * The model requires what the target claims, as `checkStorage` does.
 *
 * @param fc fast-check, from `import fc from "fast-check"`.
 * @param target How to open the storage, and what it claims.
 * @param options Seed and number of cases, or the path of a case to repeat.
 * @throws {ModelError} If the storage differs from the model. It has the shortest case, and the seed and path to repeat it.
 * @throws {TypeError} If the path is not the path of a `ModelError`.
 *
 * @example Repeating a failure
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

/** The order is part of the case: it shrinks too, and a path repeats it. */
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

/** A failure and its trace. */
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
      `Cannot repeat path ${
        JSON.stringify(path)
      }: use the path of a ModelError`,
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
