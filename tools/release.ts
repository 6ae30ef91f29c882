/**
 * Refuses a release whose tag, version and change log do not agree: `deno run --allow-read=. tools/release.ts v0.2.0`.
 */
// deno-lint-ignore-file no-console -- a command
import { readConfig, root } from "./project.ts";

/**
 * What is wrong with a release.
 *
 * @param tag The tag that was pushed.
 * @param version The version in deno.json.
 * @param changes The text of CHANGELOG.md.
 * @returns A sentence for each mistake; none if the tag may be published.
 */
export function mistakes(
  tag: string,
  version: string,
  changes: string,
): string[] {
  const found: string[] = [];
  if (tag !== `v${version}`) {
    found.push(
      `The tag is ${tag}, and deno.json's version is ${version}. Set one to the other.`,
    );
  }
  if (!changes.split("\n").includes(`## ${version}`)) {
    found.push(
      `CHANGELOG.md has no heading "## ${version}". Rename "## Unreleased".`,
    );
  }
  return found;
}

if (import.meta.main) {
  const [tag = ""] = Deno.args;
  const changes = await Deno.readTextFile(new URL("CHANGELOG.md", root));
  const found = mistakes(tag, readConfig().version, changes);
  for (const line of found) console.error(line);
  if (found.length > 0) Deno.exitCode = 1;
}
