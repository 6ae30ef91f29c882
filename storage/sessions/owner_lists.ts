/**
 * The lists of owners' sessions, in an engine that does not find them by their owner.
 *
 * A session is listed before it is stored, as `pending`, and confirmed afterwards. A list drops a pending session only
 * once the save cannot be running any more. So a list can name a session that does not exist, but each session that
 * exists is listed, even if the answer to its save was lost. If the owner's sessions are revoked in between, the pending
 * session is marked, and its save takes it back.
 *
 * @module
 */
import { SessionError } from "../../core/errors.ts";
import { hashId } from "../../core/keys.ts";
import { isAhead } from "../../core/lifetime.ts";
import { parseJson } from "../../core/record.ts";
import type { AnyEngine } from "../contract.ts";
import {
  type Finder,
  type Found,
  type FoundByKey,
  inBatches,
  isLogin,
  type OwnedSave,
  type OwnerIndex,
} from "./owner_index.ts";
import type { EnginePolicy } from "./engine_policy.ts";
import { OWNED_LIFETIME } from "./policy.ts";

/** `["owner/2", check, [[key, expires], [key, expires, listed], [key, expires, listed, 1], …]]`. */
const FORMAT = "owner/2";

/** The length of `check`: the beginning of the list's key, as in a record. */
const CHECKED = 8;

/** The most sessions of one owner, without `maxPerOwner`. */
const MAX_LISTED = 500;

/** How many logins at once a list has room for, even if few sessions may stay. */
const CROWD = 100;

/** The most bytes that one session takes in a list, and that the rest of the list takes. */
const LISTED_BYTES = 80;

/** How long, in milliseconds, a save can still be running after it has listed its session. */
const PENDING = 3_600_000;

/** A session in a list. */
interface Listed {
  /** Its deadline as of when it was listed. A session that is in use can have a later one. */
  readonly expires: number;
  /** When it was listed, if its save has not confirmed that it is stored. */
  readonly pending?: number | undefined;
  /** Whether the owner's sessions were revoked while it was pending. */
  readonly revoked?: boolean | undefined;
}

type Entries = ReadonlyMap<string, Listed>;

/** A stored list. The version is `null` if the engine does not have it. */
interface OwnerList {
  readonly listed: Entries;
  readonly version: unknown;
  readonly expires: number;
}

/** Changes that wait for the same turn. One write stores all of them. */
interface Batch {
  /** Each returns the changed entries. */
  readonly changes: ((listed: Entries) => Promise<Entries>)[];
  stored?: Promise<OwnerList>;
}

/** What a save has listed. */
interface Listing {
  readonly owner: string;
  readonly key: string;
  readonly list: OwnerList;
  /** The sessions that leave once it is stored. */
  readonly leaving: readonly string[];
}

/** Finds the sessions of an owner by a list. */
export class OwnerLists implements OwnerIndex<Listing> {
  readonly #engine: AnyEngine;
  readonly #policy: EnginePolicy;
  readonly #finder: Finder;
  /** The most sessions of one owner. */
  readonly #max: number;
  /** The most entries of a list, those without a session included. */
  readonly #most: number;
  /** The batch of each owner that waits for its turn. */
  readonly #batches = new Map<string, Batch>();

  /** @throws {RangeError} If a list of `maxPerOwner` sessions would be too large for the engine. */
  constructor(engine: AnyEngine, policy: EnginePolicy, finder: Finder) {
    this.#engine = engine;
    this.#policy = policy;
    this.#finder = finder;
    const { maxBytes = Infinity } = engine.guarantees;
    const fits = Math.floor(maxBytes / LISTED_BYTES) - 1;
    const { maxPerOwner = Math.min(MAX_LISTED, fits) } = policy;
    if (maxPerOwner > fits) {
      throw new RangeError(
        `Cannot create storage: maxPerOwner must be at most ${fits}, because the engine's largest record holds a list of no more sessions; received ${maxPerOwner}`,
      );
    }
    this.#max = maxPerOwner;
    this.#most = Math.min(Math.max(2 * this.#max, CROWD), fits);
  }

