/**
 * Whose sessions are whose: for each owner a list of the keys of their sessions, kept in the engine that keeps these.
 *
 * A session is listed before it is stored, and its list is written again after that. So a list may name what is not
 * there, which does no harm, but what is there is named. Who strikes out a session looks for it in between reading and
 * writing the list: either they find it, or the second writing finds it struck out, and the save takes it back.
 *
 * @module
 */
import { hashId, hashOwner } from "../../core/keys.ts";
import { isAhead } from "../../core/lifetime.ts";
import {
  decodeRecord,
  decodeTexts,
  type Entries,
  type SessionRecord,
} from "../../core/record.ts";
import { stateOf } from "../../core/session.ts";
import { withoutMark } from "./engine_records.ts";
import { type Listed, type OwnerList, OwnerLists } from "./owner_lists.ts";
import type { Policy } from "./policy.ts";
import type { Records } from "./records.ts";
import type {
  DestroySessionsOptions,
  Engine,
  ListSessionsOptions,
  OwnedSession,
  StorageGuarantees,
} from "../contract.ts";

/** How many sessions are looked at side by side. */
const AT_ONCE = 10;

interface Found {
  readonly record: SessionRecord;
  readonly version: unknown;
  readonly expires: number;
}

/** A save, as far as it matters whose the session is. */
export interface Passage {
  readonly id: string;
  /** The id that it takes the place of. */
  readonly replaced: string | undefined;
  /** Whose the stored session is. */
  readonly from: string | undefined;
  /** Whose it is about to be. */
  readonly to: string | undefined;
}

/**
 * Refuses `owner` where its promise could not be kept.
 *
 * @throws {TypeError} If it could not.
 */
export function checkOwnable(guarantees: StorageGuarantees): void {
  const { compareAndSet, reads, evicts } = guarantees;
  if (compareAndSet && reads === "strong" && evicts !== "any") return;
  throw new TypeError(
    "Cannot create storage: owner requires an engine with compareAndSet and strong reads that does not evict live records; leave owner out, or use another storage",
  );
}

/**
 * The owners of a store's sessions; `undefined` where nobody asks who they are.
 *
 * @throws {TypeError} If the store cannot keep the promise.
 */
export function ownersOf(
  { guarantees, engine, policy }: Records,
): Owners | undefined {
  if (!policy.owner) return undefined;
  checkOwnable(guarantees);
  return engine && new Owners(engine, policy);
}

/** The lists of one engine. */
export class Owners {
  readonly #engine: Engine;
  readonly #policy: Policy;
  readonly #lists: OwnerLists;

  constructor(engine: Engine, policy: Policy) {
    this.#engine = engine;
    this.#policy = policy;
    this.#lists = new OwnerLists(engine, policy);
  }

  /**
   * The key of the owner's list, by the session's values; `undefined` while nobody owns the session.
   *
   * @throws {TypeError} If the option `owner` returns something that is not a string.
   */
  ownerOf(entries: Entries): string | undefined {
    const name: unknown = this.#policy.owner?.(decodeTexts(entries.values));
    if (name === undefined || name === null || name === "") return undefined;
    if (typeof name !== "string") {
      throw new TypeError(
        "Cannot save session: owner must return a string, or undefined while nobody is signed in",
      );
    }
    return hashOwner(name);
  }

