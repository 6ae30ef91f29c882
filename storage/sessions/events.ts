/**
 * What the events of a storage are about.
 *
 * @module
 */
import type { SessionEvent } from "../contract.ts";

/** Which session an event is about. */
export interface Subject {
  /** The session's id. */
  readonly id?: string | undefined;
  /** The session's key, if its id is not known. */
  readonly key?: string | undefined;
}

/** What an event is about. */
export type EventDetails = Omit<SessionEvent, "type" | "session"> & Subject;
