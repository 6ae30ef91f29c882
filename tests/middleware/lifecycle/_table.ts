/**
 * The table of frameworks and cases, as the documentation shows it.
 *
 * @module
 */
import type { Case } from "./_case.ts";
import type { Driver } from "./_driver.ts";

/** The result of a case in a framework: a check mark, or the framework's trait. */
export function cell({ trait }: Case, { traits }: Driver): string {
  return trait && traits[trait] !== undefined ? String(traits[trait]) : "✓";
}

/** The table, in Markdown. */
export function tableOf(
  cases: readonly Case[],
  drivers: readonly Driver[],
): string {
  const rows = [
    ["", ...drivers.map(({ name }) => name)],
    ...cases.map((each) => [
      each.title,
      ...drivers.map((driver) => cell(each, driver)),
    ]),
  ];
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  const lines = rows.map((row) =>
    `| ${row.map((text, i) => text.padEnd(widths[i]!)).join(" | ")} |`
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

/** The page with the table. */
export const PAGE: URL = new URL(
  "../../../docs/middleware.md",
  import.meta.url,
);

/** Replaces the table of the page. */
export function inPage(page: string, table: string): string {
  return page.replace(
    /(<!-- table: .* -->\n)[^]*?(\n<!-- end -->)/,
    (_, before: string, after: string) => `${before}\n${table}\n${after}`,
  );
}
