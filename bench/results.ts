/**
 * What the benchmark found, as `bench/results.json` keeps it. Everything is measured in two runs.
 *
 * @module
 */
import type { Agreement } from "./agreement.ts";
import type { Load, Served } from "./http.ts";
import { median, undisturbed } from "./measure.ts";

/** What runs inside a runtime prints of one library in one row. */
export interface Raw {
  readonly name: string;
  readonly floor: boolean;
  /** CPU µs a request, in each of its turns. */
  readonly times: readonly number[];
}

/** A library in a row: how many times this library's CPU time it takes. */
export interface Other {
  readonly floor?: true;
  readonly ratio: number;
}

/** A row: this library's CPU µs a request, and the others' by name. */
export interface Row {
  readonly ours: number;
  readonly others: Readonly<Record<string, Other>>;
}

/** What a run found on one runtime. */
export interface Run {
  readonly rows: Readonly<Record<string, Row>>;
  readonly servers: readonly Served[];
}

/** What both runs found on one runtime, and how they agree. */
export interface RuntimeResults extends Run {
  readonly version: string;
  readonly agreement: Agreement;
}

/** Both runs. */
export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly rounds: number;
  readonly packages: Readonly<Record<string, string>>;
  readonly runtimes: Readonly<Record<string, RuntimeResults>>;
}

/** Compares what processes have measured in a row. */
export function compare(raw: readonly (readonly Raw[])[], ours: string): Row {
  const timeOf = (name: string) =>
    median(
      raw.map((process) =>
        undisturbed(process.find((each) => each.name === name)?.times ?? [])
      ),
    );
  const own = timeOf(ours);
  const others = (raw[0] ?? []).filter(({ name }) => name !== ours)
    .map(({ name, floor }): [string, Other] => [name, {
      ...floor ? { floor } : {},
      ratio: timeOf(name) / own,
    }]);
  return { ours: own, others: Object.fromEntries(others) };
}

/** The means of two runs. */
export function combine(a: Run, b: Run): Run {
  return {
    rows: mapValues(a.rows, (row, name) => {
      const other = b.rows[name] ?? row;
      return {
        ours: (row.ours + other.ours) / 2,
        others: mapValues(row.others, (of, name) => ({
          ...of,
          ratio: Math.sqrt(of.ratio * (other.others[name]?.ratio ?? of.ratio)),
        })),
      };
    }),
    servers: a.servers.map((server, i) => {
      const other = b.servers[i] ?? server;
      return {
        ...server,
        memory: (server.memory + other.memory) / 2,
        paths: mapValues(server.paths, (load, path): Load => ({
          perSecond: (load.perSecond + other.paths[path].perSecond) / 2,
          cpu: (load.cpu + other.paths[path].cpu) / 2,
          p99: (load.p99 + other.paths[path].p99) / 2,
        })),
      };
    }),
  };
}

function mapValues<K extends string, V, W>(
  of: Readonly<Record<K, V>>,
  change: (value: V, key: K) => W,
): Record<K, W> {
  return Object.fromEntries(
    (Object.entries(of) as [K, V][]).map((
      [key, value],
    ) => [key, change(value, key)]),
  ) as Record<K, W>;
}

/** A ratio that has become worse. */
export interface Worse {
  readonly where: string;
  readonly before: number;
  readonly now: number;
}

/** The ratios of rows that are worse than before by more than a share. */
export function worse(now: Results, before: Results, share: number): Worse[] {
  const found: Worse[] = [];
  for (const [runtime, { rows }] of Object.entries(now.runtimes)) {
    for (const [row, { others }] of Object.entries(rows)) {
      for (const [name, { ratio }] of Object.entries(others)) {
        const was = before.runtimes[runtime]?.rows[row]?.others[name]?.ratio;
        if (was && was / ratio > 1 + share) {
          found.push({
            where: `${runtime}, ${row}, ${name}`,
            before: was,
            now: ratio,
          });
        }
      }
    }
  }
  return found;
}
