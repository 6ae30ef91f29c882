/** The rules that a library's storages break, with their reproductions. */
import { rules } from "../../conformance/mod.ts";
import type { Reproduction } from "../../conformance/reports/reproductions/run.ts";
import { folder, type Summary } from "./index.ts";
import type { Library } from "./storages.ts";

/** A rule that storages of a library break. */
export interface Finding {
  readonly rule: string;
  /** The storages, by their names in the reproductions. */
  readonly by: readonly string[];
  /** The effect on a visitor. */
  readonly visitor: string;
  /** The reproduction, below the folder of the reports. */
  readonly link: string;
}

/** The module of a library's reproductions. */
export interface Reproductions {
  /** Opens each storage. */
  readonly storages: Readonly<Record<string, () => unknown>>;
  /** By rule. */
  readonly reproductions: Readonly<Record<string, Reproduction<unknown>>>;
}

/** Loads a library's reproductions. */
export async function loadReproductions(
  { name }: Library,
): Promise<Reproductions> {
  return await import(new URL(`reproductions/${name}.ts`, folder).href);
}

/** The rules that a library's storages break. */
export async function findingsOf(
  library: Library,
  found: Readonly<Record<string, Summary>>,
): Promise<Finding[]> {
  const { reproductions } = await loadReproductions(library);
  return rules.flatMap(({ id: rule }) => {
    const by = Object.entries(library.storages)
      .filter(([, { file }]) => found[file]?.failed.includes(rule))
      .map(([name]) => name);
    if (by.length === 0) return [];
    const visitor = reproductions[rule]?.visitor ?? "";
    return [{ rule, by, visitor, link: linkTo(library, rule) }];
  });
}

/** Where a reproduction is: in the library's file, or in one that it shares with others. */
function linkTo({ name }: Library, rule: string): string {
  const own = `reproductions/${name}.ts`;
  const source = Deno.readTextFileSync(new URL(own, folder));
  const shared = [...source.matchAll(/from "\.\/([\w/]+\.ts)"/g)]
    .map(([, file]) => `reproductions/${file}`);
  for (const file of [own, ...shared]) {
    const lines = Deno.readTextFileSync(new URL(file, folder)).split("\n");
    const line = lines.findIndex((text) => text.includes(`"${rule}": {`)) + 1;
    if (line > 0) return `${file}#L${line}`;
  }
  return own;
}
