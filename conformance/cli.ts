#!/usr/bin/env node
/**
 * The conformance suite as a command, for Deno, Node and Bun.
 *
 * ```sh
 * deno run -A jsr:@satchel/session/conformance/cli ./target.ts
 * node node_modules/@satchel/session/conformance/cli.js ./target.mjs
 * bun node_modules/@satchel/session/conformance/cli.js ./target.ts
 * ```
 *
 * The file exports a target as its default, several as a list, or some by name. `--help` shows the options. The exit
 * status is 0 for a conformant or partial result, 1 if a rule is broken or an expected failure does not happen, 2 if the
 * suite or the target failed, the command was misused or the report could not be written, and 3 if a rule could not be
 * tried. A target that ends the process, or waits for something that never happens, is a 2.
 *
 * @example A target file
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import type { Target } from "@satchel/session/conformance";
 *
 * export const target: Target = {
 *   name: "memory",
 *   capabilities: ["revoke", "expiry", "touch", "absolute", "merge"],
 *   clock: { kind: "virtual", advance() {} },
 *   open: ({ namespace: _, ...options }) => ({
 *     storage: createMemorySessionStorage(options),
 *   }),
 * };
 * ```
 *
 * @module
 */
import { isMain } from "./command/command_line.ts";
import { main } from "./command/process.ts";

// Not awaited: a module that never settles would have a status of its own on each runtime.
if (isMain(import.meta)) void main(import.meta.url);
