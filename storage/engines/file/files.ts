/**
 * The few things that file sessions ask of a file system, on Deno, Bun and Node.
 *
 * Looking is synchronous: a local file system answers from memory in microseconds, where a thread pool takes hundreds.
 * Changes wait for a disk, or for others who do, and are not.
 *
 * @module
 */
import type * as NodeFs from "node:fs";
import { builtin } from "../../../core/runtime.ts";

/** What is found under a name, links not followed. */
export type Kind = "none" | "folder" | "foreign";

/** An entry of a folder. */
export interface Entry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

const NOT_THERE = ["ENOENT", "ENOTDIR"];
/** What opening a link, a pipe, a socket or a folder comes to where a file is expected, and what a missing file does. */
const NO_FILE = ["ENOENT", "ELOOP", "EMLINK", "EISDIR", "ENXIO", "EAGAIN"];
/** Windows opens no folder for syncing, some network file systems sync none, and one that is gone needs no syncing. */
const NO_FOLDER_SYNC = ["EPERM", "EISDIR", "EACCES", "EINVAL", "ENOENT"];

/** A file system, private to the user it runs as. */
export class Files {
  readonly #fs: typeof NodeFs;
  readonly #toRead: number;
  readonly #toCreate: number;

  /** @throws {TypeError} If the platform has no file system. */
  constructor() {
    const fs = builtin<typeof NodeFs>("node:fs");
    if (!fs) {
      throw new TypeError(
        "Cannot create storage: there is no node:fs here (Deno, Bun and Node from 20.16 have it); use createCookieSessionStorage, or createSessionStorage with an engine of this platform",
      );
    }
    this.#fs = fs;
    // Windows lacks the last two.
    const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } =
      fs.constants;
    // Opening a pipe would otherwise wait for its other end.
    const { O_NONBLOCK = 0 } = fs.constants;
    this.#toRead = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    this.#toCreate = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  }

  kind(path: string): Kind {
    const stats = unless(
      NOT_THERE,
      () => this.#fs.lstatSync(path, { throwIfNoEntry: false }),
    );
    if (!stats) return "none";
    return stats.isDirectory() ? "folder" : "foreign";
  }

  /** A folder's entries; none where there is no such folder. */
  list(path: string): Entry[] {
    return unless(
      NOT_THERE,
      () => this.#fs.readdirSync(path, { withFileTypes: true }),
    ) ?? [];
  }

  /** As {@linkcode list}, for many folders in a row. */
  async listInTurn(path: string): Promise<Entry[]> {
    let entries: Entry[] = [];
    await succeeds(NOT_THERE, async () => {
      entries = await this.#fs.promises.readdir(path, { withFileTypes: true });
    });
    return entries;
  }

  /** A file's text; `undefined` where there is no file under that very name. */
  read(path: string): string | undefined {
    return unless(
      NO_FILE,
      () =>
        this.#fs.readFileSync(path, {
          encoding: "utf8",
          flag: this.#toRead as unknown as string,
        }),
    );
  }

  /** Creates a file that is on the disk when this resolves. */
  async create(path: string, text: string): Promise<void> {
    const file = await this.#fs.promises.open(path, this.#toCreate, 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Creates an empty file, which {@linkcode syncFolder} brings to the disk. */
  async createEmpty(path: string): Promise<void> {
    const file = await this.#fs.promises.open(path, this.#toCreate, 0o600);
    await file.close();
  }

  async createFolder(path: string): Promise<void> {
    await this.#fs.promises.mkdir(path, { mode: 0o700 });
  }

  /** Creates a folder and those that it is in, where they are missing. */
  async ensureFolder(path: string): Promise<void> {
    await this.#fs.promises.mkdir(path, { mode: 0o700, recursive: true });
  }

  /** Brings the names in a folder to the disk. */
  syncFolder(path: string): Promise<boolean> {
    return succeeds(NO_FOLDER_SYNC, async () => {
      const folder = await this.#fs.promises.open(path, "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    });
  }

  /** Renames; `false` where there is nothing of that name. */
  rename(from: string, to: string): Promise<boolean> {
    return succeeds(["ENOENT"], () => this.#fs.promises.rename(from, to));
  }

  /** Removes a file or a link, not what it points to; `false` where there is nothing of that name. */
  remove(path: string): Promise<boolean> {
    return succeeds(NOT_THERE, () => this.#fs.promises.unlink(path));
  }

  /** Removes whatever is under a name, with all that is in it. */
  async removeAll(path: string): Promise<void> {
    await this.#fs.promises.rm(path, { recursive: true, force: true });
  }

  /** Removes a folder if it is empty. */
  async removeEmptyFolder(path: string): Promise<void> {
    await succeeds(
      [...NOT_THERE, "ENOTEMPTY", "EEXIST"],
      () => this.#fs.promises.rmdir(path),
    );
  }
}

/** Whether an error has one of these codes. */
export function isOneOf(codes: readonly string[], error: unknown): boolean {
  const code = error instanceof Error && "code" in error && error.code;
  return typeof code === "string" && codes.includes(code);
}

/** What `look` gives; `undefined` where it throws an error with one of these codes. */
function unless<T>(codes: readonly string[], look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isOneOf(codes, error)) return undefined;
    throw error;
  }
}

/** Whether `change` succeeds, or else fails with one of these codes. */
async function succeeds(
  codes: readonly string[],
  change: () => Promise<void>,
): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    if (isOneOf(codes, error)) return false;
    throw error;
  }
}
