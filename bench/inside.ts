/**
 * Runs inside the measured runtime: `inside.mjs PATTERN ROUNDS` prints the CPU time of each row's libraries in each round.
 *
 * @module
 */
import process from "node:process";
import { measure } from "./measure.ts";
import { cells } from "./rows.ts";

const [pattern = "", rounds = "20"] = process.argv.slice(2);
const measured = await measure(await cells(new RegExp(pattern)), {
  rounds: Number(rounds),
});
const result = JSON.stringify(measured.map(({ row, subject, times }) => ({
  row,
  name: subject.name,
  floor: subject.floor ?? false,
  times,
})));
// A pipe takes only a part at once, and to exit at once would lose the rest.
process.stdout.write(result, () => process.exit());
