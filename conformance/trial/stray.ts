/**
 * Errors that a storage throws outside of a call: in a timer, or in a promise that it does not await.
 *
 * Without this, they would end the process and the run.
 *
 * @module
 */
import { describe } from "./port.ts";

interface StrayEvent {
  readonly reason?: unknown;
  readonly error?: unknown;
  preventDefault(): void;
}

/** The used part of a runtime: events on the global object (Deno, browsers, Workers), or of the process (Node, Bun). */
interface Runtime {
  addEventListener?(type: string, listener: (event: StrayEvent) => void): void;
  removeEventListener?(
    type: string,
    listener: (event: StrayEvent) => void,
  ): void;
  process?: {
    on?(type: string, listener: (error: unknown) => void): void;
    off?(type: string, listener: (error: unknown) => void): void;
    versions?: { readonly bun?: string };
  };
  /** Takes microseconds; a timer takes a millisecond. */
  setImmediate?(callback: () => void): unknown;
}

/** Whether errors are events on the global object. Bun has its methods, and never calls a listener. */
function hasEvents({ addEventListener, process }: Runtime): boolean {
  return typeof addEventListener === "function" && !process?.versions?.bun;
}

/** Catches stray errors until `end`. */
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
    if (hasEvents(this.#runtime)) {
      this.#runtime.addEventListener?.("unhandledrejection", this.#onEvent);
      this.#runtime.addEventListener?.("error", this.#onEvent);
    } else {
      process?.on?.("unhandledRejection", this.#onError);
      process?.on?.("uncaughtException", this.#onError);
    }
  }

  /** What was caught since the last call, as text. Waits a turn, since a rejection is only reported after it. */
  async take(): Promise<string | undefined> {
    const { setImmediate = setTimeout } = this.#runtime;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    const caught = this.#caught.splice(0);
    if (caught.length === 0) return undefined;
    const [first] = caught;
    const more = caught.length > 1 ? ` and ${caught.length - 1} more` : "";
    return `an error was thrown outside of every call: ${
      describe(first)
    }${more}`;
  }

  /** Removes the listeners. */
  end(): void {
    const { process } = this.#runtime;
    if (hasEvents(this.#runtime)) {
      this.#runtime.removeEventListener?.("unhandledrejection", this.#onEvent);
      this.#runtime.removeEventListener?.("error", this.#onEvent);
    } else {
      process?.off?.("unhandledRejection", this.#onError);
      process?.off?.("uncaughtException", this.#onError);
    }
  }
}
