/**
 * The directory of the sessions.
 *
 * @module
 */
import { type Found, look, type Paths } from "./layout.ts";
import { type Files, isOneOf } from "./files.ts";

/**
 * A directory that is created once.
 *
 * If it disappears, all calls fail until it is there again, and none creates it anew. Its disk may be unmounted: visitors
 * would be signed out, new sessions would be written below the mount point, and nobody would notice until the disk is
 * back. An operator who deleted the directory on purpose creates it again, or restarts the processes.
 */
export class Directory {
  readonly #files: Files;
  readonly #dir: string;
  /** Whether the directory has existed. */
  #seen = false;

  constructor(files: Files, dir: string) {
    this.#files = files;
    this.#dir = dir;
  }

  /**
   * Reads a record's folder.
   *
   * @throws {Error} If there is no record because the directory has disappeared.
   */
  async look(paths: Paths): Promise<Found | undefined> {
    const found = await look(this.#files, paths);
    if (found?.head) this.#seen = true;
    else await this.check();
    return found;
  }

  /**
   * Makes sure that the directory has not disappeared.
   *
   * @throws {Error} If it existed before and does not now, or if it is not a directory.
   */
  async check(): Promise<void> {
    await this.#files.patiently(() => this.#check());
  }

  #check(): void {
    // With `/.`, a link to a directory counts as a directory.
    const isThere = () => this.#files.kind(`${this.#dir}/.`) === "folder";
    if (isThere()) this.#seen = true;
    else if (
      // Another process may have created the directory since the first look.
      this.#seen || this.#files.kind(this.#dir) !== "none" && !isThere()
    ) {
      throw new Error(
        "the directory of the sessions does not exist, or is not a directory; mount its disk, or create it",
      );
    }
  }

  /** Creates the folder of a record's folder, and the directory if it has never existed. */
  async ensureShard(shard: string): Promise<void> {
    const kind = await this.#files.patiently(() => this.#files.kind(shard));
    if (kind === "folder") return;
    if (kind === "foreign") {
      throw new Error(
        "Cannot write record: a file has the name of a folder in the directory of the sessions",
      );
    }
    if (this.#seen) {
      // If the directory has disappeared since the last look, this fails instead of creating it.
      await this.#files.createFolder(shard).catch((error) => {
        if (!isOneOf(["EEXIST"], error)) throw error;
      });
      await this.#files.syncFolder(this.#dir);
    } else {
      await this.#files.ensureFolder(shard);
      this.#seen = true;
      await this.#files.syncFolder(this.#dir);
      // The process may lack the permission for the parent folder.
      await this.#files.syncFolder(`${this.#dir}/..`).catch(() => {});
    }
  }
}
