/**
 * The saves of one session follow each other.
 *
 * @module
 */
import type { SessionState } from "../../core/session_state.ts";

/** The save that is running, for each session that has one. */
const running = new Map<SessionState, Promise<unknown>>();

/** Saves a session after the saves of it that were called before. */
export async function inTurn<T>(
  state: SessionState,
  save: () => Promise<T>,
): Promise<T> {
  for (let turn = running.get(state); turn; turn = running.get(state)) {
    await turn.catch(() => {});
  }
  const turn = save();
  running.set(state, turn);
  try {
    return await turn;
  } finally {
    if (running.get(state) === turn) running.delete(state);
  }
}
