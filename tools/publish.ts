/**
 * `deno publish --dry-run` in a copy, so that it also works with the substitutes for JSR.
 *
 * It refuses slow types, and what would be missing.
 */
// deno-lint-ignore-file no-console -- a command
import { deno } from "./project.ts";
import { stage } from "./stage.ts";

using staged = await stage();
const { ok, text } = await deno(
  ["publish", "--dry-run", "--allow-dirty", "--no-lock"],
  { cwd: staged.folder },
);
console.log(text);
if (!ok) Deno.exitCode = 1;
