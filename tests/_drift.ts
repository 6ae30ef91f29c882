/**
 * Documents that a tool writes in part: whether they are as the tool would write them now.
 *
 * @module
 */
import { AssertionError } from "@std/assert";

/**
 * Throws, if a document is not as its tool would write it. The message names the first line that differs and the
 * heading and comment above it, and no other line: a whole document would hide the difference.
 *
 * @param path The document, for people.
 * @param found Its text.
 * @param written What the tool would write.
 * @param tool The command that writes it.
 */
export function assertNoDrift(
  { path, found, written, tool }: {
    path: string;
    found: string;
    written: string;
    tool: string;
  },
): void {
  if (found === written) return;
  const has = found.split("\n");
  const wants = written.split("\n");
  const at = wants.findIndex((line, i) => line !== has[i]);
  const line = at === -1 ? wants.length : at;
  const above = has.slice(0, line).reverse();
  const heading = above.find((text) => /^#+ /.test(text));
  const fence = above.find((text) => /^<!-- \w+: .* -->$/.test(text));
  throw new AssertionError([
    `${path}:${line + 1} has drifted; \`${tool}\` writes it anew.`,
    ...heading ? [`  below  ${heading}`] : [],
    ...fence ? [`  from   ${fence}`] : [],
    `  found  ${quoted(has[line])}`,
    `  now    ${quoted(wants[line])}`,
  ].join("\n"));
}

function quoted(line: string | undefined): string {
  return line === undefined ? "the end" : JSON.stringify(line.slice(0, 200));
}
