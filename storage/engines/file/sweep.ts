/**
 * Tidying up a directory of records, while others write to it.
 *
 * @module
 */
import { clear, look, NEW, newestHead, type Place } from "./layout.ts";
import { newVersion } from "../record.ts";
import type { Entry, Files } from "./files.ts";

const SHARD = /^[\w-]{2}$/;
const KEY = /^[\w-]{43}$/;
const CONTENT = /^(\d{1,15})-[\w-]{16}$/;
/** A record in the making that a sweep took away from whoever left it. */
const OLD = ".old-";

/**
 * Removes the records that are over at `now`, and what processes that were killed have left.
 *
 * @throws {AggregateError} If some could not be removed; the others are.
 */
export async function sweepRecords(
  files: Files,
  dir: string,
  now: number,
): Promise<void> {
  const errors: unknown[] = [];
  for (const outer of await files.listInTurn(dir)) {
    if (!outer.isDirectory() || !SHARD.test(outer.name)) continue;
    const shard = `${dir}/${outer.name}`;
    for (const inner of await files.listInTurn(shard)) {
      if (!inner.isDirectory()) continue;
      try {
        await sweepFolder(files, shard, inner.name, now);
      } catch (error) {
        errors.push(error);
      }
    }
  }
  if (errors.length > 0) {
    throw new AggregateError(errors, "Cannot sweep every record");
  }
}

async function sweepFolder(
  files: Files,
  shard: string,
  name: string,
  now: number,
): Promise<void> {
  const folder = `${shard}/${name}`;
  if (name.startsWith(OLD)) await files.removeAll(folder);
  else if (name.startsWith(NEW)) {
    // Whoever is still at it finds it gone as a whole, and makes another.
    const old = `${shard}/${OLD}${newVersion()}`;
    if (await files.rename(folder, old)) await files.removeAll(old);
  } else if (KEY.test(name)) {
    const entries = await files.listInTurn(folder);
    const head = newestHead(entries);
    const place = { shard, folder };
    if (!head) await clear(files, place);
    else if (!(head.expires > now)) {
      if (await files.remove(`${folder}/${head.name}`)) {
        await clear(files, place);
      }
    } else if (entries.length > 2) await clearContents(files, place, entries);
  }
}

/**
 * Removes contents that no head names.
 *
 * @param entries What the folder held some time ago. A content found there was made on top of a head that stood then.
 * Where the head of now counts as many contents or more, that one is gone for good, and with it the content's chance.
 */
async function clearContents(
  files: Files,
  place: Place,
  entries: readonly Entry[],
): Promise<void> {
  const head = look(files, place)?.head;
  if (!head) return;
  for (const { name } of entries) {
    const count = Number(CONTENT.exec(name)?.[1] ?? Infinity);
    if (count <= head.count && name !== head.content) {
      await files.remove(`${place.folder}/${name}`);
    }
  }
}
