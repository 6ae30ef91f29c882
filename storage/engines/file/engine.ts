/**
 * An engine on files, safe between processes and without locks.
 *
 * A record is a folder with two files. The *content* holds its text and is never changed. The *head* is empty. Its name
 * says which content is the record's and until when: `<n>-<random>@<expires>` for the content `<n>-<random>`. A write
 * creates a new content beside the old one and then renames the head. If several processes rename or remove one head,
 * exactly one succeeds, and the name of a content is never used twice: that is the compare-and-set. A killed process
 * leaves the old head or the new one, and at worst a content that no head names.
 *
 * A record is created by renaming a complete folder, which fails if the record exists. It is deleted by removing its
 * head.
 *
 * @module
 */
import { foreignRecord, newVersion } from "../record.ts";
import {
  clear,
  type Head,
  headOf,
  look,
  NEW,
  type Paths,
  pathsOf,
  removeForeign,
} from "./layout.ts";
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
/** Each attempt after the first means that another process changed the record first. */
const MAX_CHANGE_ATTEMPTS = 100;

/** Errors of renaming a folder to a name that exists, if only for a moment. */
const TAKEN = ["EEXIST", "ENOTEMPTY", "ENOTDIR"];
/** The same on Windows, where they can also mean that the process lacks the permission. */
const TAKEN_OR_FORBIDDEN = ["EPERM", "EACCES"];

/** Keeps records in folders below `dir`. */
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
  readonly #onError: (error: unknown) => void;
  /** Whether the directory has existed. */
  #seen = false;
  #sweptAt: number | undefined;
  #sweeping: Promise<void> | undefined;

  /** @throws {TypeError} If the platform does not have a file system. */
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
    const paths = pathsOf(this.#dir, key);
    let last: string | undefined;
    while (true) {
      const found = look(this.#files, paths);
      if (!found) return foreignRecord(null);
      const { entries, head } = found;
      if (!head) {
        this.#checkDirectory();
        return null;
      }
      this.#seen = true;
      const { content: version, expires } = head;
      const value = entries.some((e) => e.name === version && e.isFile())
        ? this.#files.read(`${paths.folder}/${version}`)
        : undefined;
      if (value !== undefined) return { value, version, expires };
      // Another process replaced it meanwhile, unless the head is still the same.
      if (version === last) return { value: "", version, expires };
      last = version;
    }
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    const paths = pathsOf(this.#dir, key);
    const written = await this.#retry(paths, ifVersion, (head) => {
      const next = headOf((head?.count ?? 0) + 1, expires);
      if (head) return this.#replace(paths, head, next, value);
      this.#checkDirectory();
      return this.#create(paths, next, value);
    });
    if (written) this.#sweepInPassing();
    return written ? written.content : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const paths = pathsOf(this.#dir, key);
    const { folder } = paths;
    let removed = false;
    const done = await this.#retry(paths, ifVersion, async (head) => {
      if (!head) {
        this.#checkDirectory();
        await removeForeign(this.#files, paths);
        return true;
      }
      const won = await this.#files.remove(`${folder}/${head.name}`);
      removed ||= won;
      // If someone copied a second head into the folder, it must not bring the record back.
      return won && ifVersion !== undefined ? true : undefined;
    });
    if (removed) {
      await this.#files.syncFolder(folder);
      await this.#quietly(() => clear(this.#files, paths));
    }
    return done ?? false;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const paths = pathsOf(this.#dir, key);
    const touched = await this.#retry(paths, ifVersion, async (head) => {
      if (!head) return false;
      const from = `${paths.folder}/${head.name}`;
      const to = `${paths.folder}/${head.content}@${expires}`;
      // Not synced to the disk: a power failure restores only the earlier deadline.
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
   * Calls `change` with the present head, until it returns a result.
   *
   * @returns The result, or `null` if the version is not `ifVersion`.
   */
  async #retry<T>(
    paths: Paths,
    ifVersion: unknown,
    change: (head: Head | undefined) => Promise<T | undefined>,
  ): Promise<T | null> {
    for (let attempt = 1; attempt <= MAX_CHANGE_ATTEMPTS; attempt++) {
      const head = look(this.#files, paths)?.head;
      if (ifVersion !== undefined && ifVersion !== (head?.content ?? null)) {
        return null;
      }
      const result = await change(head);
      if (result !== undefined) return result;
    }
    throw new Error(
      `Cannot change record: other processes changed it first, ${MAX_CHANGE_ATTEMPTS} times in a row`,
    );
  }

  /**
   * Makes sure that a missing record is not a missing directory: a disk that is not mounted would sign everybody out.
   *
   * @throws {Error} If the directory existed before and does not now, or if it is not a directory.
   */
  #checkDirectory(): void {
    // With `/.`, a link to a directory counts as a directory.
    const isThere = () => this.#files.kind(`${this.#dir}/.`) === "folder";
    if (isThere()) this.#seen = true;
    else if (
      // Another process may have created the directory since the first look.
      this.#seen || this.#files.kind(this.#dir) !== "none" && !isThere()
    ) {
      throw new Error(
        "the directory of the sessions does not exist, or is not a directory",
      );
    }
  }

  async #replace(
    { folder }: Paths,
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
      // Another process deleted the record.
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
    paths: Paths,
    next: Head,
    value: string,
  ): Promise<Head | undefined> {
    const { shard, folder } = paths;
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
      // A sweep also removes folders of records that are being created.
      const swept = isOneOf(["ENOENT"], error);
      if (!taken && !swept) throw error;
    } finally {
      if (!placed) await this.#quietly(() => this.#files.removeAll(making));
    }
    if (placed) {
      await this.#files.syncFolder(shard);
      return next;
    }
    await removeForeign(this.#files, paths);
    await clear(this.#files, paths);
    return undefined;
  }

  async #ensureShard(shard: string): Promise<void> {
    const kind = this.#files.kind(shard);
    if (kind === "folder") return;
    if (kind === "foreign") {
      throw new Error(
        "Cannot write record: a file has the name of a folder in the directory of the sessions",
      );
    }
    const first = this.#files.kind(this.#dir) === "none";
    await this.#files.ensureFolder(shard);
    await this.#files.syncFolder(this.#dir);
    // The process may lack the permission for the parent folder.
    if (first) await this.#files.syncFolder(`${this.#dir}/..`).catch(() => {});
  }

  /** Cleans up after a change. An error must not make the change look failed. A later sweep removes the rest. */
  async #quietly(cleanUp: () => Promise<unknown>): Promise<void> {
    try {
      await cleanUp();
    } catch (error) {
      this.#onError(error);
    }
  }

  #sweepInPassing(): void {
    const now = this.#now();
    this.#sweptAt ??= now;
    // A clock that was set back must not delay the next sweep, and a broken clock (NaN) must not start one.
    const due = Math.abs(now - this.#sweptAt) >= SWEEP_EVERY;
    if (!due || this.#sweeping) return;
    this.#sweptAt = now;
    this.sweep(now).catch(this.#onError);
  }
}
