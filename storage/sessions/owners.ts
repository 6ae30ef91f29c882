/**
 * Lists the sessions of each owner. A list holds the keys of the sessions, and is kept in the same engine.
 *
 * A session is listed before it is stored, and its list is written again afterwards. So a list can name a session that
 * does not exist, which is harmless, but each session that exists is listed. A request that unlists a session looks for
 * it between reading and writing the list. Either it finds the session, or the save finds that the list has changed,
 * and removes the session again.
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

/** How many sessions are read in parallel. */
const AT_ONCE = 10;

interface Found {
  readonly record: SessionRecord;
  readonly version: unknown;
  readonly expires: number;
}

/** What a save means for the owners' lists. */
export interface OwnedSave {
  readonly id: string;
  /** The id that `id` replaces. */
  readonly oldId: string | undefined;
  /** The stored session's owner. */
  readonly oldOwner: string | undefined;
  /** The owner after the save. */
  readonly owner: string | undefined;
}

/**
 * Checks that a storage supports `owner`.
 *
 * @throws {TypeError} If it does not.
 */
export function checkOwnable(guarantees: StorageGuarantees): void {
  const { compareAndSet, reads, evicts } = guarantees;
  if (compareAndSet && reads === "strong" && evicts !== "any") return;
  throw new TypeError(
    "Cannot create storage: owner requires an engine with compareAndSet and strong reads that does not evict live records; leave owner out, or use another storage",
  );
}

/**
 * The owners of the sessions; `undefined` without the option `owner`.
 *
 * @throws {TypeError} If the records do not support `owner`.
 */
export function ownersOf(
  { guarantees, engine, policy }: Records,
): Owners | undefined {
  if (!policy.owner) return undefined;
  checkOwnable(guarantees);
  return engine && new Owners(engine, policy);
}

