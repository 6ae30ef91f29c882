/**
 * The conformance suite: whether a session storage keeps its promises to the visitors of a site.
 *
 * Any storage can be checked, by any test runner or by none. The suite needs a way to open the storage in a namespace
 * of its own; with a clock, it tests deadlines without sleeping.
 *
 * @example In Deno, Bun, Node or vitest
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { conformance } from "@satchel/session/conformance";
 *
 * conformance(Deno.test, {
 *   name: "memory",
 *   capabilities: ["revoke", "expiry", "touch", "absolute", "merge"],
 *   clock: { kind: "virtual", advance() {} },
 *   open: (options) => ({ storage: createMemorySessionStorage(options) }),
 * });
 * ```
 *
 * @module
 */
export { conformance, type TestFunction } from "./register.ts";
export { RULE_SET, rules } from "./rules.ts";
export { checkStorage } from "./run.ts";
export type {
  Capability,
  CheckOptions,
  Faults,
  Inspect,
  Opened,
  OpenOptions,
  Outcome,
  Profile,
  Report,
  Rule,
  RuleResult,
  SessionLike,
  StorageLike,
  Target,
  TestClock,
} from "./types.ts";
export type {
  Store,
  Trial,
  TrialOpenOptions,
  Visitor,
  VisitorRequest,
} from "./_trial.ts";
