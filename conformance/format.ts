/**
 * Formats reports, as text and as files.
 *
 * @module
 */
import { formatHtml } from "./formats/html.ts";
import { formatJson, formatJunit, formatTap } from "./formats/machine.ts";
import { formatBadge, formatMatrix } from "./formats/svg.ts";
import { formatText } from "./formats/text.ts";
import type { Report } from "./types.ts";

/** Options of {@linkcode formatReport}. */
export interface FormatOptions {
  /**
   * - `text`: for people, in a terminal or a log
   * - `json`: the report itself
   * - `junit`, `tap`: for CI services and other tools
   * - `html`: a self-contained page
   * - `badge`, `matrix`: SVG pictures for a README
   */
  readonly format:
    | "text"
    | "json"
    | "junit"
    | "tap"
    | "html"
    | "badge"
    | "matrix";
  /** Whether text is coloured for a terminal. @default {false} */
  readonly colour?: boolean | undefined;
  /** The width of text, in columns. @default {80} */
  readonly width?: number | undefined;
  /** Returns the command that repeats a rule. @default {a call of checkStorage or checkEngine} */
  readonly again?: ((report: Report, rule: string) => string) | undefined;
}

/**
 * Formats a report. Text that comes from the target is escaped.
 *
 * @param report The report, or several: JSON is then a list, the other formats show them together.
 * @param options The format.
 * @returns The text, which ends with a line break.
 * @throws {TypeError} If the format is unknown, or the list of reports is empty.
 *
 * @example
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { checkStorage, formatReport } from "@satchel/session/conformance";
 * import { assertMatch } from "@std/assert";
 *
 * const report = await checkStorage({
 *   name: "memory",
 *   capabilities: ["revoke", "merge"],
 *   open: ({ namespace: _, ...options }) => ({
 *     storage: createMemorySessionStorage(options),
 *   }),
 * }, { only: ["FLASH"] });
 * assertMatch(formatReport(report, { format: "text" }), /Flash +✓✓✓/);
 * assertMatch(formatReport(report, { format: "tap" }), /^TAP version 14/);
 * ```
 */
export function formatReport(
  report: Report | readonly Report[],
  options: FormatOptions,
): string {
  const reports = "results" in report ? [report] : report;
  const { format, colour = false, width = 80, again = callAgain } = options;
  if (reports.length === 0) {
    throw new TypeError("Cannot format reports: the list is empty");
  }
  switch (format) {
    case "text":
      return formatText(reports, { colour, width, again });
    case "json":
      return formatJson(reports);
    case "junit":
      return formatJunit(reports);
    case "tap":
      return formatTap(reports);
    case "html":
      return formatHtml(reports, again);
    case "badge":
      return formatBadge(reports);
    case "matrix":
      return formatMatrix(reports);
    default:
      throw new TypeError(
        `Cannot format reports: unknown format "${format}"`,
      );
  }
}

function callAgain(report: Report, rule: string): string {
  const check = rule.startsWith("ENGINE-") ? "checkEngine" : "checkStorage";
  return `${check}(target, { only: ["${rule}"], seed: ${report.seed} })`;
}
