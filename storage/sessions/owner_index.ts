/**
 * How the sessions of an owner are found.
 *
 * @module
 */
import { SessionError } from "../../core/errors.ts";
import { hashId } from "../../core/keys.ts";
import { isAhead } from "../../core/lifetime.ts";
import type { SessionRecord } from "../../core/record.ts";
import type { AnyEngine, OwnedRecord } from "../contract.ts";
import { problemOf } from "./engine_answers.ts";
import type { EnginePolicy } from "./engine_policy.ts";

/** How many sessions are read in parallel. */
const AT_ONCE = 10;

/** What a save means for the owners of its session. */
export interface OwnedSave {
  readonly id: string;
  /** The id that `id` replaces. */
  readonly oldId: string | undefined;
  /** The stored session's owner. */
  readonly oldOwner: string | undefined;
  /** The owner after the save. */
  readonly owner: string | undefined;
}

/** Whether a save brings its owner a session, or a new id of one. */
export function isLogin({ oldId, oldOwner, owner }: OwnedSave): boolean {
  return owner !== undefined && (oldOwner !== owner || oldId !== undefined);
}

/** A session of an owner. */
export interface Found {
  readonly record: SessionRecord;
  /** The values, as the session shows them, without CSRF tokens. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly version: unknown;
  /** When it was last used, in milliseconds. */
  readonly used: number;
  /** When it expires, in milliseconds. */
  readonly expires: number;
}

/** Finds out whether sessions are an owner's, by the option `owner` too. */
export interface Finder {
  /** Reads a session; `undefined` if it does not exist or is not the owner's. */
  find(owner: string, key: string): Promise<Found | undefined>;
  /** The session of a record; `undefined` if it is not the owner's. */
  check(owner: string, record: OwnedRecord): Promise<Found | undefined>;
}

/** Sessions with their keys. */
export type FoundByKey = readonly (readonly [key: string, found: Found])[];

/** Finds the sessions of an owner. */
export interface OwnerIndex<Listing> {
  /** Prepares for storing a session. Returns `undefined` if there is nothing to confirm. */
  begin(save: OwnedSave, expires: number): Promise<Listing | undefined>;
  /**
   * Confirms that a session was stored.
   *
   * @param replaced The keys of the owner's sessions that it replaces, which were revoked.
   * @returns The keys of the sessions that have to leave; `undefined` if the owner's sessions were revoked meanwhile.
   */
  confirm(
    listing: Listing,
    replaced: readonly string[],
  ): Promise<readonly string[] | undefined>;
  /** Removes the keys of sessions that do not exist or are somebody else's. */
  remove(owner: string, keys: readonly string[]): Promise<void>;
  /** Returns the owner's sessions, the least recently stored first. */
  found(owner: string): Promise<FoundByKey>;
  /**
   * Revokes the owner's sessions but the spared ones.
   *
   * @param revoke `found` is the session as it was a moment ago, if it is known.
   */
  removeAll(
    owner: string,
    spared: ReadonlySet<string>,
    revoke: (key: string, found?: Found) => Promise<void>,
  ): Promise<void>;
}

/** The sessions of an owner, if there can be too many. */
interface Crowd {
  /** All keys that the engine has. */
  readonly keys: readonly string[];
  /** Those that have not expired, the least recently used first. */
  readonly live: FoundByKey;
  /** How many of them there are too many. */
  readonly surplus: number;
}

/** Finds the sessions of an owner by the engine's own index. */
export class EngineIndex implements OwnerIndex<OwnedSave> {
  readonly #engine: AnyEngine;
  readonly #policy: EnginePolicy;
  readonly #finder: Finder;

  constructor(engine: AnyEngine, policy: EnginePolicy, finder: Finder) {
    this.#engine = engine;
    this.#policy = policy;
    this.#finder = finder;
  }

  async begin(save: OwnedSave): Promise<OwnedSave | undefined> {
    return this.#policy.maxPerOwner !== undefined && isLogin(save)
      ? save
      : undefined;
  }

