/**
 * What one process does to sessions that others work on at the same time, and how it records that.
 *
 * @module
 */
import type { Port, Sent } from "../trial/port.ts";
import type { Random } from "../trial/random.ts";
import type { SessionLike } from "../types.ts";
import type { Operation } from "./history.ts";
import { idOf, KEYS, LIVES, look, MARK, sessionOf, textOf } from "./values.ts";

/** How often a request does what: shares of 1. */
export interface Mix {
  /** Only reads. */
  readonly read: number;
  /** Commits under an id that may have been replaced. */
  readonly stale: number;
  /** Writes two keys that all processes write, both the same text. */
  readonly pair: number;
  readonly flash: number;
  /** Consumes the flash, if there is one. */
  readonly take: number;
  readonly regenerate: number;
  readonly destroy: number;
}

/** One session for all processes: nothing but commits. */
export const HAMMER: Mix = {
  ...{ read: 0, stale: 0, pair: 0.2, flash: 0, take: 0 },
  ...{ regenerate: 0, destroy: 0 },
};

/** All that visitors do. */
export const VISITS: Mix = {
  ...{ read: 0.25, stale: 0.1, pair: 0.4, flash: 0.15, take: 0.3 },
  ...{ regenerate: 0.06, destroy: 0.02 },
};

/** What a process is to do. */
export interface Plan {
  /** Its name, which begins its own keys. */
  readonly name: string;
  readonly mix: Mix;
  /** The sessions. */
  readonly sessions: readonly number[];
  /** How many of them it works on at a time. */
  readonly width: number;
  /** How many commits of each session are to be acknowledged. */
  readonly commits: number;
  /** Whether commits record all that the session object held: the last writer wins. */
  readonly whole?: boolean;
  /** Whether commits record what the session object shows afterwards: it shows the record as it was written. */
  readonly views?: boolean;
  /** All keys that processes may use, if sessions cannot list theirs: those of {@linkcode keysOf}. */
  readonly keys?: readonly string[];
}

/** An id, and the cookie that presents it. */
export interface Ticket {
  readonly id: string;
  readonly cookie: string;
}

/** The ids of each session, oldest first: the cookies that a visitor was sent. */
export interface Jar {
  tickets(session: number): readonly Ticket[];
  add(session: number, ticket: Ticket): void;
}

/** An operation that has begun. */
export type Begun = Omit<Operation, "end" | "outcome" | "saw">;

/** What came of one. */
export type Ended = Pick<Operation, "end" | "outcome" | "saw"> & {
  /** Why its outcome is unknown. */
  readonly error?: string;
};

/** Where operations are recorded: before they begin, and once they have ended. */
export interface Log {
  begin(session: number, begun: Begun): (ended: Ended) => void;
}

/** What surrounds a process. */
export interface World {
  readonly port: Port;
  readonly jar: Jar;
  readonly log: Log;
  readonly random: Random;
  /** Milliseconds, of one clock for all processes. */
  readonly clock: () => number;
  /** Whether it is to end before everything is done. */
  readonly stopped: () => boolean;
  /** Whether an error says that nothing was done, because others got in between. */
  readonly isConflict: (error: unknown) => boolean;
  /** What a request does between its read and its save: others get in. */
  readonly think?: () => Promise<void>;
  /** Lets a storage that is away come back. */
  readonly rest?: () => Promise<void>;
}

/** After so many reads in a row that found nothing, a session is taken to have ended. */
const GONE = 5;
/** After so many operations in a row that failed, a session is left alone. */
const FAILED = 20;

/** How often a save is tried that others got in between. */
const ATTEMPTS = 200;

type Outcome = Operation["outcome"];
type Changes = Pick<Operation, "sets" | "takes" | "whole" | "next">;

/** Works until each session has its commits, or has ended. */
export async function work(plan: Plan, world: World): Promise<void> {
  const worker = new Worker(plan, world);
  const left = plan.sessions.map((session) => ({
    ...{ session, commits: plan.commits, gone: 0, failed: 0 },
  }));
  while (left.length > 0 && !world.stopped() && worker.alive) {
    const at = world.random.int(Math.min(plan.width, left.length));
    const visit = left[at];
    if (!visit) break;
    const done = await worker.request(visit.session);
    if (done === "ok" || done === "answered") visit.commits--;
    visit.gone = done === "gone" ? visit.gone + 1 : 0;
    visit.failed = done === "unknown" || done === "conflict"
      ? visit.failed + 1
      : 0;
    if (done === "unknown") await world.rest?.();
    const { commits, gone, failed } = visit;
    const given = world.rest ? false : failed === FAILED;
    if (commits === 0 || gone === GONE || given) left.splice(at, 1);
  }
}

class Worker {
  readonly #plan: Plan;
  readonly #world: World;
  #name: string;
  #lives = 1;
  #marks = 0;

  constructor(plan: Plan, world: World) {
    this.#plan = plan;
    this.#world = world;
    this.#name = plan.name;
  }

  /** Whether it has a name left. */
  get alive(): boolean {
    return this.#plan.keys === undefined || this.#lives <= LIVES;
  }

