/**
 * The suite's vocabulary: rules, targets, clocks, reports.
 *
 * @module
 */
import type { Capability } from "./capabilities.ts";

/** A library whose sessions behave otherwise by design; the rules that say so do not apply to it. */
export type Profile = "satchel" | "react-router" | "remix";

/** One rule: a promise to the visitors of a site, and the check that holds a storage to it. */
export interface Rule {
  /** The rule's name for good: its group and a number, never used again for another. */
  readonly id: string;
  /** `must` decides about conformance; `should` is reported. */
  readonly level: "must" | "should";
  /** The rule set that brought it. */
  readonly since: string;
  /** What a storage must claim for the rule to apply. */
  readonly capabilities: readonly Capability[];
  /** Whether the rule is about the session object rather than about what is stored. */
  readonly session?: boolean;
  /** Whether the rule moves the clock. */
  readonly timed?: boolean;
  /** The rule, in one sentence. */
  readonly sentence: string;
  /** What happens to a visitor where it is broken. */
  readonly why: string;
  /** Tries it; throws where the storage breaks it. The runner alone can make what it is called with. */
  readonly check: (trial: never) => Promise<void>;
}

/** How the suite moves time for a storage. */
export type TestClock =
  | {
    /** The storage reads the `now` that `open` gives it. */
    readonly kind: "virtual";
    /** Moves whatever else follows the clock, by milliseconds. */
    advance(ms: number): void | Promise<void>;
  }
  | {
    /** The engine keeps its own time, and its records can be made older. */
    readonly kind: "aged";
    /** Brings the deadlines of all records of a namespace nearer, by milliseconds. */
    age(ms: number, namespace: string): Promise<void>;
  }
  | {
    /** Time has to pass. */
    readonly kind: "real";
    /** How exact a deadline is, in milliseconds. */
    readonly granularityMs: number;
    /** By how much a record may end early, in milliseconds. */
    readonly earlyMs?: number;
    /** By how much a record may outlive its deadline, in milliseconds. */
    readonly lagMs?: number;
    /** The shortest lifetime that the engine takes, in milliseconds. */
    readonly minTtlMs?: number;
  };

/** What `open` is asked for. */
export interface OpenOptions {
  /** Where the sessions of this one check belong; no other check uses it. */
  readonly namespace: string;
  /**
   * The idle timeout that a check needs, in seconds. One check asks for 0 and for `NaN`, which `open` may refuse by
   * throwing, once it has let go of what it took.
   */
  readonly idleTimeout?: number;
  /** The absolute timeout that a check needs, in seconds. */
  readonly absoluteTimeout?: number;
  /** Whose a session is, by its values; only for a target that claims `owners`, to hand on to the storage. */
  readonly owner?: (
    data: Readonly<Record<string, unknown>>,
  ) => string | undefined;
  /** The suite's clock, in milliseconds. */
  now(): number;
}

/** Looks at what an engine holds, and changes it behind the storage's back. */
export interface Inspect {
  /** Every stored record of the namespace: its key and its bytes as text. */
  records(): Promise<ReadonlyMap<string, string>>;
  /** Replaces a record's bytes, as damage or another program would. */
  write(key: string, text: string): Promise<void>;
}

/** Breaks an engine and mends it. */
export interface Faults {
  /** From now on, reads, writes (deletes too) or both fail. */
  fail(what: { reads?: boolean; writes?: boolean }): void | Promise<void>;
  /** From now on, everything works again. */
  heal(): void | Promise<void>;
}

/** An open storage. */
export interface Opened {
  /**
   * The storage: `read` and `save`, or `getSession` and `commitSession`. Sessions may be this library's or its own.
   */
  readonly storage: StorageLike;
  /** Hooks for the capability `inspect`. */
  readonly inspect?: Inspect;
  /** Hooks for the capability `faults`. */
  readonly faults?: Faults;
  /** Lets go of what `open` took, and of what the checks stored. */
  close?(): void | Promise<void>;
}

/** A session of any library, as far as the suite uses it. */
export interface SessionLike {
  /** The id. */
  readonly id?: unknown;
  /** The value or flash under a key. */
  get(key: string): unknown;
  /** Sets a value. */
  set(key: string, value: unknown): void;
  /** Whether there is a value or a flash. */
  has(key: string): boolean;
  /** Removes a value. */
  unset(key: string): void;
  /** Sets a flash. */
  flash(key: string, value: unknown): void;
  /** Gives the session a new id. */
  regenerateId?(): void;
  /** Ends the session. */
  destroy?(): void;
}

