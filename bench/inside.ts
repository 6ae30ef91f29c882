/**
 * Runs inside the measured runtime: `inside.mjs ROW ROUNDS FASTEST` prints the CPU time of a row's libraries in each of
 * their turns, and of the fastest probe. `FASTEST` is that of earlier processes. Without a row, it only probes.
 *
 * @module
 */
import process from "node:process";
import { measure } from "./measure.ts";
import { Probe } from "./probe.ts";
import { cells } from "./rows.ts";

const [row = "", rounds = "", fastest = ""] = process.argv.slice(2);
const probe = new Probe(Number(fastest));
probe.calibrate(row === "" ? 3000 : 20);
const made = row === "" ? [] : await cells(row);
const times = await measure(made, Number(rounds), probe);
const result = JSON.stringify({
  fastest: probe.fastest,
  disturbed: probe.disturbed,
  raw: made.map(({ subject }, i) => ({
    name: subject.name,
    floor: subject.floor ?? false,
    times: times[i],
  })),
});
// A pipe takes only a part at once, and to exit at once would lose the rest.
process.stdout.write(result, () => process.exit());
