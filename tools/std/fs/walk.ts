import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What to walk over, and what to leave out. */
export interface WalkOptions {
  /** How deep to go; the root is at depth 0. */
  maxDepth?: number;
  /** Yield files. */
  includeFiles?: boolean;
  /** Yield folders. */
  includeDirs?: boolean;
  /** Yield only files that end so. */
  exts?: string[];
  /** Leave out a path, and all below it, that matches one of these. */
  skip?: RegExp[];
}

/** One entry that was found. */
export interface WalkEntry {
  path: string;
  name: string;
  isFile: boolean;
  isDirectory: boolean;
  isSymlink: boolean;
}

/** Walks a folder, itself first, following no symbolic link. */
export async function* walk(
  root: string | URL,
  options: WalkOptions = {},
): AsyncIterableIterator<WalkEntry> {
  const { maxDepth = Infinity, includeFiles = true, includeDirs = true } =
    options;
  const { exts, skip = [] } = options;
  const path = root instanceof URL ? fileURLToPath(root) : root;
  if (maxDepth < 0 || skip.some((pattern) => pattern.test(path))) return;
  if (includeDirs && !exts) {
    yield entry(path, basename(path), "directory");
  }
  if (maxDepth < 1) return;
  for (const child of await readdir(path, { withFileTypes: true })) {
    const childPath = join(path, child.name);
    if (child.isDirectory()) {
      yield* walk(childPath, { ...options, maxDepth: maxDepth - 1 });
      continue;
    }
    if (!includeFiles) continue;
    if (exts && !exts.some((ext) => childPath.endsWith(ext))) continue;
    if (skip.some((pattern) => pattern.test(childPath))) continue;
    yield entry(
      childPath,
      child.name,
      child.isSymbolicLink() ? "symlink" : "file",
    );
  }
}

function entry(
  path: string,
  name: string,
  kind: "file" | "directory" | "symlink",
): WalkEntry {
  return {
    path,
    name,
    isFile: kind === "file",
    isDirectory: kind === "directory",
    isSymlink: kind === "symlink",
  };
}
