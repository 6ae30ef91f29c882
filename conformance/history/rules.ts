/**
 * The rules that {@linkcode checkHistory} tries.
 *
 * @module
 */
import type { Claim } from "../capabilities.ts";
import type { Rule } from "../types.ts";
import type { AnomalyKind } from "./anomaly.ts";

/** A rule about histories. */
export interface HistoryRule extends Rule {
  /** The kind of anomaly that breaks it. */
  readonly kind: AnomalyKind;
  /** Whether it can be tried only if processes are killed. */
  readonly kills?: boolean;
  /** A report of this rule is not trusted while one of these is broken: their anomalies look like its own. */
  readonly after?: readonly string[];
}

/** What every rule needs: processes that see each other's sessions, which outlive a process. */
const NEEDS: readonly Claim[] = ["shared", "durable"];

function history(
  number: number,
  kind: AnomalyKind,
  draft: Pick<HistoryRule, "sentence" | "why" | "kills" | "after"> & {
    readonly capabilities?: readonly Claim[];
  },
): HistoryRule {
  return {
    id: `HISTORY-0${number}`,
    level: "must",
    since: "2026.2",
    kind,
    ...draft,
    capabilities: [...NEEDS, ...draft.capabilities ?? []],
    check: () => Promise.reject(new TypeError("checkHistory() tries it")),
  };
}

/** All rules about histories. */
export const historyRules: readonly HistoryRule[] = [
  history(1, "lost", {
    sentence: "A save that was answered is not lost while others save.",
    why:
      "Two servers answer one visitor at the same time, and what one of them stored is gone.",
  }),
  history(2, "back", {
    capabilities: ["revoke"],
    sentence:
      "A session that one process ended stays ended, whatever others still save.",
    why:
      "A visitor signs out on one server, and a slow request on another signs them in again.",
  }),
  history(3, "mixed", {
    sentence: "No process reads what was saved in another session.",
    why: "A visitor sees the account of another.",
  }),
  history(4, "old", {
    after: [
      "HISTORY-01",
      "HISTORY-02",
      "HISTORY-03",
      "HISTORY-05",
      "HISTORY-07",
    ],
    sentence:
      "A read shows what was answered before it began, whichever process saved that.",
    why:
      "A visitor's next request reaches another server, which does not know what they just did.",
  }),
  history(5, "made-up", {
    sentence: "A read shows whole saves, and only what a process saved.",
    why: "A session holds half of one request and half of another.",
  }),
  history(6, "twice", {
    sentence: "No two processes give two sessions the same id.",
    why: "Two visitors share one session from their first request on.",
  }),
  history(7, "half", {
    kills: true,
    sentence:
      "A process that is killed leaves whole records, and each save that was answered before stays saved.",
    why: "A deploy or a crash signs visitors out, or undoes what they did.",
  }),
];
