/**
 * The sessions of an owner, as the checks use them.
 *
 * @module
 */
import { blame, kindOf, Violation } from "./port.ts";
import { quote, type Trace } from "./trace.ts";
import type { SessionLike, StorageLike } from "../types.ts";

/** A session as its owner sees it. */
export interface Listed {
  readonly id: string;
  readonly created: number;
  readonly lastSeen: number;
  readonly expires: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether it is the session given as `current`; only one rule reads it. */
  readonly current?: unknown;
}

/** A session, given by the request that read it, or by its id. */
export type Given =
  | { readonly name: string; readonly session: SessionLike }
  | string;

/** The owners of a storage's sessions. */
export class OwnerPort {
  readonly #storage: StorageLike;
  readonly #trace: Trace;

  constructor(storage: StorageLike, trace: Trace) {
    this.#storage = storage;
    this.#trace = trace;
  }

  /** An owner's sessions; `current` is marked. */
  async list(
    owner: string,
    current?: Given,
  ): Promise<readonly Listed[]> {
    const call = this.#method("listSessions");
    const what = `list the sessions of ${quote(owner)}${
      current === undefined ? "" : ` for ${nameOf(current)}`
    }`;
    const listed = await this.#call(
      what,
      () =>
        current === undefined
          ? call(owner)
          : call(owner, { current: given(current) }),
    );
    if (!Array.isArray(listed)) {
      throw new Violation(
        `listSessions() returned ${kindOf(listed)}; it must return a list`,
      );
    }
    listed.forEach(check);
    this.#trace.note(`${what} → ${listed.length}`);
    return listed;
  }

  /** Ends an owner's sessions except one. Returns how many. */
  async destroy(
    owner: string,
    except?: Given,
  ): Promise<number> {
    const kept = except === undefined ? "" : ` except ${nameOf(except)}`;
    return await this.#destroy(
      `destroy the sessions of ${quote(owner)}${kept}`,
      (call) =>
        except === undefined
          ? call(owner)
          : call(owner, { except: given(except) }),
    );
  }

  /** Ends one of an owner's sessions. Returns how many. */
  async destroyOnly(owner: string, only: Given): Promise<number> {
    return await this.#destroy(
      `destroy only ${nameOf(only)} of the sessions of ${quote(owner)}`,
      (call) => call(owner, { only: given(only) }),
    );
  }

  async #destroy(
    what: string,
    end: (
      call: NonNullable<StorageLike["destroySessions"]>,
    ) => Promise<number>,
  ): Promise<number> {
    const call = this.#method("destroySessions");
    const ended = await this.#call(what, () => end(call));
    if (typeof ended !== "number" || !(ended >= 0)) {
      throw new Violation(
        `destroySessions() returned ${
          kindOf(ended)
        }; it must return the number of sessions`,
      );
    }
    this.#trace.note(`${what} → ${ended}`);
    return ended;
  }

  #method<Name extends "listSessions" | "destroySessions">(
    name: Name,
  ): NonNullable<StorageLike[Name]> {
    const method = this.#storage[name];
    if (typeof method === "function") return method.bind(this.#storage);
    throw new Violation(`it claims "owners", but does not have ${name}()`);
  }

  async #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await blame(what, async () => await call());
    } catch (error) {
      this.#trace.note(`${what} → rejected`);
      throw error;
    }
  }
}

/** The argument for the storage: the session, or its id. */
function given(session: Given): unknown {
  return typeof session === "string" ? session : session.session;
}

/** The name in the trace, which does not show ids. */
function nameOf(session: Given): string {
  return typeof session === "string"
    ? "the one with an id"
    : `that of ${session.name}`;
}

function check(session: Partial<Listed> | null | undefined): void {
  const { id, data, created, lastSeen, expires } = session ?? {};
  const members: [string, unknown, wanted: string][] = [
    ["id", id, "string"],
    ["created", created, "number"],
    ["lastSeen", lastSeen, "number"],
    ["expires", expires, "number"],
    ["data", data, "object"],
  ];
  for (const [name, member, wanted] of members) {
    if (typeof member === wanted && member !== null) continue;
    throw new Violation(
      `listSessions() returned a session whose ${name} is ${
        kindOf(member)
      }; it must be ${wanted === "object" ? "an" : "a"} ${wanted}`,
    );
  }
}
