/**
 * Short requests of one browser and one account, and how each of them was answered.
 *
 * @module
 */
import { hashId, hashOwner } from "../../core/keys.ts";
import { createSession, type Session } from "../../core/session.ts";
import type { Engine, SessionStorage } from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { memoryEngine, movingMemoryEngine } from "../engines/_memory.ts";
import { FakeEngine } from "./_fake_engine.ts";
import { letter, type Schedule } from "./_schedule.ts";

/** How a request was answered: its change is saved, it is dropped, or an error. `unchanged`: there was nothing to save. */
export type Outcome = "acknowledged" | "dropped" | "failed" | "unchanged";

/** What a request does to the session's id: keeps it, replaces it, begins a session anew, or ends the session. */
export type Effect = "keeps" | "moves" | "restarts" | "ends";

/** One request with a session, and how it was answered. Times are places in one order of all events. */
export interface Visit {
  readonly name: string;
  readonly effect: Effect;
  /** The id in its cookie. */
  readonly sent: string | undefined;
  readonly began: number;
  /** Whether its cookie led to a session. */
  readonly had: boolean;
  /** When it had read the session. */
  readonly readAt: number;
  /** When its save began. */
  readonly savedAt: number;
  readonly ended: number;
  readonly outcome: Outcome;
  /** How many of its saves failed. */
  readonly failures: number;
  /** The ids that its session had. */
  readonly ids: readonly string[];
  /** The id in its answer. */
  readonly cookie: string | undefined;
  /** What it set; `undefined` for a key that it unset. */
  readonly wrote: ReadonlyMap<string, unknown>;
  readonly flashed: string | undefined;
  /** The flash that it read. */
  readonly took: string | undefined;
}

/** One request that lists or ends the account's sessions. */
export interface OwnerVisit {
  readonly name: string;
  /** When it began, and when it had read the session that it spares. */
  readonly began: number;
  readonly readAt: number;
  readonly ended: number;
  readonly outcome: "acknowledged" | "failed";
  /** The cookie of the session that it spares. */
  readonly spared: string | undefined;
  /** The keys that it listed; absent if it ended them. */
  readonly listed?: readonly string[];
}

/** A request. */
export interface Program {
  readonly name: string;
  /** Whether it needs the option `owner`. */
  readonly owned?: boolean;
  /** Whether the browser must not be signed in. */
  readonly anonymous?: boolean;
  run(browser: Browser, storage: SessionStorage): Promise<void>;
}

/** The account, and another one. */
export const ANN = "ann";
export const BOB = "bob";

/** How the world begins. */
export interface Start {
  readonly owned: boolean;
  /** The browser's session. */
  readonly session: "none" | "anonymous" | "signed in";
  /** Whether all requests use one storage, as in one process. */
  readonly together?: boolean;
  /** How often a request saves again after a failure. */
  readonly retries?: number;
  /** Whether there is an idle timeout, so that each read moves the deadline. */
  readonly idle?: boolean;
  /** Whether the engine finds an owner's sessions by itself. */
  readonly indexed?: boolean;
  /** Whether the engine stores a session under a new id in one step. */
  readonly moves?: boolean;
  /** The most sessions of an account. */
  readonly maxPerOwner?: number | undefined;
}

/** The engine, the browser's cookie, and how all requests were answered. */
export class World {
  readonly engine: Engine;
  readonly visits: Visit[] = [];
  readonly ownerVisits: OwnerVisit[] = [];
  /** Errors that no request should see. */
  readonly unexpected: unknown[] = [];
  /** The browser's cookie. */
  jar: string | undefined;
  readonly start: Start;
  /** Whether a call to the engine has failed. */
  failed = false;
  /** What the keys are. */
  readonly names: Map<string, string> = new Map([
    [hashOwner(ANN), "the list"],
    [hashOwner(BOB), "Bob's list"],
  ]);
  #time = 0;
  #now = Date.UTC(2026, 0, 1);

  constructor(start: Start) {
    this.start = start;
    this.engine = start.indexed
      ? (start.moves ? movingMemoryEngine : memoryEngine)(
        1000,
        () => this.#now,
        () => {},
      )
      : new FakeEngine({ moves: start.moves ?? false });
  }

  /** The next place in the order of events. */
  tick(): number {
    return ++this.#time;
  }

