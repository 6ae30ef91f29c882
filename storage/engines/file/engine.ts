/**
 * An engine on files, safe between processes and without locks.
 *
 * A record is a folder with two files. The *content* holds its text and is never changed. The *head* is empty; its name
 * says which content is the record's and until when: `<n>-<random>@<expires>` for the content `<n>-<random>`. A write
 * puts a content beside the old one and then renames the head. Of all who rename or remove one head the file system
 * lets exactly one succeed, and no content's name ever comes back: that is the compare-and-set. A killed process leaves
 * the old head or the new one, and at worst a content that no head names.
 *
 * A record comes into being when a complete folder is renamed to its place, which fails where there is one already, and
 * ceases to be when its head is removed.
 *
 * @module
 */
import {
  clear,
  type Head,
  headOf,
  look,
  NEW,
  type Place,
  placeOf,
  removeForeign,
} from "./layout.ts";
import { foreignRecord, newVersion } from "../record.ts";
import { sweepRecords } from "./sweep.ts";
import { Files, isOneOf } from "./files.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";

const SWEEP_EVERY = 600_000;
/** Each attempt after the first means that another process got ahead. */
const MAX_ATTEMPTS = 100;

/** What renaming a folder to where something is already comes to, if only for a moment. */
const TAKEN = ["EEXIST", "ENOTEMPTY", "ENOTDIR"];
/** The same on Windows, where it may also mean that the process has no right to. */
const TAKEN_OR_FORBIDDEN = ["EPERM", "EACCES"];

