/**
 * Records that are replaced by other texts.
 *
 * @module
 */
import { HarnessError } from "../../trial/port.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Inspect } from "../../types.ts";

/** Records that are there, and what to put in their place. */
export interface Damage {
  /** The records, by their keys. */
  readonly records: Iterable<readonly [key: string, text: string]>;
  /** What replaces a record's text. */
  readonly change: (text: string) => string;
}

/**
 * Replaces records. Returns `false` if the engine refuses one of the new texts: a text that it cannot hold, such as
 * other than JSON in a column of JSON, or a NUL in PostgreSQL, is no damage that a visitor can meet.
 */
export async function damage(
  t: Trial,
  inspect: Inspect,
  { records, change }: Damage,
): Promise<boolean> {
  for (const [key, text] of records) {
    try {
      await inspect.write(key, change(text));
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      // A hook that cannot even write what is there does not work, and this throws.
      await inspect.write(key, text);
      t.note("the engine refuses to hold the text");
      return false;
    }
  }
  return true;
}
