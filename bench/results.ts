/**
 * What a run of the benchmark found, as `bench/results.json` keeps it.
 *
 * @module
 */
import type { Served } from "./http.ts";
import { type Spread, spread } from "./measure.ts";

/** What runs inside a runtime prints of one library in one row. */
export interface Raw {
  readonly row: string;
  readonly name: string;
  readonly floor: boolean;
  /** CPU µs a request, in each round. */
  readonly times: readonly (number | null)[];
}

/** A library in a row: how many times this library's CPU time it takes. */
export interface Other {
  readonly floor?: true;
  readonly ratio: Spread;
}

/** A row: this library's CPU µs a request, and the others' by name. */
export interface Row {
  readonly ours: Spread;
  readonly others: Readonly<Record<string, Other>>;
}

/** A run. */
export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly rounds: number;
  readonly packages: Readonly<Record<string, string>>;
  readonly runtimes: Readonly<Record<string, RuntimeResults>>;
}

/** A run on one runtime. */
export interface RuntimeResults {
  readonly version: string;
  readonly rows: Readonly<Record<string, Row>>;
  readonly servers: readonly Served[];
}

/** Compares, in each round, the others with this library. */
export function compare(
  raw: readonly Raw[],
  ours: string,
): RuntimeResults["rows"] {
  const rows: Record<string, { ours: Spread; others: Record<string, Other> }> =
    {};
  const base = new Map(
    raw.filter(({ name }) => name === ours).map((r) => [r.row, r.times]),
  );
  for (const { row, name, floor, times } of raw) {
    const own = base.get(row) ?? [];
    const there = rows[row] ??= { ours: spread(numbers(own)), others: {} };
    if (name === ours) continue;
    const ratios = times.map((time, round) => {
      const base = own[round] ?? null;
      return time === null || base === null ? null : time / base;
    });
    there.others[name] = {
      ...floor ? { floor } : {},
      ratio: spread(numbers(ratios)),
    };
  }
  return rows;
}

function numbers(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

/** A ratio that has become worse. */
export interface Worse {
  readonly where: string;
  readonly before: number;
  readonly now: number;
}

/** The ratios of a run that are worse than another's by more than a share. */
export function worse(now: Results, before: Results, share: number): Worse[] {
  const found: Worse[] = [];
  for (const [runtime, { rows }] of Object.entries(now.runtimes)) {
    for (const [row, { others }] of Object.entries(rows)) {
      for (const [name, { ratio }] of Object.entries(others)) {
        const was = before.runtimes[runtime]?.rows[row]?.others[name]?.ratio;
        if (was && was.median / ratio.median > 1 + share) {
          found.push({
            where: `${runtime}, ${row}, ${name}`,
            before: was.median,
            now: ratio.median,
          });
        }
      }
    }
  }
  return found;
}
