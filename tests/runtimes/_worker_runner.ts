/**
 * A test runner for a Worker: no runner runs inside workerd.
 *
 * @module
 */
import type {
  D1Like,
  DurableObjectNamespaceLike,
  KVNamespaceLike,
} from "../../mod.ts";
import { register, type Surroundings } from "./suite.ts";

/** What became of one test. */
export interface Outcome {
  readonly name: string;
  /** Why it failed. */
  readonly error?: string;
}

/** The bindings of the Worker. */
export interface Env {
  readonly SESSIONS: KVNamespaceLike;
  readonly OBJECTS: DurableObjectNamespaceLike;
  readonly DB: D1Like;
  readonly HERE: Pick<Surroundings, "ports" | "only">;
}

/** Runs the suite, and answers with what became of it. */
export async function answer(
  { SESSIONS: kv, OBJECTS: objects, DB: d1, HERE: here }: Env,
  runtime: Surroundings["runtime"],
  load: Surroundings["load"],
): Promise<Response> {
  const tests: [name: string, run: () => Promise<void>][] = [];
  const test = (name: string, run: () => Promise<void>) =>
    void tests.push([name, run]);
  await register(test, { ...here, runtime, kv, objects, d1, load });
  const outcomes: Outcome[] = [];
  for (const [name, run] of tests) {
    try {
      await run();
      outcomes.push({ name });
    } catch (error) {
      const text = error instanceof Error ? error.stack : undefined;
      outcomes.push({ name, error: text ?? String(error) });
    }
  }
  return Response.json(outcomes);
}