  /** Lists a session that is about to be stored; gives the list, where there was need for it. */
  async enter(passage: Passage, ends: number): Promise<OwnerList | undefined> {
    const { id, replaced, from, to: owner } = passage;
    if (owner === undefined || !this.#mustList(passage)) return undefined;
    const leaving = replaced !== undefined && from === owner
      ? hashId(replaced)
      : undefined;
    return await this.#retry("save session", async () => {
      const now = this.#policy.instant();
      const index = await this.#lists.read(owner, { anew: true });
      const listed = new Map(index.listed);
      listed.delete(hashId(id));
      await this.#makeRoom(owner, listed, leaving, now);
      listed.set(hashId(id), Math.floor(ends));
      return await this.#lists.write(owner, index, listed);
    });
  }

  /**
   * Makes sure of a session that was listed, and is stored now; strikes out what it has left.
   *
   * @param list As {@linkcode enter} gave it.
   * @returns `false` where its owner has signed out everywhere meanwhile.
   */
  async settle(
    passage: Passage,
    list: OwnerList | undefined,
    keepOld: boolean,
  ): Promise<boolean> {
    const { id, replaced, from, to } = passage;
    const left = keepOld && replaced !== undefined ? [] : [replaced ?? id];
    if (to !== undefined && list) {
      const also = from === to && replaced !== undefined ? left : [];
      if (!await this.#confirm(to, list, id, also)) return false;
    }
    if (from !== undefined && from !== to) await this.leave(from, left);
    return true;
  }

  /** Strikes out sessions that are over, or somebody else's by now. If it fails, a list is longer than it need be. */
  async leave(owner: string, ids: readonly string[]): Promise<void> {
    try {
      await this.#retry("save session", async () => {
        const index = await this.#lists.read(owner, { anew: true });
        const listed = new Map(index.listed);
        for (const key of ids.map(hashId)) {
          // The list was read before: who makes the session this owner's again changes it, and the write below fails.
          if (listed.has(key) && !await this.#find(owner, key)) {
            listed.delete(key);
          }
        }
        return listed.size === index.listed.size ||
          await this.#lists.write(owner, index, listed);
      });
    } catch {
      // It has been told, and is no reason to fail the request.
    }
  }

  /** See `listSessions` in the contract. */
  async list(
    name: string,
    options: ListSessionsOptions = {},
  ): Promise<OwnedSession[]> {
    const owner = hashOwner(checkName(name));
    const now = this.#policy.instant();
    const { idleTimeout = Infinity } = this.#policy.timeouts;
    const asking = keysOf(options.current);
    const index = await this.#lists.read(owner);
    // Of those used at the same instant, the one that was listed last comes first.
    const keys = [...index.listed.keys()].reverse();
    const sessions = await each(keys, async (id) => {
      const found = await this.#find(owner, id);
      if (!found || !isAhead(found.expires, now)) return [];
      const { record: { created, saved, values: data }, expires } = found;
      const lastSeen = Math.max(
        created,
        saved ?? created,
        expires - idleTimeout * 1000,
      );
      const current = asking.has(id);
      return [{ id, created, lastSeen, expires, data, current }];
    });
    return sessions.flat().sort((a, b) => b.lastSeen - a.lastSeen);
  }

  /** See `destroySessions` in the contract. */
  async destroy(
    name: string,
    { except }: DestroySessionsOptions = {},
  ): Promise<number> {
    const owner = hashOwner(checkName(name));
    const spared = keysOf(except);
    let ended = 0;
    await this.#retry("destroy sessions", async () => {
      const index = await this.#lists.read(owner);
      const listed = new Map(index.listed);
      await each(index.listed.keys(), async (key) => {
        if (spared.has(key)) return;
        listed.delete(key);
        if (!await this.#end(owner, key)) return;
        this.#policy.report("destroyed");
        ended++;
      });
      // Where this fails, a session has been listed meanwhile, perhaps as the new id of one that was ended too late.
      return listed.size === index.listed.size ||
        await this.#lists.write(owner, index, listed);
    });
    return ended;
  }

  #mustList({ replaced, from, to }: Passage): boolean {
    // Where what was written longest ago goes first, a list that is written anew each time outlasts what it names.
    return from !== to || replaced !== undefined ||
      this.#engine.guarantees.evicts === "oldest";
  }

  async #confirm(
    owner: string,
    list: OwnerList,
    id: string,
    left: readonly string[],
  ): Promise<boolean> {
    let index = list;
    return await this.#retry("save session", async () => {
      if (!index.listed.has(hashId(id))) return "struck out";
      const listed = new Map(index.listed);
      for (const id of left) listed.delete(hashId(id));
      if (await this.#lists.write(owner, index, listed)) return "confirmed";
      index = await this.#lists.read(owner, { anew: true });
      return undefined;
    }) === "confirmed";
  }

  /** Ends a session, unless it is over, or somebody else's by now. */
  async #end(owner: string, key: string): Promise<boolean> {
    let ended = false;
    await this.#retry("destroy sessions", async () => {
      const found = await this.#find(owner, key);
      if (!found) return true;
      const { version: ifVersion, expires } = found;
      const gone = await this.#policy.call(
        "destroy session",
        () => this.#engine.delete(key, { ifVersion }),
      );
      ended = gone && isAhead(expires, this.#policy.now());
      return gone;
    });
    return ended;
  }

  /** A session, if it is there and the owner's. */
  async #find(owner: string, key: string): Promise<Found | undefined> {
    const found = await this.#policy.call(
      "read session",
      () => this.#engine.read(key),
    );
    const record = found
      ? decodeRecord(key, withoutMark(found.value))
      : undefined;
    if (!found || record?.owner !== owner) return undefined;
    const { absoluteTimeout = Infinity } = this.#policy.timeouts;
    const ends = record.created + absoluteTimeout * 1000;
    const { version, expires } = found;
    return { record, version, expires: Math.min(expires, ends) };
  }

  /**
   * Strikes out what has ended, and ends what is too much.
   *
   * @param leaving What the session itself leaves, which takes no room.
   */
  async #makeRoom(
    owner: string,
    listed: Listed,
    leaving: string | undefined,
    now: number,
  ): Promise<void> {
    // Only those: a session that is listed until later may be about to be stored.
    const due = [...listed].filter(([, ends]) => !isAhead(ends, now));
    await each(due, async ([key]) => {
      const found = await this.#find(owner, key);
      if (found && isAhead(found.expires, now)) listed.set(key, found.expires);
      else listed.delete(key);
    });
    const others = new Map(listed);
    if (leaving !== undefined) others.delete(leaving);
    while (others.size >= this.#lists.max) {
      const [key, ends] = [...others].reduce((a, b) => a[1] <= b[1] ? a : b);
      const found = await this.#find(owner, key);
      if (found && Math.floor(found.expires) > ends) {
        // It has been in use since it was listed.
        others.set(key, Math.floor(found.expires));
        listed.set(key, Math.floor(found.expires));
        continue;
      }
      if (await this.#end(owner, key)) this.#policy.report("evicted");
      others.delete(key);
      listed.delete(key);
    }
  }

  /** Repeats what comes to nothing because another request got ahead. */
  async #retry<T>(
    what: string,
    attempt: () => Promise<T | false | undefined>,
  ): Promise<T> {
    for (let count = 1;; count++) {
      const result = await attempt();
      if (result) return result;
      await this.#policy.backOff(what, count);
    }
  }
}

function checkName(name: unknown): string {
  if (typeof name === "string" && name !== "") return name;
  throw new TypeError(
    "Cannot find an owner's sessions: owner must be a non-empty string",
  );
}

/** The keys of a session: under its id, the id that it is losing, or as it is listed. */
function keysOf(session: unknown): Set<string> {
  if (session === undefined) return new Set();
  if (typeof session === "string") return new Set([session, hashId(session)]);
  const state = stateOf(session);
  if (state) return new Set([state.id, ...state.knownIds].map(hashId));
  throw new TypeError(
    "Cannot find an owner's sessions: current and except must be a session of this library, or an id",
  );
}

/** Visits all items, some at once, and gives what comes of it in their order. */
async function each<T, R>(
  items: Iterable<T>,
  visit: (item: T) => Promise<R>,
): Promise<R[]> {
  const waiting = [...items];
  const results: R[] = [];
  while (waiting.length > 0) {
    results.push(...await Promise.all(waiting.splice(0, AT_ONCE).map(visit)));
  }
  return results;
}
