/**
 * What a rule's check uses: visitors who send requests to a storage, a clock, and comparisons that report the trace.
 *
 * @module
 */
import { equal } from "@std/assert";
import { HarnessError, Unfit, Violation } from "./port.ts";
import { exemptPart } from "../profiles.ts";
import { Random } from "./random.ts";
import { OpenStorage } from "./open_storage.ts";
import { type Pace, paceFor, Pulse } from "./pace.ts";
import { Trace } from "./trace.ts";
import { Visitor, type VisitorRequest } from "./visitor.ts";
import { type Claim, claimsOf } from "../capabilities.ts";
import type { OpenOptions, Profile, Target } from "../types.ts";

/** Options of {@linkcode Trial.open}. */
export interface TrialOpenOptions {
  /** Seconds. */
  readonly idleTimeout?: number;
  /** Seconds. */
  readonly absoluteTimeout?: number;
  /** The `maxAge` of the cookie, in seconds; needs the claim `lifetime`. */
  readonly maxAge?: number;
  /** The owner of a session, by its values. */
  readonly owner?: NonNullable<OpenOptions["owner"]>;
  /** @default {one of its own} */
  readonly namespace?: string;
  /** How far the instance's clock is behind, in milliseconds. Only a virtual clock can be. */
  readonly behindMs?: number;
}

/** One run of a rule's check. */
export class Trial {
  /** Choices that the seed repeats. */
  readonly random: Random;
  /** The requests so far. */
  readonly trace: Trace = new Trace();
  /** How many random cases to try. */
  readonly runs: number;
  /** The target's limits. */
  readonly limits: { readonly recordBytes?: number };
  /** The calls to the storage. */
  readonly pulse: Pulse = new Pulse();
  readonly #target: Target;
  readonly #claims: ReadonlySet<Claim>;
  readonly #pace: Pace;
  readonly #opened: OpenStorage[] = [];
  #default: Promise<OpenStorage> | undefined;
  readonly #start = Date.now();
  #offset = 0;
  #visitors = 0;
  #waitedMs = 0;
  #busy: string | undefined;
  #ended = false;
  #askedForTime = false;
  #ran = 0;
  #of = 0;

  constructor(
    target: Target,
    seed: number,
    slow: boolean,
    pace: Pace = paceFor(0),
  ) {
    this.#target = target;
    this.#claims = new Set(claimsOf(target));
    this.#pace = pace;
    this.random = new Random(seed);
    this.runs = slow ? 200 : 20;
    this.limits = target.limits ?? {};
  }

  /** The time for the storage, in milliseconds. A virtual clock moves only by `advance`. */
  readonly now = (): number =>
    this.#target.clock?.kind === "virtual"
      ? this.#start + this.#offset
      : Date.now();

  /** Whether deadlines are exact to the millisecond. */
  get exact(): boolean {
    return this.#target.clock?.kind === "virtual";
  }

  /** How much time has passed for the storage since the trial began, in milliseconds. */
  get elapsed(): number {
    const { clock } = this.#target;
    return clock?.kind === "virtual"
      ? this.#offset
      : Date.now() - this.#start + this.#offset;
  }

  /** Whether days can pass without waiting. */
  get leaps(): boolean {
    return this.#target.clock?.kind !== "real";
  }

  /** Whether time can be moved without waiting. */
  get movesTime(): boolean {
    const { clock } = this.#target;
    return clock !== undefined && clock.kind !== "real";
  }

  /** A lifetime, in seconds, that suits the target's clock. */
  get lifetime(): number {
    const { clock } = this.#target;
    if (clock?.kind !== "real") return 600;
    const margin = 4 * slackOf(clock);
    // A rule makes some calls before the first deadline.
    const calls = 50 * this.#pace.latencyMs;
    return Math.ceil(
      Math.max(clock.minTtlMs ?? 0, margin, calls, 1000) / 1000,
    );
  }

