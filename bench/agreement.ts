/**
 * How two runs agree on the ratios of this library to each peer and floor.
 *
 * @module
 */
import { median } from "./measure.ts";
import type { Run } from "./results.ts";

/** Two runs agree on a ratio if it differs by no more than this share. */
const TOLERANCE = 0.1;
/** How many ratios are named. */
const NAMED = 10;

/** A ratio in both runs. */
export interface Pair {
  readonly where: string;
  readonly runs: readonly [number, number];
}

/** How two runs agree. */
export interface Agreement {
  /** How many ratios there are. */
  readonly ratios: number;
  /** The share of those that differ by no more than 10 %. */
  readonly within: number;
  /** The median and the greatest difference, as shares. */
  readonly median: number;
  readonly greatest: number;
  /** The ratios that differ by more than 10 %, at most the worst ten. */
  readonly worst: readonly Pair[];
}

/** Compares two runs. `ours` is this library's name. */
export function agreement(a: Run, b: Run, ours: string): Agreement {
  const [first, second] = [ratios(a, ours), ratios(b, ours)];
  const pairs = [...first].map(([where, ratio]): Pair => ({
    where,
    runs: [ratio, second.get(where) ?? NaN],
  })).sort((a, b) => difference(b) - difference(a));
  const differences = pairs.map(difference);
  const apart = pairs.filter((pair) => difference(pair) > TOLERANCE);
  return {
    ratios: pairs.length,
    within: 1 - apart.length / pairs.length,
    median: median(differences),
    greatest: Math.max(...differences),
    worst: apart.slice(0, NAMED),
  };
}

/** By how much the greater is greater. */
function difference({ runs }: Pair): number {
  return Math.max(...runs) / Math.min(...runs) - 1;
}

/** The ratios of a run, of rows and of servers, by their names. */
function ratios({ rows, servers }: Run, ours: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [row, { others }] of Object.entries(rows)) {
    for (const [name, { ratio }] of Object.entries(others)) {
      found.set(`${row}, ${name}`, ratio);
    }
  }
  for (const { name, kind, paths } of servers) {
    if (name === ours) continue;
    const own = servers.find((other) =>
      other.name === ours && (other.kind === kind || kind === "")
    );
    if (own === undefined) continue;
    for (const path of ["/read", "/change"] as const) {
      const ratio = paths[path].cpu / own.paths[path].cpu;
      found.set(`HTTP ${kind} ${path}, ${name}`.replace("  ", " "), ratio);
    }
  }
  return found;
}

/** A sentence for it, and one for the ratios that differ. */
export function agreementText(
  { ratios, within, median, greatest, worst }: Agreement,
): string {
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  const differ = Math.round(ratios * (1 - within));
  const named = worst.map(({ where, runs: [a, b] }) =>
    `${where} (${a.toPrecision(3)} and ${b.toPrecision(3)})`
  );
  const which = differ > worst.length ? "The worst" : "The others";
  return `Two runs agree within 10 % on ${
    ratios - differ
  } of ${ratios} ratios (${percent(within)}). Their median difference is ${
    percent(median)
  }, the greatest ${percent(greatest)}.` +
    (named.length > 0 ? ` ${which}: ${named.join("; ")}.` : "");
}
