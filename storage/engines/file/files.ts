/**
 * The file system, on Deno, Bun and Node.
 *
 * Reads are synchronous: a local file system answers from memory within microseconds, and a thread pool takes hundreds.
 * Changes wait for a disk and are asynchronous.
 *
 * @module
 */
import type * as NodeFs from "node:fs";
import { builtin } from "../../../core/runtime.ts";

/** What a path leads to. Links are not followed. */
export type Kind = "none" | "folder" | "foreign";

/** An entry of a folder. */
export interface Entry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

/** Whether a rename that failed has happened nevertheless. */
export type Outcome = "happened" | "did not happen" | "unknown";

/**
 * Windows refuses to open, rename or remove a file for a moment while a scanner, an indexer or another process has it
 * open. The same errors can mean that the process lacks the permission, so that the last attempt decides.
 */
const BUSY = ["EPERM", "EBUSY", "EACCES"];
/** How long to wait before each new attempt, in milliseconds. */
const WAITS = [10, 20, 40, 80, 160, 320, 640];

const NOT_THERE = ["ENOENT", "ENOTDIR"];
/** Errors of opening a link, a pipe, a socket or a folder as a file, and of opening a file that does not exist. */
const NO_FILE = ["ENOENT", "ELOOP", "EMLINK", "EISDIR", "ENXIO", "EAGAIN"];
/** Windows cannot sync a folder, nor can some network file systems. A folder that was removed need not be synced. */
const NO_FOLDER_SYNC = ["EPERM", "EISDIR", "EACCES", "EINVAL", "ENOENT"];

/** A file system, private to the user it runs as. */
export class Files {
  /** The same file system, where each operation fails with its first error. */
  readonly hasty: Files;
  readonly #wait: ((ms: number) => Promise<void>) | undefined;
  readonly #fs: typeof NodeFs;
  readonly #toRead: number;
  readonly #toCreate: number;

  /**
   * @param wait Waits some milliseconds. With it, asynchronous operations repeat what failed as {@linkcode isBusy}.
   * @throws {TypeError} If the platform does not have a file system.
   */
  constructor(wait?: (ms: number) => Promise<void>) {
    this.#wait = wait;
    const fs = builtin<typeof NodeFs>("node:fs");
    if (!fs) {
      throw new TypeError(
        "Cannot create storage: this runtime does not have node:fs (Deno, Bun and Node 20.16 or later have it); use createCookieSessionStorage, or createSessionStorage with an engine for this runtime",
      );
    }
    this.#fs = fs;
    // Windows does not have O_NOFOLLOW and O_NONBLOCK. Without O_NONBLOCK, opening a pipe waits for its other end.
    const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
    const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
    this.#toRead = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    this.#toCreate = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    this.hasty = wait ? new Files() : this;
  }

  /** Repeats `attempt` while it fails as {@linkcode isBusy}, for a little more than a second. */
  async patiently<T>(attempt: () => T | Promise<T>): Promise<T> {
    if (this.#wait) {
      for (const ms of WAITS) {
        try {
          return await attempt();
        } catch (error) {
          if (!isBusy(error)) throw error;
        }
        await this.#wait(ms);
      }
    }
    return await attempt();
  }

  kind(path: string): Kind {
    const stats = ignoring(
      NOT_THERE,
      () => this.#fs.lstatSync(path, { throwIfNoEntry: false }),
    );
    if (!stats) return "none";
    return stats.isDirectory() ? "folder" : "foreign";
  }

  /** Lists a folder. Returns `[]` if it does not exist. */
  list(path: string): Entry[] {
    return ignoring(
      NOT_THERE,
      () => this.#fs.readdirSync(path, { withFileTypes: true }),
    ) ?? [];
  }

