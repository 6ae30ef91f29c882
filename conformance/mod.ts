/**
 * The conformance suite checks that a session storage works as its visitors expect.
 *
 * It checks any storage, with any test runner or without one. It needs a function that opens the storage in a given
 * namespace. With a clock, it tests deadlines without waiting.
 *
 * @example In Deno, Bun, Node or vitest
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { conformance } from "@satchel/session/conformance";
 *
 * // Use Deno.test, or `test` of bun:test, node:test or vitest. This one only collects the tests.
 * const tests: (() => Promise<void>)[] = [];
 * const test = (_name: string, fn: () => Promise<void>) => tests.push(fn);
 *
 * conformance(test, {
 *   name: "memory",
 *   capabilities: ["revoke", "expiry", "touch", "absolute", "merge"],
 *   clock: { kind: "virtual", advance() {} },
 *   open: ({ namespace: _, ...options }) => ({
 *     storage: createMemorySessionStorage(options),
 *   }),
 * });
 *
 * for (const fn of tests) await fn();
 * ```
 *
 * @module
 */
export { conformance, type TestFunction } from "./register.ts";
export {
  type ExpressStore,
  fromExpressStore,
  type FromExpressStoreOptions,
} from "./adapters/express_store.ts";
export {
  fromHonoSessions,
  type FromHonoSessionsOptions,
  type HonoApp,
  type HonoSession,
} from "./adapters/hono_sessions.ts";
export {
  fromReactRouter,
  type ReactRouterStorage,
} from "./adapters/react_router.ts";
export {
  fromRemix,
  type FromRemixOptions,
  type RemixSession,
  type RemixStorage,
} from "./adapters/remix.ts";
export {
  fromUnstorage,
  type FromUnstorageOptions,
  type UnstorageLike,
} from "./adapters/unstorage.ts";
export { checkEngine } from "./engine/check.ts";
export { engineRules } from "./engine/rules.ts";
export { isEngineTarget } from "./engine/target.ts";
export {
  type EngineOpenOptions,
  type EngineRule,
  type EngineTarget,
  type Need,
  NEEDS,
  type OpenedEngine,
} from "./engine/types.ts";
export { CAPABILITIES, type Capability, type Claim } from "./capabilities.ts";
export { type FormatOptions, formatReport } from "./format.ts";
export { checkHistory, type HistoryOptions } from "./history/check_history.ts";
export type { AnomalyKind } from "./history/anomaly.ts";
export { type HistoryRule, historyRules } from "./history/rules.ts";
export { instrument, type Instrumented } from "./instrument.ts";
export { RULE_SET, rules } from "./rules.ts";
export { checkStorage } from "./run.ts";
export type {
  CheckOptions,
  Faults,
  Inspect,
  Level,
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
  DeleteOptions,
  DeleteOwnedOptions,
  Engine,
  EngineRecord,
  MoveOptions,
  OwnedRecord,
  StorageGuarantees,
  SynchronousEngine,
  WriteOptions,
} from "../storage/contract.ts";
