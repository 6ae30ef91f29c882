/**
 * What one process does to sessions that others work on at the same time, and how it notes that down.
 */
import { SessionError, type SessionStorage } from "@satchel/session";
import { Random } from "../../conformance/trial/random.ts";
import { type Operation, type Snapshot, SOMETHING } from "./_history.ts";

/** How often a request does what: shares of 1. */
export interface Mix {
  /** Only reads. */
  readonly read: number;
  /** Commits under an id that may have been regenerated away. */
  readonly stale: number;
  /** Writes two keys that everybody writes, both the same text. */
  readonly pair: number;
  readonly flash: number;
  /** Consumes the flash, if there is one. */
  readonly take: number;
  readonly regenerate: number;
  readonly destroy: number;
}

/** One session for everybody: nothing but commits. */
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
  readonly seed: number;
  readonly mix: Mix;
  /** How many sessions there are. */
  readonly sessions: number;
  /** How many of them it works on at a time. */
  readonly width: number;
  /** How many commits of each session are to be acknowledged. */
  readonly commits: number;
}

/** The ids of each session, oldest first: what a visitor's cookies would say. */
export interface Jar {
  ids(session: number): readonly string[];
  add(session: number, id: string): void;
}

/** An operation before it is over. */
export type Begun = Omit<Operation, "end" | "outcome" | "saw">;

/** What came of one. */
export type Ended = Pick<Operation, "end" | "outcome" | "saw">;

/** Where operations are noted down: before they begin, and once they are over. */
export interface Log {
  begin(session: number, begun: Begun): (ended: Ended) => void;
}

/** What surrounds a process. */
export interface World {
  readonly storage: SessionStorage;
  readonly jar: Jar;
  readonly log: Log;
  /** Milliseconds, of one clock for all processes. */
  readonly clock: () => number;
  /** Whether it is to end before everything is done. */
  readonly stopped: () => boolean;
}

/** After so many reads in a row that found nothing, a session is taken to be over. */
const GONE = 5;
/** How many keys of its own a process has, beside its mark. */
const KEYS = 4;

type Outcome = Operation["outcome"];
type Changes = Pick<Operation, "sets" | "takes" | "next">;
type Session = Awaited<ReturnType<SessionStorage["read"]>>;

/** Works until each session has its commits, or is over. */
export async function work(plan: Plan, world: World): Promise<void> {
  const random = new Random(plan.seed);
  const worker = new Worker(plan, world, random);
  const left = Array.from({ length: plan.sessions }, (_, session) => ({
    session,
    commits: plan.commits,
    gone: 0,
  }));
  while (left.length > 0 && !world.stopped()) {
    const at = random.int(Math.min(plan.width, left.length));
    const visit = left[at];
    if (!visit) break;
    const done = await worker.request(visit.session);
    if (done === "ok") visit.commits--;
    visit.gone = done === "gone" ? visit.gone + 1 : 0;
    // An engine that is away is given time to come back.
    if (done === "unknown") await new Promise((go) => setTimeout(go, 20));
    if (visit.commits === 0 || visit.gone === GONE) left.splice(at, 1);
  }
}

class Worker {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #random: Random;
  #name: string;
  #lives = 1;
  #marks = 0;

  constructor(plan: Plan, world: World, random: Random) {
    this.#plan = plan;
    this.#world = world;
    this.#random = random;
    this.#name = plan.name;
  }

  /** One request: a read, and often a commit. Gives what came of it. */
  async request(session: number): Promise<Outcome | "read"> {
    const { jar } = this.#world;
    const ids = jar.ids(session);
    const stale = this.#chance("stale");
    const id = stale ? this.#random.pick(ids) : ids.at(-1);
    if (id === undefined) throw new Error("Cannot visit: no such session");
    const found = await this.#read(session, id);
    if (typeof found === "string") return stale ? "read" : found;
    if (this.#chance("read")) return "read";
    if (this.#chance("destroy")) return await this.#destroy(session, id, found);
    const changes = this.#change(found);
    while (true) {
      const outcome = await this.#commit(session, id, found, changes);
      if (outcome !== "conflict") return stale ? "read" : outcome;
    }
  }

  async #read(session: number, id: string): Promise<Session | Outcome> {
    let found: Session | undefined;
    const outcome = await this.#note(
      session,
      { kind: "read", id },
      async () => {
        const read = await this.#world.storage.read(id);
        const end = this.#world.clock();
        if (read.id !== id) return { end, outcome: "gone" };
        found = read;
        return { end, outcome: "ok", saw: look(read) };
      },
    );
    return found ?? outcome;
  }

  #destroy(session: number, id: string, found: Session): Promise<Outcome> {
    found.destroy();
    return this.#note(session, { kind: "destroy", id }, async () => {
      await this.#world.storage.save(found);
      return { end: this.#world.clock(), outcome: "ok" };
    });
  }

  #commit(
    session: number,
    id: string,
    found: Session,
    changes: Changes,
  ): Promise<Outcome> {
    const { storage, clock, jar } = this.#world;
    const begun = { kind: "commit", id, ...changes } as const;
    return this.#note(session, begun, async () => {
      const value = await storage.save(found);
      const end = clock();
      if (value === null) return { end, outcome: "gone" };
      if (value !== id) jar.add(session, value);
      return { end, outcome: "ok", saw: look(found) };
    });
  }

  /** Makes a note of an operation before it begins, and one when it is over. */
  async #note(
    session: number,
    what: Pick<Operation, "kind" | "id"> & Changes,
    act: () => Promise<Ended>,
  ): Promise<Outcome> {
    const { log, clock } = this.#world;
    const start = clock();
    const over = log.begin(session, { process: this.#name, start, ...what });
    const ended = await act().catch((error) => endOf(error, clock()));
    over(ended);
    // The keys that it may yet write to must be nobody's any more.
    if (ended.outcome === "unknown" && what.kind === "commit") {
      this.#name = `${this.#plan.name}~${++this.#lives}`;
    }
    return ended.outcome;
  }

  /** Changes a session as the mix says: always the process's mark, so that each commit can be told from all others. */
  #change(session: Session): Changes {
    const random = this.#random;
    const mark = `${this.#name}:${++this.#marks}`;
    const sets: Record<string, string | null> = { [this.#name]: mark };
    const own = `${this.#name}.${random.int(KEYS)}`;
    sets[own] = session.has(own) && random.next() < 0.4 ? null : mark;
    if (this.#chance("pair")) sets["a"] = sets["b"] = mark;
    for (const [key, text] of Object.entries(sets)) {
      if (text === null) session.unset(key);
      else session.set(key, text);
    }
    const takes: Record<string, string> = {};
    if (this.#chance("take")) {
      const text = session.get("flash");
      if (typeof text === "string") takes["flash"] = text;
    }
    if (this.#chance("flash")) {
      session.flash("flash", mark);
      sets["flash"] = mark;
    }
    if (!this.#chance("regenerate")) return { sets, takes };
    session.regenerateId();
    return { sets, takes, next: session.id };
  }

  #chance(what: keyof Mix): boolean {
    return this.#random.next() < this.#plan.mix[what];
  }
}

/** What an error of a storage says; any other is a mistake of this program or of the library. */
function endOf(error: unknown, end: number): Ended {
  const code = error instanceof SessionError ? error.code : undefined;
  if (code === "conflict") return { end, outcome: "conflict" };
  if (code === "store-failed") return { end: Infinity, outcome: "unknown" };
  throw error;
}

/** All that a session holds, its flash unread. */
export function look(session: Session): Snapshot {
  return session.has("flash")
    ? { ...session.data, flash: SOMETHING }
    : { ...session.data };
}