/** Keeps the owners' lists of one engine. */
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
   * The key of the owner's list; `undefined` if the session does not have an owner.
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

  /** Lists a session before it is stored. Returns the list if it was written. */
  async beginSave(
    save: OwnedSave,
    expires: number,
  ): Promise<OwnerList | undefined> {
    const { id, oldId, oldOwner, owner } = save;
    if (owner === undefined || !this.#mustList(save)) return undefined;
    const oldKey = oldId !== undefined && oldOwner === owner
      ? hashId(oldId)
      : undefined;
    return await this.#retry("save session", async () => {
      const now = this.#policy.instant();
      const list = await this.#lists.read(owner, { anew: true });
      const listed = new Map(list.listed);
      listed.delete(hashId(id));
      await this.#makeRoom(owner, listed, oldKey, now);
      listed.set(hashId(id), Math.floor(expires));
      return await this.#lists.write(owner, list, listed);
    });
  }

  /**
   * Confirms that a session is still listed after it was stored, and unlists what it replaces.
   *
   * @param list The list that {@linkcode Owners.beginSave} returned.
   * @returns `false` if the owner's sessions were revoked in the meantime.
   */
  async finishSave(
    save: OwnedSave,
    list: OwnerList | undefined,
    keepOld: boolean,
  ): Promise<boolean> {
    const { id, oldId, oldOwner, owner } = save;
    const left = keepOld && oldId !== undefined ? [] : [oldId ?? id];
    if (owner !== undefined && list) {
      const also = oldOwner === owner && oldId !== undefined ? left : [];
      if (!await this.#confirm(owner, list, id, also)) return false;
    }
    if (oldOwner !== undefined && oldOwner !== owner) {
      await this.unlist(oldOwner, left);
    }
    return true;
  }

  /** Unlists sessions that no longer exist or have another owner. A failure is ignored: the list is then too long. */
  async unlist(owner: string, ids: readonly string[]): Promise<void> {
    try {
      await this.#retry("save session", async () => {
        const list = await this.#lists.read(owner, { anew: true });
        const listed = new Map(list.listed);
        for (const key of ids.map(hashId)) {
          // If another request lists the session again, the list changes, and the write below fails.
          if (listed.has(key) && !await this.#find(owner, key)) {
            listed.delete(key);
          }
        }
        return listed.size === list.listed.size ||
          await this.#lists.write(owner, list, listed);
      });
    } catch {
      // It was reported, and the request need not fail.
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
    const list = await this.#lists.read(owner);
    // Among sessions used at the same instant, the last one listed comes first.
    const keys = [...list.listed.keys()].reverse();
    const sessions = await inBatches(keys, async (id) => {
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
    let count = 0;
    await this.#retry("destroy sessions", async () => {
      const list = await this.#lists.read(owner);
      const listed = new Map(list.listed);
      await inBatches(list.listed.keys(), async (key) => {
        if (spared.has(key)) return;
        listed.delete(key);
        if (!await this.#revoke(owner, key)) return;
        this.#policy.report("destroyed");
        count++;
      });
      // If the list has changed, repeat: it may name the new id of a session that was revoked too late.
      return listed.size === list.listed.size ||
        await this.#lists.write(owner, list, listed);
    });
    return count;
  }

  #mustList({ oldId, oldOwner, owner }: OwnedSave): boolean {
    // If the engine evicts the oldest record, a list that each save rewrites outlasts its sessions.
    return oldOwner !== owner || oldId !== undefined ||
      this.#engine.guarantees.evicts === "oldest";
  }

  async #confirm(
    owner: string,
    list: OwnerList,
    id: string,
    left: readonly string[],
  ): Promise<boolean> {
    let newest = list;
    return await this.#retry("save session", async () => {
      if (!newest.listed.has(hashId(id))) return "unlisted";
      const listed = new Map(newest.listed);
      for (const id of left) listed.delete(hashId(id));
      if (await this.#lists.write(owner, newest, listed)) return "confirmed";
      newest = await this.#lists.read(owner, { anew: true });
      return undefined;
    }) === "confirmed";
  }

  /** Revokes a session; `false` if it had already expired, or has another owner. */
  async #revoke(owner: string, key: string): Promise<boolean> {
    let revoked = false;
    await this.#retry("destroy sessions", async () => {
      const found = await this.#find(owner, key);
      if (!found) return true;
      const { version: ifVersion, expires } = found;
      const deleted = await this.#policy.call(
        "destroy session",
        () => this.#engine.delete(key, { ifVersion }),
      );
      revoked = deleted && isAhead(expires, this.#policy.now());
      return deleted;
    });
    return revoked;
  }

  /** A stored session, if it is the owner's. */
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
   * Unlists expired sessions, and revokes those that expire first until there is room for one more.
   *
   * @param oldKey The session that is about to be replaced, which does not count.
   */
  async #makeRoom(
    owner: string,
    listed: Listed,
    oldKey: string | undefined,
    now: number,
  ): Promise<void> {
    // Only those whose listed deadline has passed: others may be about to be stored.
    const due = [...listed].filter(([, ends]) => !isAhead(ends, now));
    await inBatches(due, async ([key]) => {
      const found = await this.#find(owner, key);
      if (found && isAhead(found.expires, now)) listed.set(key, found.expires);
      else listed.delete(key);
    });
    const others = new Map(listed);
    if (oldKey !== undefined) others.delete(oldKey);
    while (others.size >= this.#lists.max) {
      const [key, ends] = [...others].reduce((a, b) => a[1] <= b[1] ? a : b);
      const found = await this.#find(owner, key);
      if (found && Math.floor(found.expires) > ends) {
        // It was used since it was listed.
        others.set(key, Math.floor(found.expires));
        listed.set(key, Math.floor(found.expires));
        continue;
      }
      if (await this.#revoke(owner, key)) this.#policy.report("evicted");
      others.delete(key);
      listed.delete(key);
    }
  }

  /** Repeats an attempt that another request has overtaken. */
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

/** The keys that a session can be listed under: of its id, of its old ids, or the given key. */
function keysOf(session: unknown): Set<string> {
  if (session === undefined) return new Set();
  if (typeof session === "string") return new Set([session, hashId(session)]);
  const state = stateOf(session);
  if (state) return new Set([state.id, ...state.knownIds].map(hashId));
  throw new TypeError(
    "Cannot find an owner's sessions: current and except must be a session of this library, or an id",
  );
}

/** Visits all items, several in parallel. Returns the results in order. */
async function inBatches<T, R>(
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
