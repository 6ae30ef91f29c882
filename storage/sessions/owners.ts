/**
 * The sessions of each owner: which there are, and revoking them.
 *
 * @module
 */
import type { Awaitable } from "../../core/awaitable.ts";
import { isToken } from "../../core/changes.ts";
import { hashId, hashOwner } from "../../core/keys.ts";
import { deadline, isAhead, type StoredLifetime } from "../../core/lifetime.ts";
import { decodeRecord, decodeTexts, type Entries } from "../../core/record.ts";
import { stateOf } from "../../core/session.ts";
import { withoutMark } from "./engine_records.ts";
import {
  EngineIndex,
  type Finder,
  type Found,
  inBatches,
  type OwnedSave,
  type OwnerIndex,
} from "./owner_index.ts";
import { OwnerLists } from "./owner_lists.ts";
import type { EnginePolicy } from "./engine_policy.ts";
import { usedAt } from "./policy.ts";
import { type Records, REPLACED } from "./records.ts";
import type {
  AnyEngine,
  DestroySessionsOptions,
  EngineRecord,
  ListSessionsOptions,
  OwnedSession,
  StorageGuarantees,
} from "../contract.ts";

/**
 * Checks that a storage supports `owner`.
 *
 * @throws {TypeError} If it does not.
 */
