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
import { delay } from "../../../core/runtime.ts";
import { type Background, background } from "../background.ts";
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
import { Directory } from "./directory.ts";
import { sweepRecords } from "./sweep.ts";
import { Turns } from "./turn.ts";
import { Files, isBusy, isOneOf, type Outcome } from "./files.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";

/** How long to wait from one sweep in passing to the next, and for a process that has stopped in one. */
const SWEEP_EVERY = 600_000;
/** How many records a sweep in passing visits in a row. */
const STRETCH = 64;
/** Its rest after that, as a multiple of the time that it took: so it needs a tenth of one core at most. */
const REST = 9;
/** Its longest rest, in milliseconds: a computer that slept has not worked. */
const LONGEST_REST = 60_000;
/** A sweep in passing keeps what expired less than an hour ago: the clock may be ahead, and be set back. */
const SPARED = 3_600_000;
/** Each attempt after the first means that another process changed the record first. */
const MAX_CHANGE_ATTEMPTS = 100;

/** Errors of renaming a folder to a name that exists, if only for a moment. */
const TAKEN = ["EEXIST", "ENOTEMPTY", "ENOTDIR"];

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
  readonly #files: Files;
  readonly #dir: string;
  readonly #directory: Directory;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  readonly #background: Background;
  readonly #turns: Turns;
  #sweptAt: number | undefined;
  #sweeping: Promise<void> | undefined;
  #passing: Promise<void> | undefined;
  #stop = () => {};

  /** @throws {TypeError} If the platform does not have a file system. */
  constructor(
    dir: string,
    now: () => number,
    onError: (error: unknown) => void,
    wait: (ms: number) => Promise<void> = delay,
    platform: Background = background,
  ) {
    this.#files = new Files(wait);
    this.#dir = dir;
    this.#directory = new Directory(this.#files, dir);
    this.#now = now;
    this.#onError = onError;
    this.#background = platform;
    this.#turns = new Turns(this.#files, dir, SWEEP_EVERY);
  }

  async read(key: string): Promise<EngineRecord | null> {
    const paths = pathsOf(this.#dir, key);
    let last: string | undefined;
    while (true) {
      const found = await this.#directory.look(paths);
      if (!found) return foreignRecord(null);
      const { entries, head } = found;
      if (!head) return null;
      const { content: version, expires } = head;
      const value = entries.some((e) => e.name === version && e.isFile())
        ? await this.#files.patiently(() =>
          this.#files.read(`${paths.folder}/${version}`)
        )
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
      return head
        ? this.#replace(paths, head, next, value)
        : this.#create(paths, next, value);
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
    let tried = false;
    const done = await this.#retry(paths, ifVersion, async (head) => {
      if (!head) {
        await removeForeign(this.#files, paths);
        return true;
      }
      tried = true;
      const won = await this.#files.remove(`${folder}/${head.name}`);
      // If someone copied a second head into the folder, it must not bring the record back.
      return won && ifVersion !== undefined ? true : undefined;
    });
    if (tried) {
      await this.#files.syncFolder(folder);
      await this.#quietly((files) => clear(files, paths));
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

  async sweep(now: number): Promise<number> {
    while (this.#sweeping) await this.#sweeping;
    const sweep = this.#sweep(now);
    const done = () => void (this.#sweeping = undefined);
    this.#sweeping = sweep.then(done, done);
    return await sweep;
  }

  /** Resolves when no file is being changed. A sweep in passing stops where it is, and a later one goes on. */
  async close(): Promise<void> {
    this.#stop();
    await this.#passing;
    await this.#sweeping;
  }

  async #sweep(now: number): Promise<number> {
    await this.#directory.check();
    let count = 0;
    const sweep = sweepRecords(this.#files, this.#dir, () => now);
    for await (const { removed } of sweep) if (removed) count++;
    return count;
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
      const head = (await this.#directory.look(paths))?.head;
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

  async #replace(
    paths: Paths,
    head: Head,
    next: Head,
    value: string,
  ): Promise<Head | undefined> {
    const { folder } = paths;
    const from = `${folder}/${head.name}`;
    const content = `${folder}/${next.content}`;
    let placed = false;
    try {
      await this.#files.create(content, value);
      placed = await this.#files.rename(
        from,
        `${folder}/${next.name}`,
        () => this.#outcome(from, paths, next),
      );
    } catch (error) {
      // Another process deleted the record, or the file was created though the attempt failed.
      if (!isOneOf(["ENOENT", "ENOTDIR", "EEXIST"], error)) throw error;
    } finally {
      if (!placed) {
        await this.#quietly(async (files) => {
          // The rename may have happened though it failed.
          const head = (await look(files, paths))?.head;
          if (head?.content === next.content) return;
          await files.remove(content);
        });
      }
    }
    if (!placed) return undefined;
    await this.#files.syncFolder(folder);
    await this.#quietly((files) => files.remove(`${folder}/${head.content}`));
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
      await this.#directory.ensureShard(shard);
      await this.#files.createFolder(making);
      await this.#files.create(`${making}/${next.content}`, value);
      await this.#files.createEmpty(`${making}/${next.name}`);
      await this.#files.syncFolder(making);
      placed = await this.#files.rename(making, folder, async () => {
        const outcome = await this.#outcome(making, paths, next);
        // On Windows, a name that is taken causes the same errors as a file that is open.
        const taken = outcome === "did not happen" &&
          await this.#exists(folder);
        if (taken) throw Object.assign(new Error("taken"), { code: "EEXIST" });
        return outcome;
      });
    } catch (error) {
      // A sweep also removes folders of records that are being created.
      if (!isOneOf([...TAKEN, "ENOENT"], error)) throw error;
    } finally {
      if (!placed) await this.#quietly((files) => files.removeAll(making));
    }
    if (placed) {
      await this.#files.syncFolder(shard);
      return next;
    }
    await removeForeign(this.#files, paths);
    await clear(this.#files, paths);
    return undefined;
  }

  /**
   * Finds out whether a rename that failed has made `next` the head. An error must not hide a change that has happened:
   * the caller would make it again, on a record that another process may have changed since.
   */
  async #outcome(from: string, paths: Paths, next: Head): Promise<Outcome> {
    try {
      if (await this.#exists(from)) return "did not happen";
      const head = (await look(this.#files, paths))?.head;
      if (head?.content === next.content) return "happened";
      // A record with more contents may have replaced this one.
      return head && head.count > next.count ? "unknown" : "did not happen";
    } catch {
      return "unknown";
    }
  }

  #exists(path: string): Promise<boolean> {
    return this.#files.patiently(() => this.#files.kind(path) !== "none");
  }

  /**
   * Cleans up after a change. An error must not make the change look failed, nor delay it. A later sweep removes the
   * rest, and reports what it cannot remove.
   */
  async #quietly(cleanUp: (files: Files) => Promise<unknown>): Promise<void> {
    try {
      await cleanUp(this.#files.hasty);
    } catch (error) {
      if (!isBusy(error)) this.#onError(error);
    }
  }

  #sweepInPassing(): void {
    const now = this.#now();
    this.#sweptAt ??= now;
    // A clock that was set back must not delay the next sweep, and a broken clock (NaN) must not start one.
    const due = Math.abs(now - this.#sweptAt) >= SWEEP_EVERY;
    if (!due || this.#passing) return;
    this.#sweptAt = now;
    const done = () => void (this.#passing = undefined);
    this.#passing = this.#takeTurn(now).catch(this.#onError).finally(done);
  }

  /** Sweeps, if no other process does, and rests most of the time. */
  async #takeTurn(now: number): Promise<void> {
    let stopped = false;
    const stop = new Promise<void>((resolve) => {
      this.#stop = () => resolve(void (stopped = true));
    });
    let began = this.#background.elapsed();
    await this.#directory.check();
    const after = await this.#turns.take(now);
    if (after === undefined) return;
    const sweep = sweepRecords(
      this.#files,
      this.#dir,
      () => this.#now() - SPARED,
      after,
    );
    let last = after;
    let visits = 0;
    for await (const { shard, done } of sweep) {
      if (done) {
        last = shard;
        if (!await this.#turns.keep(last, this.#now() + SWEEP_EVERY)) return;
      }
      if (++visits % STRETCH > 0) continue;
      const took = this.#background.elapsed() - began;
      if (!stopped) await Promise.race([this.#rest(took), stop]);
      if (stopped) {
        await this.#turns.keep(last, this.#now());
        return;
      }
      began = this.#background.elapsed();
    }
    await this.#turns.keep("", this.#now() + SWEEP_EVERY);
  }

  /** Where the platform allows it, a process may end meanwhile. */
  #rest(took: number): Promise<void> {
    const ms = Math.min(took * REST, LONGEST_REST);
    return new Promise((resolve) => {
      if (!this.#background.later(ms, resolve)) delay(ms).then(resolve);
    });
  }
}