  /** One request: a read, and often a commit. Returns what came of it. */
  async request(session: number): Promise<Outcome | "read"> {
    const { jar, random } = this.#world;
    const tickets = jar.tickets(session);
    const stale = this.#chance("stale");
    const ticket = stale ? random.pick(tickets) : tickets.at(-1);
    if (ticket === undefined) {
      throw new Error("Cannot visit: there is no such session");
    }
    const found = await this.#read(session, ticket);
    if (typeof found === "string") return stale ? "read" : found;
    // A session of another visitor is recorded, and left alone.
    if (sessionOf(`${found.get(MARK)}`) !== session) return "gone";
    const isRead = this.#chance("read");
    await this.#world.think?.();
    if (isRead) return "read";
    if (this.#chance("destroy")) {
      return await this.#destroy(session, ticket.id, found);
    }
    const changes = this.#change(session, found);
    let outcome: Outcome = "conflict";
    for (let i = 0; outcome === "conflict" && i < ATTEMPTS; i++) {
      outcome = await this.#commit(session, ticket, found, changes);
    }
    return stale ? "read" : outcome;
  }

  async #read(
    session: number,
    { id, cookie }: Ticket,
  ): Promise<SessionLike | Outcome> {
    let found: SessionLike | undefined;
    const outcome = await this.#note(
      session,
      { kind: "read", id },
      async () => {
        const read = await this.#world.port.read(cookie);
        const end = this.#world.clock();
        const saw = look(read, this.#plan.keys);
        if (Object.keys(saw).length === 0) return { end, outcome: "gone" };
        found = read;
        return { end, outcome: "ok", saw };
      },
    );
    return found ?? outcome;
  }

  #destroy(
    session: number,
    id: string,
    found: SessionLike,
  ): Promise<Outcome> {
    return this.#note(session, { kind: "destroy", id }, async () => {
      await this.#world.port.destroy(found);
      return { end: this.#world.clock(), outcome: "ok" };
    });
  }

  #commit(
    session: number,
    { id, cookie }: Ticket,
    found: SessionLike,
    changes: Changes,
  ): Promise<Outcome> {
    const { port, clock, jar } = this.#world;
    const known = changes.next ?? idOf(found);
    return this.#note(session, { kind: "commit", id, ...changes }, async () => {
      const sent = await port.save(found);
      const end = clock();
      // A session that has ended may be given a new id, for a session that no process here knows.
      const outcome = idOf(found) === known
        ? outcomeOf(sent, changes.next !== undefined, port.http)
        : "gone";
      if (outcome === "gone") return { end, outcome };
      if (sent.kind === "cookie" && sent.cookie !== cookie) {
        jar.add(session, { id: changes.next ?? id, cookie: sent.cookie });
      }
      const saw = this.#plan.views && outcome === "ok"
        ? look(found, this.#plan.keys)
        : undefined;
      return { end, outcome, ...saw ? { saw } : {} };
    });
  }

  /** Records an operation before it begins, and when it has ended. */
  async #note(
    session: number,
    what: Pick<Operation, "kind" | "id"> & Changes,
    act: () => Promise<Ended>,
  ): Promise<Outcome> {
    const { log, clock, isConflict } = this.#world;
    const start = clock();
    const over = log.begin(session, { process: this.#name, start, ...what });
    const ended = await act().catch((error): Ended =>
      isConflict(error)
        ? { end: clock(), outcome: "conflict" }
        : { end: Infinity, outcome: "unknown", error: wordsOf(error) }
    );
    over(ended);
    // No process may write to the keys that this operation may yet write to.
    if (ended.outcome === "unknown" && what.kind === "commit") {
      this.#name = `${this.#plan.name}~${++this.#lives}`;
    }
    return ended.outcome;
  }

  /** Changes a session as the mix says: always one key of the process, so that each commit differs from all others. */
  #change(session: number, found: SessionLike): Changes {
    const { random } = this.#world;
    const mark = textOf(session, this.#name, ++this.#marks);
    const sets: Record<string, string | null> = { [this.#name]: mark };
    const own = `${this.#name}.${random.int(KEYS)}`;
    sets[own] = found.has(own) && random.next() < 0.4 ? null : mark;
    if (this.#chance("pair")) sets["a"] = sets["b"] = mark;
    for (const [key, text] of Object.entries(sets)) {
      if (text === null) found.unset(key);
      else found.set(key, text);
    }
    const takes: Record<string, string> = {};
    if (this.#chance("take")) {
      const text = found.get("flash");
      if (typeof text === "string") takes["flash"] = text;
    }
    if (this.#chance("flash")) {
      found.flash("flash", mark);
      sets["flash"] = mark;
    }
    const whole = this.#plan.whole ? look(found, this.#plan.keys) : undefined;
    const changes = { sets, takes, ...whole ? { whole } : {} };
    if (!this.#chance("regenerate")) return changes;
    found.regenerateId?.();
    const next = idOf(found);
    return next === undefined ? changes : { ...changes, next };
  }

  #chance(what: keyof Mix): boolean {
    return this.#world.random.next() < this.#plan.mix[what];
  }
}

/** What a save was answered with. */
function outcomeOf(sent: Sent, renamed: boolean, http: boolean): Outcome {
  if (renamed) return sent.kind === "cookie" ? "ok" : "gone";
  if (sent.kind === "clear") return "gone";
  // A header says nothing about a session that keeps its id; a value is sent for each that was saved.
  if (http) return "answered";
  return sent.kind === "nothing" ? "gone" : "ok";
}

/** The first line of an error. */
export function wordsOf(error: unknown): string {
  const text = error instanceof Error
    ? `${error.name}: ${error.message}`
    : `it threw a value of type ${typeof error}`;
  return text.split("\n", 1)[0] ?? text;
}