/** A storage of another library, as far as the suite uses it. */
export interface StorageLike {
  /** Reads a session by its cookie's value. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  read?(value: string | null): Promise<any>;
  /** Saves it; gives the cookie's new value, `""` or `null`. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  save?(session: any, options?: any): Promise<string | null>;
  /** Reads a session by a `Cookie` header. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  getSession?(cookieHeader?: string | null): Promise<any>;
  /** Saves it; gives the `Set-Cookie` header. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  commitSession?(session: any, options?: any): Promise<string>;
  /** Destroys it; gives the `Set-Cookie` header. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  destroySession?(session: any, options?: any): Promise<string>;
  /** Lists an owner's sessions, and marks the one of `current`. */
  // deno-lint-ignore no-explicit-any -- checked when it is called
  listSessions?(owner: string, options?: { current?: any }): Promise<any>;
  /** Ends an owner's sessions but the one of `except`; gives how many. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  destroySessions?(owner: string, options?: { except?: any }): Promise<number>;
  /** Removes expired records. */
  sweep?(): Promise<void>;
  /** Lets go of timers and handles. */
  close?(): Promise<void>;
}

/** A storage under test. */
export interface Target {
  /** Its name in reports. */
  readonly name: string;
  /** What it claims. */
  readonly capabilities: readonly Capability[];
  /** How time moves for it. Without one, rules about time are not run. */
  readonly clock?: TestClock;
  /** Limits that the suite is to try out. */
  readonly limits?: { readonly recordBytes?: number };
  /** The library whose session semantics it has. @default {"satchel"} */
  readonly profile?: Profile;
  /** Opens it in a namespace of its own. Called anew for each rule, and twice over one namespace by some. */
  open(options: OpenOptions): Opened | Promise<Opened>;
}

/**
 * What became of a rule.
 *
 * `fail`: the storage broke it. `error`: the suite or the target's hooks broke. `not-applicable`: the storage does not
 * claim what the rule is about. `not-run`: it does, but it could not be tried, which is never as good as a pass.
 */
export type Outcome = "pass" | "fail" | "error" | "not-applicable" | "not-run";

/** What became of one rule. */
export interface RuleResult {
  /** The rule's id. */
  readonly rule: string;
  /** What became of it. */
  readonly outcome: Outcome;
  /** Why it is no pass. */
  readonly reason?: string;
  /** The requests that led there, numbered; holds no cookie and no id. */
  readonly trace?: readonly string[];
  /** What came and what should have come, where values were compared. */
  readonly got?: string;
  /** See `got`. */
  readonly want?: string;
  /** The reason that was given for expecting the failure. */
  readonly expected?: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** What became of all rules. */
export interface Report {
  /** The target's name. */
  readonly target: string;
  /** The rule set. */
  readonly ruleSet: string;
  /** Repeats this run. */
  readonly seed: number;
  /**
   * `nonconformant`: a `must` rule fails unexpectedly, or one that was expected to fail passes. `incomplete`: rules
   * could not be tried. `partial`: only expected failures, failures of `should` rules, or a selection of rules.
   */
  readonly verdict: "conformant" | "partial" | "nonconformant" | "incomplete";
  /** One for each rule, in the catalogue's order. */
  readonly results: readonly RuleResult[];
  /** What the storage does without claiming it, and other remarks. */
  readonly notes: readonly string[];
  /** Rules that were expected to fail and do not. */
  readonly stale: readonly string[];
}

/** Options of a run. */
export interface CheckOptions {
  /** Repeats a run's random choices and order. @default {a random one, in the report} */
  readonly seed?: number | undefined;
  /** Rules to run, by id (`FLASH-02`) or group (`FLASH`). @default {all} */
  readonly only?: readonly string[] | undefined;
  /** Tries more random cases. @default {false} */
  readonly slow?: boolean | undefined;
  /** Failures that are known, by rule, each with the reason for it. */
  readonly expectedFailures?: Readonly<Record<string, string>> | undefined;
  /** How long one rule may take, in milliseconds. @default {10_000} */
  readonly deadlineMs?: number | undefined;
  /** Is told each result as it comes. */
  readonly onResult?: ((result: RuleResult) => void) | undefined;
}