  async begin(
    save: OwnedSave,
    expires: number,
  ): Promise<Listing | undefined> {
    const { id, oldId, owner = "" } = save;
    // A save that keeps id and owner finds its session listed.
    if (!isLogin(save)) return undefined;
    const key = hashId(id);
    const replaced = oldId === undefined ? undefined : hashId(oldId);
    let leaving: readonly string[] = [];
    const list = await this.#change(owner, async (before) => {
      const now = this.#policy.instant();
      const listed = new Map(before);
      listed.delete(key);
      leaving = await this.#makeRoom(owner, listed, replaced, now);
      listed.set(key, { expires: Math.floor(expires), pending: now });
      return listed;
    });
    return { owner, key, list, leaving };
  }

  async confirm(
    { owner, key, list, leaving }: Listing,
    replaced: readonly string[],
  ): Promise<readonly string[] | undefined> {
    let revoked = false;
    await this.#change(owner, async (before) => {
      const own = before.get(key);
      revoked = own?.revoked === true;
      if (revoked) return before;
      // A missing entry belonged to another save of the session, or its record was revoked after it was stored.
      const { expires = 0 } = own ?? list.listed.get(key) ?? {};
      const listed = new Map(before);
      listed.set(key, { expires });
      for (const old of replaced) listed.delete(old);
      return listed;
    }, list);
    return revoked ? undefined : leaving;
  }

  async remove(owner: string, keys: readonly string[]): Promise<void> {
    await this.#change(owner, async (before) => {
      const listed = new Map(before);
      for (const key of keys) {
        // If a save has listed the session again, it confirms that.
        if (listed.get(key)?.pending !== undefined) continue;
        if (!await this.#finder.find(owner, key)) listed.delete(key);
      }
      return listed.size === before.size ? before : listed;
    });
  }

  async found(owner: string): Promise<FoundByKey> {
    const sessions = new Map<string, Found>();
    // A session that is missing may have moved to a new id while they were read. So they are read again, until the same
    // ones are missing.
    let before = "";
    for (;;) {
      const { listed } = await this.#read(owner);
      const unread = [...listed.keys()].filter((key) => !sessions.has(key));
      const found = await inBatches(
        unread,
        (key) => this.#finder.find(owner, key),
      );
      for (const [i, key] of unread.entries()) {
        if (found[i]) sessions.set(key, found[i]);
      }
      const missing = unread.filter((key) => !sessions.has(key)).join();
      if (missing === before) return [...sessions];
      before = missing;
    }
  }

  async removeAll(
    owner: string,
    spared: ReadonlySet<string>,
    revoke: (key: string) => Promise<void>,
  ): Promise<void> {
    await this.#turn("destroy sessions", owner, async () => {
      const list = await this.#read(owner);
      const now = this.#policy.instant();
      const listed = new Map(list.listed);
      await inBatches(list.listed, async ([key, own]) => {
        if (spared.has(key)) return;
        await revoke(key);
        // Its save may be repeated, and write the session again.
        if (isPending(own, now)) listed.set(key, { ...own, revoked: true });
        else listed.delete(key);
      });
      // If the list has changed, repeat: it may name the new id of a session that was revoked too late.
      return await this.#write(owner, list, listed);
    });
  }

  /**
   * Removes entries without a session, and chooses the least recently used sessions to leave, until there is room for
   * one more.
   *
   * @param replaced The session that is about to be replaced, which does not count.
   */
  async #makeRoom(
    owner: string,
    listed: Map<string, Listed>,
    replaced: string | undefined,
    now: number,
  ): Promise<string[]> {
    const others = [...listed].filter(([key]) => key !== replaced);
    const full = others.length >= this.#max;
    const used = new Map<string, number>();
    // Unless the list is full, only those whose listed deadline has passed.
    const doubtful = others.filter(([, own]) =>
      full || !isAhead(own.expires, now)
    );
    await inBatches(doubtful, async ([key, own]) => {
      const found = await this.#finder.find(owner, key);
      const pending = isPending(own, now) ? own.pending : undefined;
      if (pending !== undefined && own.revoked) {
        // Its save takes it back, so it leaves before any other.
        used.set(key, 0);
      } else if (found && isAhead(found.expires, now)) {
        used.set(key, found.used);
        listed.set(key, { ...own, expires: Math.floor(found.expires) });
      } else if (pending !== undefined) used.set(key, pending);
      else listed.delete(key);
    });
    if (!full) return [];
    // Of sessions that were used at the same instant, those that were listed first leave.
    const leaving = [...listed.keys()].filter((key) => used.has(key)).reverse()
      .sort((a, b) => (used.get(b) ?? 0) - (used.get(a) ?? 0))
      .slice(this.#max - 1);
    for (const key of leaving) {
      const own = listed.get(key);
      if (own?.pending === undefined) continue;
      if (listed.size >= this.#most) listed.delete(key);
      else listed.set(key, { ...own, revoked: true });
    }
    return leaving;
  }

  /**
   * Changes a list, after the earlier changes in this process, and by one write with those that wait too. So many logins
   * at once do not take as many writes, one after another.
   *
   * @param change Returns the changed entries.
   * @param known The list as it was last read or written.
   */
  async #change(
    owner: string,
    change: (listed: Entries) => Promise<Entries>,
    known?: OwnerList,
  ): Promise<OwnerList> {
    let failure: { readonly cause: unknown } | undefined;
    const waiting = this.#batches.get(owner);
    const batch: Batch = waiting ?? { changes: [] };
    batch.changes.push(async (listed) => {
      failure = undefined;
      try {
        return await change(listed);
      } catch (cause) {
        // The others of the batch need not fail.
        failure = { cause };
        return listed;
      }
    });
    if (!waiting) {
      this.#batches.set(owner, batch);
      batch.stored = this.#store(owner, batch, known);
    }
    const stored = await batch.stored as OwnerList;
    if (failure) throw failure.cause;
    return stored;
  }

  /** Runs the changes of a batch, and stores the list. */
  async #store(
    owner: string,
    batch: Batch,
    known: OwnerList | undefined,
  ): Promise<OwnerList> {
    const leave = () => {
      if (this.#batches.get(owner) === batch) this.#batches.delete(owner);
    };
    try {
      return await this.#turn("save session", owner, async (list) => {
        leave();
        let { listed } = list;
        for (const change of batch.changes) listed = await change(listed);
        return listed === list.listed
          ? list
          : await this.#write(owner, list, listed);
      }, known);
    } finally {
      leave();
    }
  }

  /**
   * Changes a list, after the earlier changes in this process.
   *
   * @param change Returns the stored list; `undefined` if another process was faster.
   * @param known The list as it was last read or written.
   */
  async #turn(
    what: string,
    owner: string,
    change: (list: OwnerList) => Promise<OwnerList | undefined>,
    known?: OwnerList,
  ): Promise<OwnerList> {
    return await this.#policy.turn<OwnerList, OwnerList>(
      what,
      owner,
      async (shared) => {
        let list = shared.turn === 0 ? known : shared.newest;
        for (let attempt = 1;; attempt++) {
          list ??= await this.#read(owner, { anew: true });
          const stored = await change(list);
          list = undefined;
          shared.newest = stored;
          if (stored) return stored;
          await this.#policy.backOff(what, attempt);
        }
      },
    );
  }

  /** @param options `anew` replaces a damaged list by an empty one. */
  async #read(
    owner: string,
    { anew = false }: { anew?: boolean } = {},
  ): Promise<OwnerList> {
    const found = await this.#policy.call(
      "read session",
      () => this.#engine.read(owner),
    );
    if (!found) return { listed: new Map(), version: null, expires: 0 };
    const { value, version, expires } = found;
    const listed = decode(owner, value);
    if (!listed) this.#policy.report("corrupt-record");
    if (listed || anew) {
      return { listed: listed ?? new Map(), version, expires };
    }
    throw new SessionError(
      "store-failed",
      "Cannot find an owner's sessions: the list of them is damaged; the owner's next login begins a new one",
    );
  }

  /** Replaces the list that was read; `undefined` if it has changed since. */
  async #write(
    owner: string,
    { version: ifVersion, expires: had, listed: before }: OwnerList,
    listed: Entries,
  ): Promise<OwnerList | undefined> {
    return await this.#policy.call("save session", async () => {
      if (listed.size === 0) {
        const deleted = ifVersion === null && before.size === 0 ||
          await this.#engine.delete(owner, { ifVersion });
        return deleted ? { listed, version: null, expires: 0 } : undefined;
      }
      const { absoluteTimeout = 0 } = this.#policy.timeouts;
      // At least the default, because the next deployment may set a longer timeout, and lists are not rewritten then.
      const lasts = Math.max(absoluteTimeout, OWNED_LIFETIME);
      const ends = this.#policy.instant() + lasts * 1000;
      const expires = Math.max(had, ends);
      const text = encode(owner, listed);
      const options = { expires, ifVersion };
      const version = await this.#engine.write(owner, text, options);
      return version === null ? undefined : { listed, version, expires };
    });
  }
}

