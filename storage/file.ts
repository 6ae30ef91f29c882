/**
 * Sessions in files.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import { typeOf } from "../core/options.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, type OwnOptions } from "./sessions/bind.ts";
import type { RemixStorageOptions } from "./sessions/remix_options.ts";
import { FileEngine } from "./engines/file/engine.ts";

/** Options of {@linkcode createFileSessionStorage}. */
export interface FileSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data>, RemixStorageOptions {
  /**
   * The directory, on a local file system. The first write creates it, readable only by the process's user. If it is on
   * a disk that can be unmounted, use a folder on that disk: while it is missing, reads and saves fail.
   */
  dir: string;
}

/**
 * Keeps sessions in files. They survive a restart and a power failure, and processes on one machine can share them.
 * Works on Deno, Bun and Node.
 *
 * Use a separate directory that other users cannot write to. When a save resolves, it is on the disk. Sessions that
 * expired an hour ago are removed in the background, at most every ten minutes, after a save. One process at a time does
 * it, with a tenth of one core at most. `sweep()` removes them without rests.
 *
 * On Windows, scanners and indexers open files for moments. An operation that fails because of this is repeated for a
 * little more than a second.
 *
 * @param options The directory, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If `dir` is missing, the platform does not have a file system, an option is unknown or malformed,
 * or {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example Read a session after a restart
 * ```ts
 * import { createFileSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const dir = await Deno.makeTempDir();
 * const storage = createFileSessionStorage({ dir });
 * const session = await storage.read(null);
 * session.set("theme", "dark");
 * const value = await storage.save(session);
 *
 * const restarted = createFileSessionStorage({ dir });
 * assertEquals((await restarted.read(value)).get("theme"), "dark");
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export function createFileSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: FileSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  return engineStorage(options, OPTIONS, (policy) => {
    const { dir } = options;
    if (typeof dir !== "string" || dir === "") {
      throw new TypeError(
        `Cannot create storage: dir must be the path of a directory, received ${
          dir === "" ? "an empty string" : typeOf(dir)
        }`,
      );
    }
    return new FileEngine(dir, policy.now, (cause) => {
      policy.report("engine-error", { cause });
    });
  });
}

const OPTIONS: OwnOptions<FileSessionStorageOptions> = {
  dir: true,
  useUnknownIds: true,
};

/**
 * {@linkcode createFileSessionStorage} with the name and arguments of Remix 3.
 *
 * @param dir The directory.
 * @param options The cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} As {@linkcode createFileSessionStorage}.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example Save a session
 * ```ts
 * import { createFsSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const dir = await Deno.makeTempDir();
 * const storage = createFsSessionStorage(dir);
 * const session = await storage.read(null);
 * session.set("theme", "dark");
 * const value = await storage.save(session);
 *
 * assertEquals((await storage.read(value)).get("theme"), "dark");
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export function createFsSessionStorage<Data = SessionData, FlashData = Data>(
  dir: string,
  options?: StorageOptions<Data> & RemixStorageOptions,
): SessionStorage<Data, FlashData> {
  return createFileSessionStorage({ ...options, dir });
}
