/**
 * Sessions in files: for one machine, with any number of processes, without a database.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import { type OptionNames, typeOf } from "../core/options.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, STORAGE_OPTIONS } from "./sessions/bind.ts";
import { FileEngine } from "./engines/file/engine.ts";

/** Options of {@linkcode createFileSessionStorage}. */
export interface FileSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /** The directory, on a local file system. The first write creates it, for its user alone. */
  dir: string;
}

/**
 * Keeps sessions in files, which survive a restart and a power failure, and which several processes of a machine may
 * share. Works on Deno, Bun and Node.
 *
 * Give it a directory of its own that no other user may write to. A save is on the disk before it resolves. Expired
 * sessions are removed every ten minutes, in the background of whatever request comes along, and by `sweep()`.
 *
 * @param options Directory, cookie and timeouts.
 * @returns The storage, bound to the cookie if there is one.
 * @throws {TypeError} If `dir` is missing, or the platform has no file system; if the cookie is refused, as by
 * {@linkcode createCookie}; or if `now`, `owner` or `onEvent` is no function.
 * @throws {RangeError} If a timeout is not positive and finite, `touchAfter` is negative or not shorter than
 * `idleTimeout`, or the cookie's `maxAge` is negative or not finite.
 *
 * @example A session that survives a restart
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
      policy.report("engine-error", cause);
    });
  });
}

const OPTIONS: OptionNames<FileSessionStorageOptions> = {
  ...STORAGE_OPTIONS,
  dir: true,
};

/**
 * {@linkcode createFileSessionStorage} under the name and with the arguments of Remix 3.
 *
 * @param dir The directory.
 * @param options Cookie and timeouts.
 * @returns The storage, bound to the cookie if there is one.
 * @throws {TypeError} If `dir` is missing, or the platform has no file system; if the cookie is refused, as by
 * {@linkcode createCookie}; or if `now`, `owner` or `onEvent` is no function.
 * @throws {RangeError} If a timeout is not positive and finite, `touchAfter` is negative or not shorter than
 * `idleTimeout`, or the cookie's `maxAge` is negative or not finite.
 *
 * @example With the directory first
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
  options?: StorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  return createFileSessionStorage({ ...options, dir });
}
