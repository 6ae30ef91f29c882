/**
 * What happened to a session, and what is wrong with it.
 *
 * @module
 */
import type { Operation } from "./history.ts";

/**
 * What is wrong.
 *
 * - `lost`: a save that was answered, or the whole session, is gone
 * - `back`: a session works under an id that was destroyed or replaced
 * - `mixed`: a session holds what was saved in another
 * - `old`: a read shows what was there before
 * - `made-up`: a read shows what no process saved, or half of a save
 * - `twice`: two sessions were given one id
 * - `half`: a process that was killed left half a save, or one of its saves that was answered is lost with it
 */
export type AnomalyKind =
  | "lost"
  | "back"
  | "mixed"
  | "old"
  | "made-up"
  | "twice"
  | "half";

/** An operation, and the error that ended it. */
export type Logged = Operation & { readonly error?: string };

/** What happened to one session. */
export interface Track {
  readonly session: number;
  /** How it was created. */
  readonly created: Logged;
  /** Everything else. */
  readonly history: readonly Logged[];
}

/** Something that nothing explains. */
export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly session: number;
  readonly reason: string;
  /** The operations that contradict each other, the failing one last. */
  readonly events: readonly Logged[];
  /** The keys that they disagree about. */
  readonly keys: readonly string[];
  /** The save that is lost, or not seen. */
  readonly write?: Logged;
}

/** The process that reads everything when all others have ended. */
export const LAST = "last";
