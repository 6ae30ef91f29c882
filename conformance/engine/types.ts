/**
 * The types of a check of an engine: the target, its rules, and what they need.
 *
 * @module
 */
import type { Engine, SynchronousEngine } from "../../storage/contract.ts";
import type { Faults, Rule, TestClock } from "../types.ts";

/** The argument of an engine target's `open`. */
export interface EngineOpenOptions {
  /** The namespace for the records of one check: a table, a prefix, a folder. No other check uses it. */
  readonly namespace: string;
  /** The suite's clock, in milliseconds. */
  now(): number;
}

/** An open engine, if more than the engine has to be returned. */
export interface OpenedEngine {
  /** The engine. */
  readonly engine: Engine | SynchronousEngine;
  /** Hooks that make the engine's database fail. Without them, the rule about failures is not tried. */
  readonly faults?: Faults;
  /** Closes everything that `open` opened besides the engine, and may remove what the checks stored. */
  close?(): void | Promise<void>;
}

/**
 * An engine under test. The suite reads from its `guarantees`, and from its methods, which rules apply.
 */
export interface EngineTarget {
  /** Its name in reports. */
  readonly name: string;
  /** How to move its time. Without a clock, the rule that lets time pass is not run. */
  readonly clock?: TestClock;
  /** Versions for the report: of the engine, its client, its database. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Whether engines of two namespaces are meant to have separate records. @default {true} */
  readonly namespaces?: boolean;
  /** Opens the engine in a namespace. Every rule calls it, and some call it several times for one namespace. */
  open(
    options: EngineOpenOptions,
  ):
    | Engine
    | SynchronousEngine
    | OpenedEngine
    | Promise<Engine | SynchronousEngine | OpenedEngine>;
}

/** What a rule can need of an engine, and how the suite finds out that the engine has it. */
export const NEEDS = {
  compareAndSet: "`guarantees.compareAndSet` is `true`",
  shared: "`guarantees.shared` is `true`",
  durable: "`guarantees.durable` is `true`",
  touch: "the engine has `touch`",
  move: "the engine has `move`",
  owned: "the engine has `owned`",
  deleteOwned: "the engine has `deleteOwned`",
  sweep: "the engine has `sweep`",
  close: "the engine has `close`",
  faults: "`open` returns `faults`",
  namespaces: "the target does not set `namespaces: false`",
} as const;

/** What a rule can need of an engine. */
export type Need = keyof typeof NEEDS;

/** A rule about engines. */
export interface EngineRule extends Rule {
  /** What the engine must have for the rule to apply. */
  readonly needs: readonly Need[];
}
