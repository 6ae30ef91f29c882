/**
 * Runs inside the measured runtime: `inside.mjs ROW ROUNDS` prints the CPU time of a row's libraries in each of their
 * turns.
 *
 * @module
 */
import process from "node:process";
import { measure } from "./measure.ts";
import { cells } from "./rows.ts";

const [row = "", rounds = ""] = process.argv.slice(2);
const made = await cells(row);
const times = await measure(made, Number(rounds));
const result = JSON.stringify(made.map(({ subject }, i) => ({
  name: subject.name,
  floor: subject.floor ?? false,
  times: times[i],
})));
// A pipe takes only a part at once, and to exit at once would lose the rest.
process.stdout.write(result, () => process.exit());
