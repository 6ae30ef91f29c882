/**
 * The types of the suite: rules, targets, clocks, reports.
 *
 * @module
 */
import type { Capability, Claim } from "./capabilities.ts";

/** The library of the sessions. Some rules do not apply to older libraries, which behave otherwise by design. */
export type Profile = "satchel" | "react-router" | "remix";

/** One rule, and the check that tests a storage. */
export interface Rule {
  /** The rule's permanent name: its group and a number. It is never used for another rule. */
  readonly id: string;
  /** `must` affects conformance; `should` is only reported. */
  readonly level: "must" | "should";
  /** The rule set that introduced it. */
  readonly since: string;
  /** What a storage must claim for the rule to apply. A rule that needs no claim is a core rule. */
  readonly capabilities: readonly Claim[];
  /** Whether the rule is about the session object, rather than about stored sessions. */
  readonly session?: boolean;
  /** Whether the rule needs a clock. */
  readonly timed?: boolean;
  /** Whether the rule moves the clock if there is one. @default {as `timed`} */
  readonly moves?: boolean;
  /** The rule, in one sentence. */
  readonly sentence: string;
  /** Why the rule matters to a visitor. */
  readonly why: string;
  /** Tests the rule; throws if the storage breaks it. Its argument comes from the suite. */
  readonly check: (trial: never) => Promise<void>;
}

/** How the suite moves time for a storage. */
export type TestClock =
  | {
    /** The storage uses the `now` that `open` receives. */
    readonly kind: "virtual";
    /** Moves everything else that follows the clock, by milliseconds. */
    advance(ms: number): void | Promise<void>;
    /** How exact a deadline is, in milliseconds: 1000 if the storage counts seconds. @default {1} */
    readonly granularityMs?: number;
  }
  | {
    /** The engine has a clock of its own, and the target can make its records older. */
    readonly kind: "aged";
    /** Moves the deadlines of all records of a namespace nearer, by milliseconds. */
    age(ms: number, namespace: string): Promise<void>;
  }
  | {
    /** The suite has to wait. */
    readonly kind: "real";
    /** How exact a deadline is, in milliseconds. */
    readonly granularityMs: number;
    /** How early a record may expire, in milliseconds. */
    readonly earlyMs?: number;
    /** How late a record may expire, in milliseconds. */
    readonly lagMs?: number;
    /** The shortest lifetime that the engine supports, in milliseconds. */
    readonly minTtlMs?: number;
  };

/** The argument of `open`. */
export interface OpenOptions {
  /** The namespace for the sessions of one check. No other check uses it. */
  readonly namespace: string;
  /**
   * A folder that all processes of {@linkcode checkHistory} share, and that it removes: for a storage that needs files.
   * In other checks there is one process, and this is `undefined`.
   */
  readonly directory?: string;
  /**
   * The idle timeout that a check needs, in seconds. One check uses 0 and `NaN`: `open` may refuse these by throwing, and
   * must then close everything that it opened.
   */
  readonly idleTimeout?: number;
  /** The absolute timeout that a check needs, in seconds. */
  readonly absoluteTimeout?: number;
  /** The `maxAge` for the storage's cookie, in seconds. Only targets that claim `lifetime` need it. */
  readonly maxAge?: number;
  /** The option `owner` for the storage. Only targets that claim `owners` need it. */
  readonly owner?: (
    data: Readonly<Record<string, unknown>>,
  ) => string | undefined;
  /** The suite's clock, in milliseconds. */
  now(): number;
}

/** Reads and replaces the records of an engine directly, without the storage. */
export interface Inspect {
  /** Every stored record of the namespace: its key and its bytes as text. */
  records(): Promise<ReadonlyMap<string, string>>;
  /** Replaces a record's bytes, as damage or another program would. */
  write(key: string, text: string): Promise<void>;
}

/** Makes an engine fail, and work again. */
export interface Faults {
  /** From now on, reads, writes (and deletes) or both fail. */
  fail(what: { reads?: boolean; writes?: boolean }): void | Promise<void>;
  /** From now on, everything works again. */
  heal(): void | Promise<void>;
}

/** An open storage. */
export interface Opened {
  /**
   * The storage: it has `read` and `save`, or `getSession`, `commitSession` and `destroySession`. Its sessions can be of
   * any class.
   */
  readonly storage: StorageLike;
  /** Hooks for the capability `inspect`. */
  readonly inspect?: Inspect;
  /** Hooks for the capability `faults`. */
  readonly faults?: Faults;
  /** Creates a session with a given id, if the library lets an application do that. */
  createSession?(data: Record<string, unknown>, id: string): SessionLike;
  /**
   * Makes the `Cookie` header that presents an id, signed as the site signs it. A storage with `getSession` needs it if
   * its cookie is signed and it does not have `read` and `save` besides: a rule that tries ids of its own is otherwise
   * not run, because a changed id is rejected by its signature.
   */
  cookieFor?(id: string): string | Promise<string>;
  /** Closes everything that `open` opened, and may remove what the checks stored. */
  close?(): void | Promise<void>;
}

/** The part of a session that the suite uses. */
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
  /** Regenerates the id. */
  regenerateId?(): void;
  /** Begins the session anew, for a login: with a new id, and without the entries that `keep` does not name. */
  restart?(options?: { keep?: readonly string[] | "all" }): void;
  /** When the visitor last signed in: the last `restart`, in milliseconds. */
  readonly authenticatedAt?: number | undefined;
  /** Removes all values and flashes. */
  clear?(): void;
  /** Ends the session. */
  destroy?(): void;
}

