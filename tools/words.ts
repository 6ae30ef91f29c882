/**
 * Refuses words that the vocabulary has replaced, in code, comments and messages.
 *
 * One thing has one name: the storage of sessions is a session storage, what stores texts under keys is an engine, and
 * a session past its deadline has expired.
 */
// deno-lint-ignore-file no-console -- a command
import { fileURLToPath } from "node:url";
import { filesIn, root } from "./project.ts";

const FOLDERS = ["core", "middleware", "mod.ts", "storage", "testing"];

const DETERMINER =
  "(?:a|an|the|this|that|each|every|its|their|our|one|another|" +
  "which|new|old|other|both|two)";

/** A retired word, and what to write instead. */
const RETIRED: readonly (readonly [RegExp, string])[] = [
  [/backend/i, "engine"],
  [new RegExp(`\\b${DETERMINER} stores?\\b`, "i"), "engine or session storage"],
  // Node's `AsyncLocalStorage` has a method `getStore`.
  [/\b(?!getStore\b)\w+Stores?\b/, "engine, records or session storage"],
  [/\b\w*Homes?\b|\b(?:new|old) homes?\b/i, "session storage"],
];

/** The lines of a text that have a retired word, each with its number and what to write instead. */
export function retiredWords(text: string): string[] {
  return text.split("\n").flatMap((line, index) =>
    RETIRED.flatMap(([pattern, instead]) => {
      const [found] = pattern.exec(line) ?? [];
      return found === undefined
        ? []
        : [`${index + 1}: "${found}"; write ${instead}`];
    })
  );
}

if (import.meta.main) {
  let failed = 0;
  for (const file of await filesIn(FOLDERS)) {
    const path = fileURLToPath(file).slice(fileURLToPath(root).length);
    for (const line of retiredWords(await Deno.readTextFile(file))) {
      console.error(`${path}:${line}`);
      failed++;
    }
  }
  console.log(`${failed} retired words`);
  if (failed > 0) Deno.exit(1);
}
