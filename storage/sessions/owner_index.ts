/**
 * How the sessions of an owner are found.
 *
 * @module
 */
import { hashId } from "../../core/keys.ts";
import { isAhead } from "../../core/lifetime.ts";
import type { AnyEngine } from "../contract.ts";
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

/** When an owner's session was last used, and when it expires, in milliseconds. */
export interface OwnedTimes {
  readonly used: number;
  readonly expires: number;
}

/** Reads a session; `undefined` if it does not exist or is not the owner's. */
export type FindOwned = (
  owner: string,
  key: string,
) => Promise<OwnedTimes | undefined>;

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
  /** Returns the keys of the owner's sessions, the least recently stored first. */
  keys(owner: string): Promise<readonly string[]>;
  /** Revokes the owner's sessions but the spared ones. */
  removeAll(
    owner: string,
    spared: ReadonlySet<string>,
    revoke: (key: string) => Promise<void>,
  ): Promise<void>;
}

/** Finds the sessions of an owner by the engine's own index. */
export class EngineIndex implements OwnerIndex<OwnedSave> {
  readonly #owned: (owner: string) => Promise<readonly string[]>;
  readonly #policy: EnginePolicy;
  readonly #find: FindOwned;

  constructor(engine: AnyEngine, policy: EnginePolicy, find: FindOwned) {
    this.#owned = async (owner) => await engine.owned?.(owner) ?? [];
    this.#policy = policy;
    this.#find = find;
  }

  async begin(save: OwnedSave): Promise<OwnedSave | undefined> {
    return this.#policy.maxPerOwner !== undefined && isLogin(save)
      ? save
      : undefined;
  }

  async confirm(
    { id, oldId, owner = "" }: OwnedSave,
  ): Promise<readonly string[]> {
    const { maxPerOwner = Infinity } = this.#policy;
    const keys = await this.keys(owner);
    if (keys.length <= maxPerOwner) return [];
    const now = this.#policy.instant();
    const used = new Map<string, number>();
    await inBatches(keys, async (key) => {
      const found = await this.#find(owner, key);
      if (found && isAhead(found.expires, now)) used.set(key, found.used);
    });
    const live = keys.filter((key) => used.has(key))
      .sort((a, b) => (used.get(a) ?? 0) - (used.get(b) ?? 0));
    const many = Math.max(0, live.length - maxPerOwner);
    // Only those before this one: of two logins, the later one decides.
    const before = Math.max(0, live.indexOf(hashId(id)));
    const old = oldId === undefined ? undefined : hashId(oldId);
    return live.slice(0, Math.min(many, before)).filter((key) => key !== old);
  }

  async remove(): Promise<void> {}

  async keys(owner: string): Promise<readonly string[]> {
    return await this.#policy.call("read session", () => this.#owned(owner));
  }

  async removeAll(
    owner: string,
    spared: ReadonlySet<string>,
    revoke: (key: string) => Promise<void>,
  ): Promise<void> {
    const seen = new Set(spared);
    for (;;) {
      // Again, because a session may have moved to a new id in the meantime.
      const keys = (await this.keys(owner)).filter((key) => !seen.has(key));
      if (keys.length === 0) return;
      for (const key of keys) seen.add(key);
      await inBatches(keys, revoke);
    }
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