/** Whether the save that listed a session can still be running. */
function isPending({ pending }: Listed, now: number): boolean {
  return pending !== undefined && Math.abs(now - pending) < PENDING;
}

function encode(owner: string, listed: Entries): string {
  const entries = [...listed].map(([key, { expires, pending, revoked }]) => [
    key,
    expires,
    ...pending === undefined ? [] : revoked ? [pending, 1] : [pending],
  ]);
  return JSON.stringify([FORMAT, owner.slice(0, CHECKED), entries]);
}

function decode(owner: string, text: string): Map<string, Listed> | undefined {
  const parts = parseJson(text);
  if (!Array.isArray(parts)) return undefined;
  const [format, check, entries] = parts;
  const whole = format === FORMAT && check === owner.slice(0, CHECKED) &&
    Array.isArray(entries) && entries.every(isEntry);
  if (!whole) return undefined;
  return new Map(entries.map(([key, expires, pending, revoked]) => [
    key,
    { expires, pending, revoked: revoked === 1 },
  ]));
}

function isEntry(
  entry: unknown,
): entry is [string, number, number | undefined, number | undefined] {
  if (!Array.isArray(entry)) return false;
  const [key, ...numbers] = entry;
  return typeof key === "string" && numbers.length >= 1 &&
    numbers.length <= 3 && numbers.every((part) => typeof part === "number");
}