  /** How inexact the target's deadlines may be, in milliseconds. */
  get slack(): number {
    const { clock } = this.#target;
    // Whether the instant of the deadline itself is before or after it, storages decide differently.
    return clock?.kind === "virtual"
      ? clock.granularityMs ?? 1
      : clock?.kind === "aged"
      ? 1000
      : clock
      ? slackOf(clock)
      : 0;
  }

  /** Whether a part of a rule does not apply to the target's library. */
  exemptsPart(rule: string): boolean {
    return exemptPart(this.#target.profile, rule) !== undefined;
  }

  /** The library whose session semantics the target has. */
  get profile(): Profile {
    return this.#target.profile ?? "satchel";
  }

  /** Whether the target claims a capability. */
  claims(claim: Claim): boolean {
    return this.#claims.has(claim);
  }

  /**
   * A rule's cases, in their order. If the storage is slow, they end when their time is up, but not before `atLeast`.
   *
   * @param list The cases, or how many there are.
   */
  cases(
    count: number,
    options?: { readonly atLeast?: number },
  ): Iterable<number>;
  cases<T>(
    list: readonly T[],
    options?: { readonly atLeast?: number },
  ): Iterable<T>;
  *cases<T>(
    list: number | readonly T[],
    { atLeast = 1 }: { readonly atLeast?: number } = {},
  ): Iterable<number | T> {
    const of = typeof list === "number" ? list : list.length;
    const until = performance.now() + this.#pace.casesMs;
    this.#of += of;
    for (let i = 0; i < of; i++) {
      if (i >= atLeast && performance.now() > until) return;
      this.#ran++;
      yield typeof list === "number" ? i : list[i] as T;
    }
  }

  /** How many cases ran, if not all of them did. */
  get rounds(): { ran: number; of: number } | undefined {
    return this.#ran < this.#of ? { ran: this.#ran, of: this.#of } : undefined;
  }

  /** Whether the storage is too slow to run all cases. */
  get isSlow(): boolean {
    return this.#pace.casesMs !== Infinity;
  }

  /** Opens the storage; without options, the one that all visitors of this trial use. */
  open(options?: TrialOpenOptions): Promise<OpenStorage> {
    if (options) return this.#open(options);
    return this.#default ??= this.#open({});
  }

  async #open(
    { behindMs = 0, ...options }: TrialOpenOptions,
  ): Promise<OpenStorage> {
    const namespace = options.namespace ?? this.namespace();
    const now = () => {
      this.#askedForTime = true;
      return this.now() - behindMs;
    };
    const opened = await this.hook(
      "open",
      async () => await this.#target.open({ ...options, namespace, now }),
    );
    if (!opened?.storage) {
      throw new HarnessError("open() did not return a storage");
    }
    const storage = new OpenStorage(
      opened,
      namespace,
      this.trace,
      (name, call) => this.hook(name, call),
      this.pulse,
    );
    this.#opened.push(storage);
    // A check that ran out of time may continue. What it opens now must be closed too.
    if (this.#ended) await this.end();
    return storage;
  }

  /** A name that no other trial uses, and that a storage cannot recognise. */
  namespace(): string {
    // Not from the seed: two runs on one engine must not share a namespace.
    return `n${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
  }

  /** A new visitor, with their own browser. */
  async visitor(storage?: OpenStorage): Promise<Visitor> {
    const name = String.fromCharCode(65 + this.#visitors++ % 26);
    return new Visitor(name, storage ?? await this.open(), this.trace);
  }

  /** Lets time pass, in milliseconds. */
  async advance(ms: number): Promise<void> {
    const { clock } = this.#target;
    this.note(`${ms} ms pass`);
    if (clock?.kind === "virtual") {
      this.#offset += ms;
      await this.hook("clock.advance", async () => await clock.advance(ms));
    } else if (clock?.kind === "aged") {
      for (const namespace of new Set(this.#opened.map((o) => o.namespace))) {
        await this.hook(
          "clock.age",
          async () => await clock.age(ms, namespace),
        );
      }
      this.#offset += ms;
    } else if (clock) {
      this.#waitedMs += ms;
      await new Promise((resolve) => setTimeout(resolve, ms));
    } else throw new Unfit("not-run", "the target does not have a clock");
  }

  /** Whether time passed that the storage did not ask for: it uses another clock than that of `open`. */
  get isIgnored(): boolean {
    return this.exact && this.#offset > 0 && !this.#askedForTime;
  }

  /** How long the trial itself waited, in milliseconds; its time limit does not include that. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** The target's own hook that is running, if any. */
  get busy(): string | undefined {
    return this.#busy;
  }

  /** Runs one of the target's own hooks. If it throws, the target is wrong, not the storage. */
  async hook<T>(name: string, call: () => Promise<T>): Promise<T> {
    this.#busy = `${name}()`;
    try {
      return await call();
    } catch (cause) {
      throw new HarnessError(`${name}() threw`, { cause });
    } finally {
      this.#busy = undefined;
    }
  }

  /** Waits for an engine whose reads lag behind its writes. */
  async settle(): Promise<void> {
    const { clock } = this.#target;
    if (clock?.kind === "real" && clock.lagMs) await this.advance(clock.lagMs);
  }

  /** Fails unless two values are deeply equal. */
  equal(got: unknown, want: unknown, what: string): void {
    if (same(got, want)) return;
    throw new Violation(what, { got, want });
  }

  /** Fails unless a condition holds. */
  ok(condition: boolean, what: string): void {
    if (!condition) throw new Violation(what);
  }

  /** Fails unless a call rejects. Returns the error. */
  async rejects(call: () => Promise<unknown>, what: string): Promise<unknown> {
    try {
      await call();
    } catch (error) {
      if (error instanceof HarnessError) throw error;
      return error instanceof Violation ? error.cause ?? error : error;
    }
    throw new Violation(what);
  }

  /** Ends the trial: one of the target's hooks did nothing, so it says nothing about the storage. */
  lies(hook: string, what: string): never {
    throw new HarnessError(
      `${hook} did nothing: ${what}; make it reach what the storage uses`,
    );
  }

  /** Whether the storage refuses a call, which is allowed here. */
  async refuses(call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call();
      return false;
    } catch (error) {
      if (error instanceof Violation) return true;
      throw error;
    }
  }

  /** Ends the trial: the rule does not apply. */
  notApplicable(reason: string): never {
    throw new Unfit("not-applicable", reason);
  }

  /** Ends the trial: the rule applies, but could not be tried. */
  notRun(reason: string): never {
    throw new Unfit("not-run", reason);
  }

  /** Fails if a session has the id of an earlier one. Passes if the library's sessions do not have ids. */
  anotherId(
    rule: string,
    request: VisitorRequest,
    id: string,
    what: string,
  ): void {
    if (!request.hasId) return;
    const empty = id === "" || request.id === "";
    if (empty && this.exemptsPart(rule)) return;
    this.ok(!empty, "an id is empty");
    this.ok(request.id !== id, what);
  }

  /** Adds a line to the trace. */
  note(line: string): void {
    this.trace.note(line);
  }

  /** Closes everything that the trial opened. */
  async end(): Promise<void> {
    this.#ended = true;
    const problems: unknown[] = [];
    for (const storage of this.#opened.splice(0).reverse()) {
      await storage.close().catch((error) => void problems.push(error));
    }
    if (problems.length > 0) throw problems[0];
  }
}

/** How inexact the deadlines of a real clock may be, in milliseconds. */
export function slackOf(
  clock: Extract<Target["clock"], { kind: "real" }>,
): number {
  const { granularityMs, earlyMs = 0, lagMs = 0 } = clock;
  return granularityMs + earlyMs + lagMs;
}

/** Deep equality, in which 0 and -0 differ. */
function same(got: unknown, want: unknown): boolean {
  return equal(got, want) && (got !== 0 || Object.is(got, want));
}
