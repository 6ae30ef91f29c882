/**
 * An engine on Cloudflare's Durable Objects.
 *
 * @module
 */
import { delay } from "../../../core/runtime.ts";
import { newVersion } from "../record.ts";
import type { Answer, Question } from "./object.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";

/** The part of a Durable Object's stub that sessions need. */
export interface DurableObjectStubLike {
  /** Sends the object a request. */
  fetch(
    url: string,
    init: { method: "POST"; body: string },
  ): Promise<{ text(): Promise<string> }>;
}

/** The part of a `DurableObjectNamespace` that sessions need. */
export interface DurableObjectNamespaceLike {
  /** Returns the id of the object with a name. */
  // deno-lint-ignore no-explicit-any -- Cloudflare's own type, which `get` takes back
  idFromName(name: string): any;
  /** Returns the object with an id. */
  // deno-lint-ignore no-explicit-any -- as above
  get(id: any): DurableObjectStubLike;
}

/** Ten years, in milliseconds: longer than any session lives. */
const MAX_LEFT = 315_360_000_000;
/** How often an object is asked that is being replaced. */
const MAX_ATTEMPTS = 4;

/**
 * Keeps each record in a Durable Object of its own: a {@linkcode SessionObject}. There is exactly one of it in the
 * world, and it serves one request at a time.
 */
export class DurableObjectEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
    // A value of an object takes at most 2 MB, and a text takes two bytes for each character if one is beyond Latin-1.
    maxBytes: 999_000,
  };
  readonly #namespace: DurableObjectNamespaceLike;
  readonly #now: () => number;
  readonly #wait: (ms: number) => Promise<void>;

  constructor(
    namespace: DurableObjectNamespaceLike,
    now: () => number,
    wait: (ms: number) => Promise<void> = delay,
  ) {
    for (const name of ["idFromName", "get"] as const) {
      if (typeof namespace?.[name] !== "function") {
        throw new TypeError(
          `Cannot create storage: namespace must be a namespace of Durable Objects, such as env.SESSIONS, but it does not have ${name}()`,
        );
      }
    }
    this.#namespace = namespace;
    this.#now = now;
    this.#wait = wait;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const answer = await this.#ask(key, { ask: "read" });
    if (typeof answer === "boolean") throw wrongClass();
    return answer;
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    const version = newVersion();
    const left = this.#left(expires);
    const written = await this.#change(key, {
      ask: "write",
      ...{ value, version, expires, left, ifVersion },
    });
    return written ? version : null;
  }

  delete(key: string, { ifVersion }: DeleteOptions = {}): Promise<boolean> {
    return this.#change(key, { ask: "delete", ifVersion });
  }

  touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const left = this.#left(expires);
    return this.#change(key, { ask: "touch", expires, left, ifVersion });
  }

  #left(expires: number): number {
    return Math.min(MAX_LEFT, Math.max(0, expires - this.#now()));
  }

  async #change(key: string, question: Question): Promise<boolean> {
    const answer = await this.#ask(key, question);
    if (typeof answer !== "boolean") throw wrongClass();
    return answer;
  }

  /**
   * Asks an object. An object that is being replaced, as in each deploy, is asked again: no question does harm if the
   * object has answered it already. An object that is overloaded is not: it would only get more to do.
   */
  async #ask(key: string, question: Question): Promise<Answer> {
    const init = { method: "POST", body: JSON.stringify(question) } as const;
    for (let attempt = 1;; attempt++) {
      try {
        // A stub that has failed keeps failing.
        const stub = this.#namespace.get(this.#namespace.idFromName(key));
        // The host is not used.
        const response = await stub.fetch("https://session/", init);
        return parse(await response.text());
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isReplaced(error)) throw error;
        await this.#wait(2 ** attempt * 10 * (1 + Math.random()));
      }
    }
  }
}

/** Whether an error says that the object was stopped and starts again. */
function isReplaced(error: unknown): boolean {
  const { retryable, durableObjectReset, overloaded } = Object(error);
  return (retryable || durableObjectReset) === true && overloaded !== true;
}

function parse(text: string): Answer {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw wrongClass();
  }
  if (answer === null || typeof answer === "boolean") return answer;
  const { value, version, expires } = Object(answer);
  const isRecord = typeof value === "string" && typeof version === "string" &&
    typeof expires === "number";
  if (!isRecord) throw wrongClass();
  return { value, version, expires };
}

function wrongClass(): Error {
  return new TypeError(
    "the namespace's objects are not of the class SessionObject of @satchel/session: export it from the entry of the Worker, and name it as class_name of the binding",
  );
}