  /** Like {@linkcode list}, but asynchronous: for many folders in a row. */
  async listAsync(path: string): Promise<Entry[]> {
    let entries: Entry[] = [];
    await this.#succeeds(NOT_THERE, async () => {
      entries = await this.#fs.promises.readdir(path, { withFileTypes: true });
    });
    return entries;
  }

  /** Reads a file. Returns `undefined` if the path does not lead to a file, or leads to a link. */
  read(path: string): string | undefined {
    return ignoring(
      NO_FILE,
      () =>
        this.#fs.readFileSync(path, {
          encoding: "utf8",
          flag: this.#toRead as unknown as string,
        }),
    );
  }

  /** Creates a file, and resolves when it is on the disk. */
  async create(path: string, text: string): Promise<void> {
    const file = await this.#openNew(path);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Creates an empty file. {@linkcode syncFolder} writes it to the disk. */
  async createEmpty(path: string): Promise<void> {
    const file = await this.#openNew(path);
    await file.close();
  }

  async createFolder(path: string): Promise<void> {
    await this.patiently(() => this.#fs.promises.mkdir(path, { mode: 0o700 }));
  }

  /** Creates a folder and its parent folders, if they do not exist. */
  async ensureFolder(path: string): Promise<void> {
    await this.patiently(() =>
      this.#fs.promises.mkdir(path, { mode: 0o700, recursive: true })
    );
  }

  /** Writes the names in a folder to the disk. */
  syncFolder(path: string): Promise<boolean> {
    return this.#succeeds(NO_FOLDER_SYNC, async () => {
      const folder = await this.#fs.promises.open(path, "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    });
  }

  /**
   * Renames a file or a folder. Returns `false` if it does not exist.
   *
   * @param outcome Finds out what has happened after an error that {@linkcode isBusy}. Without it, such a rename is
   * repeated, and returns `false` if it has happened.
   */
  rename(
    from: string,
    to: string,
    outcome?: () => Promise<Outcome>,
  ): Promise<boolean> {
    return this.#succeeds(["ENOENT"], async () => {
      try {
        await this.#fs.promises.rename(from, to);
      } catch (error) {
        if (!outcome || !isBusy(error)) throw error;
        const known = await outcome();
        if (known === "did not happen") throw error;
        if (known === "happened") return;
        throw new Error("Cannot find out whether a file was renamed", {
          cause: error,
        });
      }
    });
  }

  /** Removes a file or a link, not its target. Returns `false` if it does not exist. */
  remove(path: string): Promise<boolean> {
    return this.#succeeds(NOT_THERE, () => this.#fs.promises.unlink(path));
  }

  /** Removes a file, a link, or a folder with its content. */
  async removeAll(path: string): Promise<void> {
    await this.patiently(() =>
      this.#fs.promises.rm(path, { recursive: true, force: true })
    );
  }

  /** Removes a folder, if it is empty. */
  async removeEmptyFolder(path: string): Promise<void> {
    await this.#succeeds(
      [...NOT_THERE, "ENOTEMPTY", "EEXIST"],
      () => this.#fs.promises.rmdir(path),
    );
  }

  #openNew(path: string): Promise<NodeFs.promises.FileHandle> {
    return this.patiently(() =>
      this.#fs.promises.open(path, this.#toCreate, 0o600)
    );
  }

  /** Whether `change` succeeds. Returns `false` if it throws an error with one of these codes. */
  #succeeds(
    codes: readonly string[],
    change: () => Promise<void>,
  ): Promise<boolean> {
    return this.patiently(async () => {
      try {
        await change();
        return true;
      } catch (error) {
        if (isOneOf(codes, error)) return false;
        throw error;
      }
    });
  }
}

/** Whether an error may be gone in a moment. */
export function isBusy(error: unknown): boolean {
  return isOneOf(BUSY, error);
}

/** Whether an error has one of these codes. */
export function isOneOf(codes: readonly string[], error: unknown): boolean {
  const code = error instanceof Error && "code" in error && error.code;
  return typeof code === "string" && codes.includes(code);
}

/** Returns the result of `look`, or `undefined` if it throws an error with one of these codes. */
function ignoring<T>(codes: readonly string[], look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isOneOf(codes, error)) return undefined;
    throw error;
  }
}
