/**
 * Reads what `deno test`, `bun test` and `node --test` all write: JUnit's XML.
 *
 * @module
 */
import type { Outcome } from "./_worker_runner.ts";

const CASE =
  /<testcase name="([^"]*)"(?:\s+\w+="[^"]*")*\s*(?:\/>|>([^]*?)<\/testcase>)/g;

/** What became of each test; one that was skipped has not passed. */
export function parseJunit(xml: string): Outcome[] {
  return Array.from(xml.matchAll(CASE), ([, name = "", body = ""]) => {
    const failed = /<(failure|error|skipped)\b/.test(body);
    const outcome = { name: unescape(name) };
    return failed ? { ...outcome, error: unescape(body).trim() } : outcome;
  });
}

function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"').replaceAll("&apos;", "'")
    .replaceAll("&#10;", "\n").replaceAll("&amp;", "&");
}
