/**
 * Tries an engine's calls once, before the rules do.
 *
 * @module
 */
import { HarnessError, Violation } from "../trial/port.ts";
import type { Pulse } from "../trial/pace.ts";
import type { OpenEngine } from "./open_engine.ts";

/**
 * Whether the engine of a target is ready. If its first calls are rejected (its table is missing, its server is down),
 * or their answers have a wrong type, no rule can say anything about it.
 */
export class Readiness {
  #tried: Promise<HarnessError | undefined> | undefined;

  /**
   * Tries the engine, unless another rule has.
   *
   * @throws {HarnessError} If it is not ready.
   */
  async ensure(engine: OpenEngine, key: string, pulse: Pulse): Promise<void> {
    const problem = await pulse.beat(
      "the engine's first call",
      () => this.#tried ??= tryCalls(engine, key),
    );
    if (problem) throw problem;
  }
}

const AN_HOUR = 3_600_000;

async function tryCalls(
  engine: OpenEngine,
  key: string,
): Promise<HarnessError | undefined> {
  try {
    await engine.read(key);
    await engine.write(key, "[0]", { expires: engine.now() + AN_HOUR });
    await engine.read(key);
    await engine.delete(key);
    return undefined;
  } catch (error) {
    if (error instanceof HarnessError) return error;
    if (!(error instanceof Violation)) throw error;
    return new HarnessError(
      `the engine's first ${error.message}. An engine must work when open() returns: create its table there, and check its connection and its rights`,
    );
  }
}
