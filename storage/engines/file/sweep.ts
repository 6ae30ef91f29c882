/**
 * Removes expired records from a directory while other processes write to it.
 *
 * @module
 */
import { newVersion } from "../record.ts";
import { clear, look, NEW, newestHead, type Paths } from "./layout.ts";
import type { Entry, Files } from "./files.ts";

const SHARD = /^[\w-]{2}$/;
const KEY = /^[\w-]{43}$/;
const CONTENT = /^(\d{1,15})-[\w-]{16}$/;
/** A folder that a sweep is removing. */
const OLD = ".old-";

/** Enough to see what is wrong. There may be one for each of a million records. */
const MAX_ERRORS = 100;

/** What a sweep has done. */
export interface Swept {
  /** The folder of records that it is in. */
  readonly shard: string;
  /** Whether it has finished that folder. */
  readonly done: boolean;
  /** Whether it has removed a record. */
  readonly removed: boolean;
}

/**
 * Removes the records that have expired, and the files that killed processes left behind. Stops after each record, and
 * after each folder of records: their order is always the same.
 *
 * @param now The time when a record expires. It is asked for each of them.
 * @param after The sweep begins after this folder.
 * @throws {AggregateError} If some could not be removed. The others are removed.
 */
export async function* sweepRecords(
  files: Files,
  dir: string,
  now: () => number,
  after: string = "",
): AsyncGenerator<Swept, void> {
  const errors: unknown[] = [];
  let trying = files;
  try {
    const shards = (await files.listAsync(dir))
      .filter((entry) => entry.isDirectory() && SHARD.test(entry.name))
      .map(({ name }) => name)
      .filter((name) => name > after)
      .sort();
    for (const shard of shards) {
      for (const entry of await files.listAsync(`${dir}/${shard}`)) {
        if (!entry.isDirectory()) continue;
        let removed = false;
        try {
          removed = await sweepFolder(
            trying,
            `${dir}/${shard}`,
            entry.name,
            now(),
          );
        } catch (error) {
          if (errors.length < MAX_ERRORS) errors.push(error);
          // A sweep of records that can never be removed must not wait for each of them.
          trying = files.hasty;
        }
        yield { shard, done: false, removed };
      }
      yield { shard, done: true, removed: false };
    }
  } finally {
    if (errors.length > 0) {
      // deno-lint-ignore no-unsafe-finally -- a caller that stops early must also see them
      throw new AggregateError(errors, "Cannot remove every expired record");
    }
  }
}

/** Returns whether it has removed a record. */
async function sweepFolder(
  files: Files,
  shard: string,
  name: string,
  now: number,
): Promise<boolean> {
  const folder = `${shard}/${name}`;
  if (name.startsWith(OLD)) await files.removeAll(folder);
  else if (name.startsWith(NEW)) {
    // If a process is still writing it, the whole folder disappears, and that process creates another.
    const old = `${shard}/${OLD}${newVersion()}`;
    if (await files.rename(folder, old)) await files.removeAll(old);
  } else if (KEY.test(name)) {
    const entries = await files.listAsync(folder);
    const head = newestHead(entries);
    const paths = { shard, folder };
    if (!head) await clear(files, paths);
    else if (head.expires <= now) {
      if (await files.remove(`${folder}/${head.name}`)) {
        await clear(files, paths);
        return true;
      }
    } else if (entries.length > 2) await clearContents(files, paths, entries);
  }
  return false;
}

/**
 * Removes contents that no head names.
 *
 * @param entries An earlier listing of the folder. The content of a write that is not complete has a higher count than
 * the head that it replaces. If the present head has the same count or a higher one, that write has failed.
 */
async function clearContents(
  files: Files,
  paths: Paths,
  entries: readonly Entry[],
): Promise<void> {
  const head = (await look(files, paths))?.head;
  if (!head) return;
  for (const { name } of entries) {
    const count = Number(CONTENT.exec(name)?.[1] ?? Infinity);
    if (count <= head.count && name !== head.content) {
      await files.remove(`${paths.folder}/${name}`);
    }
  }
}