export function checkOwnable(
  { compareAndSet, reads, evicts = "nothing" }: StorageGuarantees,
  engine?: AnyEngine,
): void {
  const keepsLists = evicts === "nothing";
  if (compareAndSet && reads === "strong" && (engine?.owned || keepsLists)) {
    return;
  }
  throw new TypeError(
    "Cannot create storage: owner requires an engine with compareAndSet and strong reads that does not evict live records, or that has owned(); leave owner out, or use another storage",
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
  checkOwnable(guarantees, engine);
  return engine && new Owners(engine, policy);
}

/** What a save has to confirm. */
export interface Owning {
  readonly save: OwnedSave;
  readonly listing: unknown;
}

/** Keeps track of the owners of one engine's sessions. */
export class Owners {
  readonly #engine: AnyEngine;
  readonly #policy: EnginePolicy;
  readonly #index: OwnerIndex<unknown>;

  constructor(engine: AnyEngine, policy: EnginePolicy) {
    this.#engine = engine;
    this.#policy = policy;
    const finder: Finder = {
      find: (owner, key) => this.#find(owner, key),
      check: (owner, record) => this.#check(owner, record.key, record),
    };
    this.#index = engine.owned
      ? new EngineIndex(engine, policy, finder)
      : new OwnerLists(engine, policy, finder);
  }

  /**
   * The key of the owner; `undefined` if the session does not have one.
   *
   * @throws {TypeError} If the option `owner` returns something that is not a string.
   */
  ownerOf(entries: Entries): Awaitable<string | undefined> {
    const values = decodeTexts(entries.values);
    const { schema } = this.#policy;
    return schema
      ? schema.converted(values).then((values) => this.#ownerIn(values))
      : this.#ownerIn(values);
  }

  #ownerIn(values: Readonly<Record<string, unknown>>): string | undefined {
    const name: unknown = this.#policy.owner?.(values);
    if (name === undefined || name === null || name === "") return undefined;
    if (typeof name !== "string") {
      throw new TypeError(
        "Cannot save session: owner must return a string, or undefined while nobody is signed in",
      );
    }
    return hashOwner(name);
  }

  /** Prepares for storing a session. */
  async beginSave(save: OwnedSave, expires: number): Promise<Owning> {
    return { save, listing: await this.#index.begin(save, expires) };
  }

  /**
   * Confirms that a session was stored, forgets what it replaces, and revokes what exceeds `maxPerOwner`.
   *
   * @returns `false` if the owner's sessions were revoked in the meantime.
   */
  async finishSave(
    { save: { id, oldId, oldOwner, owner }, listing }: Owning,
    keepOld: boolean,
  ): Promise<boolean> {
    const left = keepOld && oldId !== undefined ? [] : [hashId(oldId ?? id)];
    if (owner !== undefined && listing !== undefined) {
      const replaced = oldOwner === owner && oldId !== undefined ? left : [];
      const leaving = await this.#index.confirm(listing, replaced);
      if (!leaving) return false;
      await this.#evict(owner, leaving);
    }
    if (oldOwner !== undefined && oldOwner !== owner) {
      await this.#forget(oldOwner, left);
    }
    return true;
  }

  /** Forgets sessions that were revoked. */
  async unlist(owner: string, ids: readonly string[]): Promise<void> {
    await this.#forget(owner, ids.map(hashId));
  }

  /** A failure is ignored: more keys are then kept than needed. */
  async #forget(owner: string, keys: readonly string[]): Promise<void> {
    try {
      await this.#index.remove(owner, keys);
    } catch {
      // It was reported, and the request need not fail.
    }
  }

  /** A failure is ignored: the next login evicts them. */
  async #evict(owner: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    try {
      await inBatches(keys, async (key) => {
        if (await this.#revoke(owner, key)) {
          this.#policy.report("evicted", { key });
        }
      });
    } catch {
      // It was reported, and the login is stored.
    }
    await this.#forget(owner, keys);
  }

  /**
   * See `listSessions` in the contract.
   *
   * @param cookie The lifetime of the session's cookie, or `null`.
   */
  async list(
    name: string,
    options: ListSessionsOptions = {},
    cookie: StoredLifetime = null,
  ): Promise<OwnedSession[]> {
    const owner = hashOwner(checkName(name));
    const now = this.#policy.instant();
    const asking = keysOf(options.current);
    const sessions: OwnedSession[] = [];
    for (const [id, found] of await this.#index.found(owner)) {
      const { record, used, data } = found;
      const ends = deadline(record, this.#policy.terms(cookie), used);
      const expires = Math.min(found.expires, ends);
      if (!isAhead(expires, now)) continue;
      const { created } = record;
      const lastSeen = Math.max(created, used);
      const current = asking.has(id);
      sessions.push({ id, created, lastSeen, expires, data, current });
    }
    // Among sessions used at the same instant, the last one stored comes first.
    return sessions.reverse().sort((a, b) => b.lastSeen - a.lastSeen);
  }

  /** See `destroySessions` in the contract. */
  async destroy(
    name: string,
    options: DestroySessionsOptions = {},
  ): Promise<number> {
    const owner = hashOwner(checkName(name));
    const { except, only } = options;
    if ("only" in options && only === undefined) {
      throw new TypeError(
        "Cannot destroy an owner's sessions: only is undefined; pass the session or its id, or leave only out to destroy all",
      );
    }
    if (only !== undefined && except !== undefined) {
      throw new TypeError(
        "Cannot destroy an owner's sessions: pass either except or only, received both",
      );
    }
    let count = 0;
    const revoke = async (key: string, found?: Found) => {
      if (!await this.#revoke(owner, key, found)) return;
      this.#policy.report("destroyed", { key });
      count++;
    };
    if (only !== undefined) {
      const keys = keysOf(only);
      for (const key of keys) {
        await revoke(key);
        // It may have taken a new id since it was listed.
        const next = await this.#movedTo(key);
        if (next !== undefined) keys.add(next);
      }
      await this.#forget(owner, [...keys]);
      return count;
    }
    const spared = keysOf(except);
    await this.#index.removeAll(owner, spared, revoke);
    return count;
  }

  /**
   * Revokes a session; `false` if it had already expired, or is not the owner's.
   *
   * @param known The session as it was a moment ago.
   */
  async #revoke(owner: string, key: string, known?: Found): Promise<boolean> {
    for (let attempt = 1;; attempt++) {
      const found = attempt === 1 && known || await this.#find(owner, key);
      if (!found) return false;
      const { version: ifVersion, expires } = found;
      const deleted = await this.#policy.call(
        "destroy session",
        () => this.#engine.delete(key, { ifVersion }),
        { key },
      );
      if (deleted) return isAhead(expires, this.#policy.now());
      await this.#policy.backOff("destroy sessions", attempt, { key });
    }
  }

  /** The key of the session that has replaced the one under a key; `undefined` if it was not replaced lately. */
  async #movedTo(key: string): Promise<string | undefined> {
    const found = await this.#read(key);
    if (!found?.value.startsWith(REPLACED)) return undefined;
    const next = decodeRecord(key, withoutMark(found.value))?.values["next"];
    return typeof next === "string" ? next : undefined;
  }

  #read(key: string): Awaitable<EngineRecord | null> {
    const read = () => this.#engine.read(key);
    return this.#policy.call("read session", read, { key });
  }

  /** A stored session, if it is the owner's by the option `owner` too. */
  async #find(owner: string, key: string): Promise<Found | undefined> {
    const found = await this.#read(key);
    return found ? await this.#check(owner, key, found) : undefined;
  }

  async #check(
    owner: string,
    key: string,
    found: EngineRecord,
  ): Promise<Found | undefined> {
    if (found.value.startsWith(REPLACED)) return undefined;
    const record = decodeRecord(key, withoutMark(found.value));
    if (!record) return undefined;
    const { schema } = this.#policy;
    const shown = schema && await schema.shown(record, { key });
    // Of values in another shape, the option cannot be asked.
    const data = !schema
      ? record.values
      : shown
      ? Object.fromEntries(shown.values)
      : {};
    const isKnown = !schema || shown !== undefined;
    const now = isKnown ? this.#ownerNow(data) : record.owner;
    if (now !== owner) return undefined;
    const { version } = found;
    const used = usedAt(record, found.expires);
    const { timeouts } = this.#policy;
    const ends = deadline(record, { timeouts, lifetime: null }, used);
    return {
      record,
      data: withoutTokens(data),
      version,
      used,
      expires: Math.min(found.expires, ends),
    };
  }

  /** The owner of a record. A storage without `owner` may have changed its values since the owner was written. */
  #ownerNow(values: Readonly<Record<string, unknown>>): string | undefined {
    const name: unknown = this.#policy.owner?.(values);
    return typeof name === "string" && name !== ""
      ? hashOwner(name)
      : undefined;
  }
}

function withoutTokens(
  data: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(data);
  return Object.fromEntries(entries.filter(([key]) => !isToken(key)));
}

/** The form of a key: the hash of an id. */
const KEY = /^[\w-]{43}$/;

function checkName(name: unknown): string {
  if (typeof name === "string" && name !== "") return name;
  throw new TypeError(
    "Cannot find an owner's sessions: owner must be a non-empty string",
  );
}

/** The keys that a session can be listed under: of its id, of its old ids, or the given key. */
function keysOf(session: unknown): Set<string> {
  if (session === undefined) return new Set();
  if (typeof session === "string") {
    // A client's bytes must not reach the engine as a key.
    const keys = KEY.test(session) ? [session] : [];
    return new Set([...keys, hashId(session)]);
  }
  const state = stateOf(session);
  if (state) return new Set([state.id, ...state.knownIds].map(hashId));
  throw new TypeError(
    "Cannot find an owner's sessions: current, except and only must be a session of this library, or an id",
  );
}