  storage(engine: Engine = this.engine): SessionStorage {
    const { owned, idle, maxPerOwner } = this.start;
    return createSessionStorage({
      engine,
      now: () => this.#now,
      ...(owned ? { owner: ({ user }) => user, maxPerOwner } : {}),
      ...(idle ? { idleTimeout: 3600, touchAfter: 0 } : {}),
    });
  }

  /** Stores the first session of the browser, and one of another browser of the account. */
  async open(): Promise<void> {
    const { session, owned } = this.start;
    if (owned) await this.#store("another browser's session", { user: ANN });
    if (session !== "none") {
      const user = session === "signed in" ? { user: ANN } : {};
      this.jar = await this.#store("the session", { a: "first", ...user });
    }
    this.#now += 1_800_000;
  }

  async #store(name: string, values: Record<string, string>): Promise<string> {
    const began = this.tick();
    const session = createSession<Record<string, string>>(values);
    session.flash("note", "saved");
    const id = await this.storage().save(session) ?? "";
    this.names.set(hashId(id), name);
    this.visits.push({
      name,
      effect: "keeps",
      sent: undefined,
      began,
      had: false,
      readAt: began,
      savedAt: began,
      ended: this.tick(),
      outcome: "acknowledged",
      failures: 0,
      ids: [id],
      cookie: id,
      wrote: new Map(Object.entries(values)),
      flashed: "saved",
      took: undefined,
    });
    return id;
  }
}

/** The browser, as one request of it. */
export class Browser {
  readonly world: World;
  /** The request's own letter, for values that no other request writes. */
  readonly letter: string;
  readonly #schedule: Schedule;
  readonly #name: string;

  constructor(world: World, schedule: Schedule, name: string, letter: string) {
    this.world = world;
    this.letter = letter;
    this.#schedule = schedule;
    this.#name = name;
  }

  /** Reads the session, changes it, and saves it. */
  async visit(
    storage: SessionStorage,
    change: (session: Session, did: Did) => Effect | void,
  ): Promise<void> {
    const { world } = this;
    await this.#schedule.turn("begins");
    const sent = world.jar;
    const began = world.tick();
    const session = await this.#attempt(() => storage.read(sent ?? null));
    if (!session) return;
    const readAt = world.tick();
    const had = sent !== undefined && session.id === sent;
    const did: Did = {
      wrote: new Map(),
      flashed: undefined,
      took: undefined,
    };
    const effect = change(session, did) ?? "keeps";
    await this.#schedule.turn("saves");
    const savedAt = world.tick();
    const ids = new Set<string>();
    let failures = 0;
    let outcome: Outcome = "failed";
    let cookie: string | undefined;
    const changed = session.dirty;
    for (let retry = 0; retry <= (world.start.retries ?? 0); retry++) {
      if (retry > 0) await this.#schedule.turn("tries again");
      ids.add(session.id);
      const value = await this.#attempt(() => storage.save(session));
      ids.add(session.id);
      if (value === undefined) {
        failures++;
        continue;
      }
      if (value === null && !changed) outcome = "unchanged";
      else if (value !== null) outcome = "acknowledged";
      // After a failure, the change may have been saved, and the session moved on.
      else if (failures === 0) outcome = "dropped";
      if (value) cookie = value;
      if (value !== null && value !== sent) world.jar = value || undefined;
      break;
    }
    const ended = world.tick();
    world.visits.push({
      ...did,
      name: `${this.letter} ${this.#name}`,
      effect,
      sent,
      began,
      had,
      readAt,
      savedAt,
      ended,
      outcome,
      failures,
      ids: [...ids],
      cookie,
    });
  }

  /** Lists the account's sessions, or ends them. */
  async ask(
    storage: SessionStorage,
    { lists = false, spares = false }: { lists?: boolean; spares?: boolean },
  ): Promise<void> {
    const { world } = this;
    await this.#schedule.turn("begins");
    const sent = world.jar;
    const began = world.tick();
    const session = spares
      ? await this.#attempt(() => storage.read(sent ?? null))
      : undefined;
    if (spares && !session) return;
    const spared = session && session.id === sent ? sent : undefined;
    const readAt = world.tick();
    let answer: unknown;
    for (let retry = 0; retry <= (world.start.retries ?? 0); retry++) {
      if (retry > 0) await this.#schedule.turn("tries again");
      answer = await this.#attempt<unknown>(() =>
        lists
          ? storage.listSessions(ANN)
          : storage.destroySessions(ANN, { except: session })
      );
      if (answer !== undefined) break;
    }
    world.ownerVisits.push({
      name: `${this.letter} ${this.#name}`,
      began,
      readAt,
      ended: world.tick(),
      outcome: answer === undefined ? "failed" : "acknowledged",
      spared,
      ...(lists && answer
        ? { listed: (answer as { id: string }[]).map(({ id }) => id) }
        : {}),
    });
  }

  async #attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      const failing = this.#schedule.steps.some(({ fault }) => fault);
      if (code !== "store-failed" || !failing) {
        this.world.unexpected.push(error);
      }
      return undefined;
    }
  }
}

