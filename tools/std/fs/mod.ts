/** The part of `@std/fs` that is used here, over `node:fs`. */
export * from "./ensure_dir.ts";
export * from "./exists.ts";
export * from "./walk.ts";