/** Keeps each record in a folder of its own, below `dir`. */
export class FileEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
  };
  readonly #files = new Files();
  readonly #dir: string;
  readonly #now: () => number;
  /** Whether there has been a directory. */
  #seen = false;
  readonly #onError: (error: unknown) => void;
  #sweptAt: number | undefined;
  #sweeping: Promise<void> | undefined;

  /** @throws {TypeError} If the platform has no file system. */
  constructor(
    dir: string,
    now: () => number,
    onError: (error: unknown) => void,
  ) {
    this.#dir = dir;
    this.#now = now;
    this.#onError = onError;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const place = placeOf(this.#dir, key);
    let last: string | undefined;
    while (true) {
      const found = look(this.#files, place);
      if (!found) return foreignRecord(null);
      const { entries, head } = found;
      if (!head) {
        this.#mustBeThere();
        return null;
      }
      this.#seen = true;
      const { content: version, expires } = head;
      const value = entries.some((e) => e.name === version && e.isFile())
        ? this.#files.read(`${place.folder}/${version}`)
        : undefined;
      if (value !== undefined) return { value, version, expires };
      // Another process replaced it in between, unless the same head still stands.
      if (version === last) return { value: "", version, expires };
      last = version;
    }
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    const place = placeOf(this.#dir, key);
    const written = await this.#insist(place, ifVersion, (head) => {
      const next = headOf((head?.count ?? 0) + 1, expires);
      if (head) return this.#replace(place, head, next, value);
      this.#mustBeThere();
      return this.#create(place, next, value);
    });
    if (written) this.#sweepInPassing();
    return written ? written.content : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const place = placeOf(this.#dir, key);
    const { folder } = place;
    let removed = false;
    const done = await this.#insist(place, ifVersion, async (head) => {
      if (!head) {
        this.#mustBeThere();
        await removeForeign(this.#files, place);
        return true;
      }
      const won = await this.#files.remove(`${folder}/${head.name}`);
      removed ||= won;
      // Where somebody put two heads into one folder, the other must not bring the record back.
      return won && ifVersion !== undefined ? true : undefined;
    });
    if (removed) {
      await this.#files.syncFolder(folder);
      await this.#quietly(() => clear(this.#files, place));
    }
    return done ?? false;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const place = placeOf(this.#dir, key);
    const touched = await this.#insist(place, ifVersion, async (head) => {
      if (!head) return false;
      const from = `${place.folder}/${head.name}`;
      const to = `${place.folder}/${head.content}@${expires}`;
      // Not brought to the disk at once: what a power failure takes back is a later deadline.
      return await this.#files.rename(from, to) || undefined;
    });
    return touched ?? false;
  }

  async sweep(now: number): Promise<void> {
    while (this.#sweeping) await this.#sweeping;
    const sweep = sweepRecords(this.#files, this.#dir, now);
    const done = () => void (this.#sweeping = undefined);
    this.#sweeping = sweep.then(done, done);
    await sweep;
  }

  async close(): Promise<void> {
    await this.#sweeping;
  }

  /**
   * Lets `act` try with the head that stands, until it gives something.
   *
   * @returns What it gave; `null` where `ifVersion` does not hold.
   */
  async #insist<T>(
    place: Place,
    ifVersion: unknown,
    act: (head: Head | undefined) => Promise<T | undefined>,
  ): Promise<T | null> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const head = look(this.#files, place)?.head;
      if (ifVersion !== undefined && ifVersion !== (head?.content ?? null)) {
        return null;
      }
      const result = await act(head);
      if (result !== undefined) return result;
    }
    throw new Error(
      `Cannot change record: other processes changed it first, ${MAX_ATTEMPTS} times in a row`,
    );
  }

  /**
   * Tells a directory without a record from one that has gone: a disk that is not mounted would sign everybody out.
   *
   * @throws {Error} If there was a directory, and is none any more, or something else is in its place.
   */
  #mustBeThere(): void {
    // By this name a link to a directory is one, too.
    const isThere = () => this.#files.kind(`${this.#dir}/.`) === "folder";
    if (isThere()) this.#seen = true;
    else if (
      // What is there now may be the directory after all, which somebody has made since the look before.
      this.#seen || this.#files.kind(this.#dir) !== "none" && !isThere()
    ) {
      throw new Error("the directory of the sessions is not there");
    }
  }

  async #replace(
    { folder }: Place,
    head: Head,
    next: Head,
    value: string,
  ): Promise<Head | undefined> {
    const content = `${folder}/${next.content}`;
    let placed = false;
    try {
      await this.#files.create(content, value);
      placed = await this.#files.rename(
        `${folder}/${head.name}`,
        `${folder}/${next.name}`,
      );
    } catch (error) {
      // The folder has gone, and the record with it.
      if (!isOneOf(["ENOENT", "ENOTDIR"], error)) throw error;
    } finally {
      if (!placed) await this.#quietly(() => this.#files.remove(content));
    }
    if (!placed) return undefined;
    await this.#files.syncFolder(folder);
    await this.#quietly(() => this.#files.remove(`${folder}/${head.content}`));
    return next;
  }

  async #create(
    place: Place,
    next: Head,
    value: string,
  ): Promise<Head | undefined> {
    const { shard, folder } = place;
    const making = `${shard}/${NEW}${newVersion()}`;
    let placed = false;
    try {
      await this.#ensureShard(shard);
      await this.#files.createFolder(making);
      await this.#files.create(`${making}/${next.content}`, value);
      await this.#files.createEmpty(`${making}/${next.name}`);
      await this.#files.syncFolder(making);
      placed = await this.#files.rename(making, folder);
    } catch (error) {
      const taken = isOneOf(TAKEN, error) ||
        isOneOf(TAKEN_OR_FORBIDDEN, error) &&
          this.#files.kind(folder) !== "none";
      // A sweep takes records in the making for leftovers.
      const swept = isOneOf(["ENOENT"], error);
      if (!taken && !swept) throw error;
    } finally {
      if (!placed) await this.#quietly(() => this.#files.removeAll(making));
    }
    if (placed) {
      await this.#files.syncFolder(shard);
      return next;
    }
    await removeForeign(this.#files, place);
    await clear(this.#files, place);
    return undefined;
  }

  async #ensureShard(shard: string): Promise<void> {
    const kind = this.#files.kind(shard);
    if (kind === "folder") return;
    if (kind === "foreign") {
      throw new Error("Cannot write record: a folder of the storage is none");
    }
    const first = this.#files.kind(this.#dir) === "none";
    await this.#files.ensureFolder(shard);
    await this.#files.syncFolder(this.#dir);
    // Permissions may end at the directory itself.
    if (first) await this.#files.syncFolder(`${this.#dir}/..`).catch(() => {});
  }

  /** Tidying after a change that has been made must not make it look failed; a sweep comes back to what is left. */
  async #quietly(tidy: () => Promise<unknown>): Promise<void> {
    try {
      await tidy();
    } catch (error) {
      this.#onError(error);
    }
  }

  #sweepInPassing(): void {
    const now = this.#now();
    this.#sweptAt ??= now;
    // A clock that was set back must not put the next sweep off, and one that is broken must not start one.
    const due = Math.abs(now - this.#sweptAt) >= SWEEP_EVERY;
    if (!due || this.#sweeping) return;
    this.#sweptAt = now;
    this.sweep(now).catch(this.#onError);
  }
}