/** What a request did to its session. */
interface Did {
  wrote: Map<string, unknown>;
  flashed: string | undefined;
  took: string | undefined;
}

/** A request that reads the session, changes it, and saves it. */
function visits(
  name: string,
  change: (session: Session, did: Did, own: string) => Effect | void,
): Program {
  return {
    name,
    run: (browser, storage) =>
      browser.visit(
        storage,
        (session, did) => change(session, did, browser.letter),
      ),
  };
}

function sets(key: string): Program {
  return visits(`sets ${key}`, (session, { wrote }, own) => {
    session.set(key, own);
    wrote.set(key, own);
  });
}

function unsets(key: string): Program {
  return visits(`unsets ${key}`, (session, { wrote }) => {
    session.unset(key);
    wrote.set(key, undefined);
  });
}

/** A request that lists the account's sessions, or ends them. */
function asks(
  name: string,
  what: { lists?: boolean; spares?: boolean },
): Program {
  return {
    name,
    owned: true,
    run: (browser, storage) => browser.ask(storage, what),
  };
}

function signIn(session: Session, { wrote }: Did, user: string = ANN): void {
  session.set("user", user);
  wrote.set("user", user);
}

// The requests.

export const setA: Program = sets("a");
export const setB: Program = sets("b");
export const unsetA: Program = unsets("a");
export const unsetB: Program = unsets("b");

export const flash: Program = visits("flashes", (session, did, own) => {
  session.flash("note", did.flashed = own);
});

export const flashSame: Program = visits(
  "flashes the same text",
  (session, did) => session.flash("note", did.flashed = "saved"),
);

export const readFlash: Program = visits(
  "reads the flash",
  (session, did) => {
    did.took = session.get("note");
  },
);

export const regenerate: Program = visits(
  "gains rights",
  (session, { wrote }, own) => {
    session.regenerateId();
    session.set("rights", own);
    wrote.set("rights", own);
    return "moves";
  },
);

/** Signs in, and keeps the id. */
export const become: Program = visits(
  "sets the user",
  (session, did) => signIn(session, did),
);

export const becomeBob: Program = visits(
  "sets another user",
  (session, did) => signIn(session, did, BOB),
);

export const unsetUser: Program = unsets("user");

export const login: Program = {
  ...visits("signs in with a new id", (session, did) => {
    session.regenerateId();
    signIn(session, did);
    return "moves";
  }),
  anonymous: true,
};

/** A login that begins a session anew. */
export const restart: Program = visits(
  "signs in anew",
  (session, did) => {
    session.restart();
    signIn(session, did);
    return "restarts";
  },
);

export const logout: Program = visits("signs out", (session) => {
  session.destroy();
  return "ends";
});

export const signOutEverywhere: Program = asks("signs out everywhere", {});

export const signOutOthers: Program = asks("signs out the other browsers", {
  spares: true,
});

export const list: Program = asks("lists the sessions", { lists: true });

/** All requests. */
export const programs: readonly Program[] = [
  ...[setA, setB, unsetA, unsetB, flash, flashSame, readFlash, regenerate],
  ...[become, becomeBob, unsetUser, login, restart, logout],
  ...[signOutEverywhere, signOutOthers, list],
];

/** Runs requests side by side. */
export async function play(
  schedule: Schedule,
  start: Start,
  requests: readonly Program[],
  world: World = new World(start),
): Promise<World> {
  await world.open();
  for (const [key, name] of world.names) schedule.name(key, name);
  const engine = schedule.engine(world.engine);
  const shared = world.storage(engine);
  await schedule.run(requests.map((program, at) => {
    const storage = start.together ? shared : world.storage(engine);
    const browser = new Browser(world, schedule, program.name, letter(at));
    return () => program.run(browser, storage);
  }));
  world.failed = schedule.steps.some(({ fault }) => fault);
  return world;
}
