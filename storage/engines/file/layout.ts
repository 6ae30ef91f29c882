/**
 * How records lie in a directory: `<first two of the key>/<key>/`, each with a head and a content.
 *
 * @module
 */
import { newVersion } from "../record.ts";
import type { Entry, Files } from "./files.ts";

const HEAD = /^((\d{1,15})-[\w-]{16})@([\d.e+-]{1,30}|Infinity)$/;
/** A record in the making. */
export const NEW = ".new-";

/** The file whose name says which content is the record's. */
export interface Head {
  /** The name of its own file. */
  readonly name: string;
  /** The name of the content, which is also the record's version. */
  readonly content: string;
  /** How many contents the record has had. */
  readonly count: number;
  readonly expires: number;
}

/** Where a record is. */
export interface Place {
  readonly shard: string;
  readonly folder: string;
}

/** What a record's folder holds. */
export interface Found {
  readonly entries: readonly Entry[];
  readonly head: Head | undefined;
}

const NOTHING: Found = { entries: [], head: undefined };

/** Where the record of a key is. */
export function placeOf(dir: string, key: string): Place {
  const shard = `${dir}/${key.slice(0, 2)}`;
  return { shard, folder: `${shard}/${key}` };
}

/** What a record's folder holds; `undefined` where a link or a file is in its place. */
export function look(
  files: Files,
  { shard, folder }: Place,
): Found | undefined {
  for (const path of [shard, folder]) {
    const kind = files.kind(path);
    if (kind === "none") return NOTHING;
    if (kind === "foreign") return undefined;
  }
  const entries = files.list(folder);
  const head = newestHead(entries);
  if (head || entries.length === 0) return { entries, head };
  // POSIX lets a listing miss both names of what is being renamed: only a second one counts.
  const again = files.list(folder);
  return { entries: again, head: newestHead(again) };
}

/** Removes a link or a file in a record's place, and nothing that it leads to. */
export async function removeForeign(
  files: Files,
  { shard, folder }: Place,
): Promise<void> {
  const foreign = files.kind(shard) === "folder" &&
    files.kind(folder) === "foreign";
  if (foreign) await files.remove(folder);
}

/**
 * Removes what is in a record's folder without a head.
 *
 * One name at a time, because names never come back: a record that another process has put there meanwhile keeps its own.
 */
export async function clear(files: Files, place: Place): Promise<void> {
  const found = look(files, place);
  if (!found || found.head) return;
  for (const { name } of found.entries) {
    await files.removeAll(`${place.folder}/${name}`);
  }
  await files.removeEmptyFolder(place.folder);
}

/** A head that there has never been. */
export function headOf(count: number, expires: number): Head {
  const content = `${count}-${newVersion()}`;
  return { name: `${content}@${expires}`, content, count, expires };
}

/** The head among the entries of a record's folder. */
export function newestHead(entries: readonly Entry[]): Head | undefined {
  let newest: Head | undefined;
  for (const entry of entries) {
    const [name, content, count, expires] = HEAD.exec(entry.name) ?? [];
    if (!name || !content || !entry.isFile()) continue;
    const head = {
      name,
      content,
      count: Number(count),
      expires: Number(expires),
    };
    if (Number.isNaN(head.expires)) continue;
    // A listing that runs into a renaming may have both names.
    if (!newest || head.count > newest.count) newest = head;
  }
  return newest;
}
