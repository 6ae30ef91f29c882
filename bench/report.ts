/**
 * The results as text.
 *
 * @module
 */
import { OURS } from "./peers.ts";
import type { Other, Row, RuntimeResults } from "./results.ts";

/** Four characters at most, for 0.04 to 9,999. */
export function short(n: number): string {
  if (n >= 100) return n.toFixed(0);
  return n >= 10 ? n.toFixed(1) : n.toFixed(2);
}

/** How far a library is behind this one; for a floor, how far this one is above it. */
export function ratioOf({ floor, ratio }: Other): number {
  return floor ? 1 / ratio.median : ratio.median;
}

/** A row's spread: half the distance of the quartiles, of the library where it is widest, as a share. */
export function spreadOf({ others }: Row): number {
  return Math.max(
    0,
    ...Object.values(others).map(({ ratio }) =>
      (ratio.high - ratio.low) / 2 / ratio.median
    ),
  );
}

/** A run on one runtime, for the terminal. */
export function plainTable({ version, rows }: RuntimeResults): string {
  const lines = [
    "",
    `${version}: ${OURS}'s CPU µs a request; how many times that the others take; how many times a floor it takes`,
  ];
  for (const [row, measured] of Object.entries(rows)) {
    const others = Object.entries(measured.others).map(([name, other]) =>
      `${name} ${short(ratioOf(other))}`
    );
    const percent = (spreadOf(measured) * 100).toFixed(0);
    lines.push(
      `${row.padEnd(20)} ${short(measured.ours.median).padStart(5)} µs  ` +
        `${others.join(" · ")}  (±${percent} %)`,
    );
  }
  return lines.join("\n");
}
