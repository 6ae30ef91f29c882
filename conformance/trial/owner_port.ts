/**
 * What a storage knows of whose sessions are whose, as the checks ask for it.
 *
 * @module
 */
import { blame, Violation } from "./port.ts";
import type { Trial } from "./trial.ts";
import { quote, VisitorRequest } from "./visitor.ts";
import type { StorageLike } from "../types.ts";

/** A session as its owner sees it. */
export interface Listed {
  readonly id: string;
  readonly created: number;
  readonly lastSeen: number;
  readonly expires: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether it is the session that was given as the one that asks; one rule looks at it. */
  readonly current?: unknown;
}

/** The owners of a storage's sessions. */
export class OwnerPort {
  readonly #trial: Trial;
  readonly #storage: StorageLike;

  constructor(trial: Trial, storage: StorageLike) {
    this.#trial = trial;
    this.#storage = storage;
  }

  /** An owner's sessions; the one that asks may be given as a request or by an id. */
  async list(
    owner: string,
    current?: VisitorRequest | string,
  ): Promise<readonly Listed[]> {
    const call = this.#method("listSessions");
    const what = `list the sessions of ${quote(owner)}${
      current === undefined ? "" : ` for ${nameOf(current)}`
    }`;
    const listed = await this.#tell(
      what,
      () =>
        current === undefined
          ? call(owner)
          : call(owner, { current: given(current) }),
    );
    if (!Array.isArray(listed)) {
      throw new Violation(
        `listSessions() gave ${kindOf(listed)}; it must give a list`,
      );
    }
    listed.forEach(check);
    this.#trial.note(`${what} → ${listed.length}`);
    return listed;
  }

  /** Ends an owner's sessions, but for the one given as a request or by an id; gives how many. */
  async destroy(
    owner: string,
    except?: VisitorRequest | string,
  ): Promise<number> {
    const call = this.#method("destroySessions");
    const spared = except === undefined ? "" : ` but ${nameOf(except)}`;
    const what = `destroy the sessions of ${quote(owner)}${spared}`;
    const ended = await this.#tell(
      what,
      () =>
        except === undefined
          ? call(owner)
          : call(owner, { except: given(except) }),
    );
    if (typeof ended !== "number" || !(ended >= 0)) {
      throw new Violation(
        `destroySessions() gave ${kindOf(ended)}; it must give how many`,
      );
    }
    this.#trial.note(`${what} → ${ended}`);
    return ended;
  }

  #method<Name extends "listSessions" | "destroySessions">(
    name: Name,
  ): NonNullable<StorageLike[Name]> {
    const method = this.#storage[name];
    if (typeof method === "function") return method.bind(this.#storage);
    throw new Violation(`it claims "owners" and has no ${name}()`);
  }

  async #tell<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await blame(what, async () => await call());
    } catch (error) {
      this.#trial.note(`${what} → rejected`);
      throw error;
    }
  }
}

/** A session as the storage takes it: itself, or its id. */
function given(session: VisitorRequest | string): unknown {
  return session instanceof VisitorRequest ? session.session : session;
}

/** In the trace, which shows no id. */
function nameOf(session: VisitorRequest | string): string {
  return session instanceof VisitorRequest
    ? `that of ${session.name}`
    : "the one of an id";
}

function check(session: Partial<Listed> | null | undefined): void {
  const { id, data, created, lastSeen, expires } = session ?? {};
  const wrong = [
    ...typeof id === "string" ? [] : ["id"],
    ...Object.entries({ created, lastSeen, expires })
      .flatMap(([name, at]) => typeof at === "number" ? [] : [name]),
    ...typeof data === "object" && data !== null ? [] : ["data"],
  ];
  if (wrong.length === 0) return;
  throw new Violation(
    `listSessions() gave a session without ${wrong.join(", ")}`,
  );
}

/** Not the value itself: it may hold ids. */
function kindOf(value: unknown): string {
  return value === null || value === undefined
    ? `${value}`
    : `a value of type ${typeof value}`;
}
