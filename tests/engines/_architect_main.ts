/**
 * Runs the suite on Architect's own client, in a separate process, because the client reads its environment once.
 *
 * Its arguments are the port of a DynamoDB, how many tables it has, and the groups of rules to try, or none for all.
 * Its output is a report in JSON.
 */
// deno-lint-ignore-file no-console -- a command
import { checkStorage } from "../../conformance/mod.ts";
import type { ArcTablesLike } from "../../mod.ts";
import { DynamoDBEngine } from "../../storage/engines/dynamodb/engine.ts";
import { engineTarget, PATIENT } from "../conformance/targets.ts";
import { architectEnvironment } from "./_architect.ts";

const [port, tablesThere, ...only] = Deno.args;

/** The names that `app.arc` declares: one for each time that a rule opens the storage. */
const NAMES = Array.from({ length: Number(tablesThere) }, (_, i) => `t${i}`);

const environment = architectEnvironment(Number(port), NAMES);
const { default: arc } = await import("npm:@architect/functions@^8.1.10");
const client = arc.tables() as Promise<ArcTablesLike>;
const tables = new Map<string, string>();
const report = await checkStorage(
  engineTarget("Architect", ({ namespace }) => {
    const table = tables.get(namespace) ?? `t${tables.size}`;
    tables.set(namespace, table);
    return new DynamoDBEngine(client, { table });
  }, ["durable"]),
  only.length > 0 ? { ...PATIENT, only } : PATIENT,
);
const failures = report.results
  .filter(({ outcome }) => !["pass", "not-applicable"].includes(outcome))
  .map(({ rule, outcome, reason }) => `${rule} ${outcome}: ${reason}`);
console.log(JSON.stringify({
  namespaces: tables.size,
  verdict: report.verdict,
  failures,
}));
await environment[Symbol.asyncDispose]();
Deno.exit(0);
