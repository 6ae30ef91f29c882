/** The rows of the table. */
import type { Report } from "../../conformance/mod.ts";
import { markOf } from "../../conformance/formats/common.ts";
import { reportOf, type Summary } from "./index.ts";
import type { Sent } from "./others.ts";

/** A storage in the table. */
export interface Row {
  readonly report: Report;
  /** The package with its version; absent for this library's own storages. */
  readonly package: string | undefined;
  /** What its name links to: its page, or the source of its target. */
  readonly link: string;
  /** Who ran the suite, if that was not this project. */
  readonly by?: string;
  /** How many rules it keeps. */
  readonly kept: number;
  /** How many `must` rules it breaks. */
  readonly broken: number;
}

/** The row of a storage that this project checks. */
export function rowOf(name: string, summary: Summary): Row {
  const report = reportOf(summary);
  return {
    report,
    package: summary.package,
    link: `${name}.md`,
    ...counted(report),
  };
}

/** The row of a report from somebody else. */
export function rowOfSent(sent: Sent): Row {
  const { report, by, reproduce } = sent;
  return {
    report,
    package: `${sent.package}@${sent.version}`,
    link: reproduce.url,
    by,
    ...counted(report),
  };
}

function counted({ results }: Report): { kept: number; broken: number } {
  const many = (mark: string) =>
    results.filter((result) => markOf(result) === mark).length;
  return { kept: many("pass"), broken: many("fail") };
}