/** The part of a storage that the suite uses. */
export interface StorageLike {
  /** Reads a session by its cookie's value. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  read?(value: string | null): Promise<any>;
  /** Saves a session. Returns the cookie's new value, `""` to clear it, or `null` to send nothing. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  save?(session: any, options?: any): Promise<string | null>;
  /** Reads a session by a `Cookie` header. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  getSession?(cookieHeader?: string | null): Promise<any>;
  /** Saves a session. Returns the `Set-Cookie` header. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  commitSession?(session: any, options?: any): Promise<string>;
  /** Destroys a session. Returns the `Set-Cookie` header. */
  // deno-lint-ignore no-explicit-any -- sessions of any library
  destroySession?(session: any, options?: any): Promise<string>;
  /** Lists an owner's sessions, and marks `current`. */
  // deno-lint-ignore no-explicit-any -- checked when it is called
  listSessions?(owner: string, options?: { current?: any }): Promise<any>;
  /** Ends an owner's sessions, except one, or only one. Returns how many. */
  destroySessions?(
    owner: string,
    // deno-lint-ignore no-explicit-any -- sessions of any library
    options?: { except?: any; only?: any },
  ): Promise<number>;
  /** Removes expired records, and may return how many. */
  sweep?(): Promise<number | void>;
  /** Releases timers and handles. */
  close?(): Promise<void>;
}

/** A storage under test. */
export interface Target {
  /** Its name in reports. */
  readonly name: string;
  /** The capabilities that it claims. */
  readonly capabilities: readonly Capability[];
  /** How to move its time. Without a clock, rules about time are not run. */
  readonly clock?: TestClock;
  /** Its limits, which the suite tests. */
  readonly limits?: { readonly recordBytes?: number };
  /** Versions for the report: of the storage, its client, its database. */
  readonly versions?: Readonly<Record<string, string>>;
  /** The library of its sessions. @default {"satchel"} */
  readonly profile?: Profile;
  /** Opens the storage in a namespace. Every rule calls it, and some call it twice for one namespace. */
  open(options: OpenOptions): Opened | Promise<Opened>;
}

/**
 * The outcome of a rule.
 *
 * `fail`: the storage breaks the rule. `error`: the suite or a hook of the target failed, or the storage never answered.
 * `not-applicable`: the storage does not claim a capability that the rule needs. `not-run`: it does, but the rule could
 * not be tried, or ran out of time.
 */
export type Outcome = "pass" | "fail" | "error" | "not-applicable" | "not-run";

/** The result of one rule. */
export interface RuleResult {
  /** The rule's id. */
  readonly rule: string;
  /** The outcome. */
  readonly outcome: Outcome;
  /** Why it did not pass. */
  readonly reason?: string;
  /** The requests up to the failure, numbered. Cookies and ids are not shown. */
  readonly trace?: readonly string[];
  /** The value that was received, if values were compared. */
  readonly got?: string;
  /** The value that was expected, if values were compared. */
  readonly want?: string;
  /** The reason in `expectedFailures`. */
  readonly expected?: string;
  /** How many of its cases ran, if the engine was too slow for all of them. */
  readonly rounds?: { readonly ran: number; readonly of: number };
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** Whether all rules of a level are kept, one is broken, or one could not be tried. */
export type Level = "kept" | "broken" | "untried";

/** The results of a run. */
export interface Report {
  /** The target's name. */
  readonly target: string;
  /** The rule set. */
  readonly ruleSet: string;
  /** Repeats this run. */
  readonly seed: number;
  /**
   * `nonconformant`: a `must` rule fails unexpectedly, or a rule that was expected to fail passes. `incomplete`: a rule
   * could not be tried. `partial`: only expected failures, failures of `should` rules, or a selection of rules.
   */
  readonly verdict: "conformant" | "partial" | "nonconformant" | "incomplete";
  /** What the target claims: each was tried, as far as `levels` says. */
  readonly claims: readonly Claim[];
  /** What it does not claim, and nobody tried. */
  readonly unclaimed: readonly Claim[];
  /** `core`, the rules that every storage should keep, and each claim: whether all `must` rules that need it are kept. */
  readonly levels: Readonly<Partial<Record<"core" | Claim, Level>>>;
  /** How time was moved; `none` without a clock. */
  readonly clock: TestClock["kind"] | "none";
  /** Versions: of the suite, of the runtime, and what the target says of itself. */
  readonly versions: Readonly<Record<string, string>>;
  /** When the run began (ISO 8601). */
  readonly date: string;
  /** How long a call to the storage took, in milliseconds: the median of a few at the start. */
  readonly latencyMs: number;
  /** One for each rule, in the catalogue's order. */
  readonly results: readonly RuleResult[];
  /** Remarks, such as capabilities that the storage has and does not claim. */
  readonly notes: readonly string[];
  /** Rules that were expected to fail and passed. */
  readonly stale: readonly string[];
}

/** Options of a run. */
export interface CheckOptions {
  /** Repeats a run's random choices and order. @default {a random one, in the report} */
  readonly seed?: number | undefined;
  /** Rules to run, by id (`FLASH-02`) or group (`FLASH`). @default {all} */
  readonly only?: readonly string[] | undefined;
  /** Tries more random cases, and all cases of a slow storage too. @default {false} */
  readonly slow?: boolean | undefined;
  /** Known failures: a reason for each rule. */
  readonly expectedFailures?: Readonly<Record<string, string>> | undefined;
  /**
   * How long one rule may take, in seconds. A rule that needs longer is `not-run`.
   *
   * @default {10 to 180, by how fast the storage answers}
   */
  readonly deadline?: number | undefined;
  /** Receives each result when its rule has ended. */
  readonly onResult?: ((result: RuleResult) => void) | undefined;
}
