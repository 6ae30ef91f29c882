/**
 * The layout of a directory: each record is a folder, `<first two of the key>/<key>/`, with a head and a content.
 *
 * @module
 */
import { newVersion } from "../record.ts";
import type { Entry, Files } from "./files.ts";

const HEAD = /^((\d{1,15})-[\w-]{16})@([\d.e+-]{1,30}|Infinity)$/;
/** The folder of a record that is being created. */
export const NEW = ".new-";

/** The file whose name says which content is the record's, and until when. */
export interface Head {
  /** The name of its own file. */
  readonly name: string;
  /** The name of the content, which is also the record's version. */
  readonly content: string;
  /** How many contents the record has had. */
  readonly count: number;
  readonly expires: number;
}

/** The paths of a record. */
export interface Paths {
  readonly shard: string;
  readonly folder: string;
}

/** The content of a record's folder. */
export interface Found {
  readonly entries: readonly Entry[];
  readonly head: Head | undefined;
}

const NOTHING: Found = { entries: [], head: undefined };

/** The paths of the record of a key. */
export function pathsOf(dir: string, key: string): Paths {
  const shard = `${dir}/${key.slice(0, 2)}`;
  return { shard, folder: `${shard}/${key}` };
}

/** Reads a record's folder. Returns `undefined` if a link or a file has its name. */
export function look(files: Files, paths: Paths): Promise<Found | undefined> {
  return files.patiently(() => lookOnce(files, paths));
}

function lookOnce(
  files: Files,
  { shard, folder }: Paths,
): Found | undefined {
  for (const path of [shard, folder]) {
    const kind = files.kind(path);
    if (kind === "none") return NOTHING;
    if (kind === "foreign") return undefined;
  }
  const entries = files.list(folder);
  const head = newestHead(entries);
  if (head || entries.length === 0) return { entries, head };
  // POSIX allows a listing to miss both names of a file that is being renamed, so a second one decides.
  const again = files.list(folder);
  return { entries: again, head: newestHead(again) };
}

/** Removes a link or a file that has the name of a record's folder. The target of a link stays. */
export async function removeForeign(
  files: Files,
  { shard, folder }: Paths,
): Promise<void> {
  const foreign = await files.patiently(() =>
    files.kind(shard) === "folder" && files.kind(folder) === "foreign"
  );
  if (foreign) await files.remove(folder);
}

/**
 * Removes a record's folder, if it does not have a head.
 *
 * Removes one name after the other. Names are never used twice, so a record that another process creates meanwhile
 * keeps its files.
 */
export async function clear(files: Files, paths: Paths): Promise<void> {
  const found = await look(files, paths);
  if (!found || found.head) return;
  for (const { name } of found.entries) {
    await files.removeAll(`${paths.folder}/${name}`);
  }
  await files.removeEmptyFolder(paths.folder);
}

/** Makes a head with a new content. */
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
    // A listing during a rename may contain both names.
    if (!newest || head.count > newest.count) newest = head;
  }
  return newest;
}