  async confirm(save: OwnedSave): Promise<readonly string[] | undefined> {
    if (this.#engine.deleteOwned) return await this.#makeRoom(save);
    const { id, oldId, owner = "" } = save;
    const { live, surplus } = await this.#crowd(owner);
    // Only those before this one: of two logins, the later one decides.
    const before = live.findIndex(([key]) => key === hashId(id));
    const old = oldId === undefined ? undefined : hashId(oldId);
    return live.slice(0, Math.max(0, Math.min(surplus, before)))
      .map(([key]) => key).filter((key) => key !== old);
  }

  /**
   * Deletes the sessions that are too many, while logins in other processes may do the same.
   *
   * @returns `undefined` if one of them has deleted this session.
   */
  async #makeRoom(
    { id, oldId, owner = "" }: OwnedSave,
  ): Promise<readonly string[] | undefined> {
    const own = hashId(id);
    const stays = new Set([own, oldId === undefined ? own : hashId(oldId)]);
    for (let attempt = 1;; attempt++) {
      try {
        const { keys, live, surplus } = await this.#crowd(owner);
        if (!keys.includes(own)) return undefined;
        const leaving = live.filter(([key]) => !stays.has(key))
          .slice(0, surplus);
        const most = keys.length - surplus;
        if (await this.#deleteAll(owner, own, leaving, most)) return [];
        // One of them was used, or another login was faster.
        await this.#policy.backOff("save session", attempt, { key: own });
      } catch {
        // It was reported, and the login is stored. The next one makes room.
        return [];
      }
    }
  }

  /** Deletes sessions while there are more than `most`. Returns whether it has deleted all of them. */
  async #deleteAll(
    owner: string,
    beside: string,
    leaving: Crowd["live"],
    most: number,
  ): Promise<boolean> {
    for (const [key, { version: ifVersion }] of leaving) {
      const deleted = await this.#policy.call(
        "destroy session",
        async () => {
          const options = { ifVersion, beside, most };
          return await this.#engine.deleteOwned?.(owner, key, options);
        },
        { key },
      );
      if (!deleted) return false;
      this.#policy.report("evicted", { key });
    }
    return true;
  }

  async #crowd(owner: string): Promise<Crowd> {
    const { maxPerOwner = Infinity } = this.#policy;
    const records = await this.#records(owner);
    const keys = records.map(({ key }) => key);
    if (keys.length <= maxPerOwner) return { keys, live: [], surplus: 0 };
    const now = this.#policy.instant();
    const live = (await this.#check(owner, records))
      .filter(([, { expires }]) => isAhead(expires, now))
      .sort(([, a], [, b]) => a.used - b.used);
    return { keys, live, surplus: Math.max(0, live.length - maxPerOwner) };
  }

  async remove(): Promise<void> {}

  async found(owner: string): Promise<FoundByKey> {
    return await this.#check(owner, await this.#records(owner));
  }

  async removeAll(
    owner: string,
    spared: ReadonlySet<string>,
    revoke: (key: string, found?: Found) => Promise<void>,
  ): Promise<void> {
    const seen = new Set(spared);
    for (let attempt = 0;; attempt++) {
      // Again, because a session may have moved to a new id in the meantime.
      const records = (await this.#records(owner))
        .filter(({ key }) => !seen.has(key));
      if (records.length === 0) return;
      // A session that moved cannot be told from a login, of which there can be ever more.
      if (attempt > 0) await this.#policy.backOff("destroy sessions", attempt);
      for (const { key } of records) seen.add(key);
      const found = await this.#check(owner, records);
      await inBatches(found, ([key, found]) => revoke(key, found));
    }
  }

  async #records(owner: string): Promise<readonly OwnedRecord[]> {
    const { guarantees } = this.#engine;
    const answer: unknown = await this.#policy.call(
      "read session",
      async () => await this.#engine.owned?.(owner),
    );
    const isRecord = (record: Partial<OwnedRecord> | null | undefined) =>
      typeof record?.key === "string" && !problemOf(record, guarantees);
    if (Array.isArray(answer) && answer.every(isRecord)) return answer;
    throw this.#policy.failure(
      "read session",
      new SessionError(
        "store-failed",
        "Cannot read session: the engine's owned() must return records, as read() does, each with its key",
      ),
    );
  }

  async #check(
    owner: string,
    records: readonly OwnedRecord[],
  ): Promise<FoundByKey> {
    const all = await inBatches(
      records,
      async (record) =>
        [record.key, await this.#finder.check(owner, record)] as const,
    );
    return all.flatMap(([key, found]) => found ? [[key, found] as const] : []);
  }
}

/** Visits all items, several in parallel. Returns the results in order. */
export async function inBatches<T, R>(
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
