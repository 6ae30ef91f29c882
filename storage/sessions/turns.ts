/**
 * Runs the saves of one session one after another.
 *
 * @module
 */
import type { SessionState } from "../../core/session_state.ts";

/** The running save of each session. */
const running = new Map<SessionState, Promise<unknown>>();

/** Saves a session after its earlier saves. */
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
