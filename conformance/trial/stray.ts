/**
 * Errors that a storage throws where nobody awaits them: in a timer, or in a promise that it forgot.
 *
 * Left alone they end the process, and the run with it.
 *
 * @module
 */
import { describe } from "./port.ts";

interface StrayEvent {
  readonly reason?: unknown;
  readonly error?: unknown;
  preventDefault(): void;
}

/** What is used of a runtime: events on the global object (Deno, browsers, Workers), or of the process (Node, Bun). */
interface Runtime {
  addEventListener?(type: string, listener: (event: StrayEvent) => void): void;
  removeEventListener?(
    type: string,
    listener: (event: StrayEvent) => void,
  ): void;
  process?: {
    on?(type: string, listener: (error: unknown) => void): void;
    off?(type: string, listener: (error: unknown) => void): void;
  };
  /** A turn in microseconds, where a timer takes a millisecond. */
  setImmediate?(callback: () => void): unknown;
}

/** Catches stray errors from its making until `end`. */
export class Stray {
  readonly #runtime: Runtime = globalThis as unknown as Runtime;
  readonly #caught: unknown[] = [];

  readonly #onEvent = (event: StrayEvent): void => {
    event.preventDefault();
    this.#caught.push("reason" in event ? event.reason : event.error);
  };
  readonly #onError = (error: unknown): void => void this.#caught.push(error);

  constructor() {
    const { process } = this.#runtime;
    if (typeof this.#runtime.addEventListener === "function") {
      this.#runtime.addEventListener("unhandledrejection", this.#onEvent);
      this.#runtime.addEventListener("error", this.#onEvent);
    } else {
      process?.on?.("unhandledRejection", this.#onError);
      process?.on?.("uncaughtException", this.#onError);
    }
  }

  /** What was caught since the last call, in words; waits a turn, since a rejection is only stray after it. */
  async take(): Promise<string | undefined> {
    const { setImmediate = setTimeout } = this.#runtime;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    const caught = this.#caught.splice(0);
    if (caught.length === 0) return undefined;
    const [first] = caught;
    const more = caught.length > 1 ? ` and ${caught.length - 1} more` : "";
    return `outside of every call, it threw ${describe(first)}${more}`;
  }

  /** Lets go of the runtime. */
  end(): void {
    const { process } = this.#runtime;
    if (typeof this.#runtime.removeEventListener === "function") {
      this.#runtime.removeEventListener("unhandledrejection", this.#onEvent);
      this.#runtime.removeEventListener("error", this.#onEvent);
    } else {
      process?.off?.("unhandledRejection", this.#onError);
      process?.off?.("uncaughtException", this.#onError);
    }
  }
}
