// Checks histories on the runtime that runs it, and prints the reports.
import { counter, file } from "./history_target.mjs";

const { checkHistory } = await import(
  new URL("../../.bundle/conformance/mod.js", import.meta.url)
);
const module = new URL("history_target.mjs", import.meta.url);
const options = { module, processes: 2, rounds: 1, seed: 1 };
const reports = [
  await checkHistory(file, { ...options, kill: true }),
  await checkHistory(counter, options),
];
// deno-lint-ignore no-console -- a command
console.log(JSON.stringify(reports));
