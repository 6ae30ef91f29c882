/**
 * Runs on Bun and Node: the engine on SQL with a client that only they have. Prints the rules that it breaks, as JSON.
 */
// deno-lint-ignore-file no-console -- its report
import process from "node:process";
import { checkEngine } from "../../conformance/mod.ts";
import { asClient, sqlEngine } from "./_sql.ts";

/** Only this runtime has them. A bundler must not look for them. */
async function load(name: string) {
  return await import(name);
}

async function open(kind: string, at: string): Promise<unknown> {
  if (kind === "bun:sqlite") {
    const { Database } = await load("bun:sqlite");
    const db = new Database(`${at}/bun.db`);
    db.run("PRAGMA synchronous = off");
    return db;
  }
  if (kind === "better-sqlite3") {
    const { default: Database } = await load(
      `${at}/node_modules/better-sqlite3/lib/index.js`,
    );
    const db = new Database("");
    db.pragma("synchronous = off");
    db.defaultSafeIntegers(true);
    return db;
  }
  const { SQL } = await load("bun");
  return kind === "Bun.SQL, SQLite"
    ? new SQL(`sqlite://${at}/sql.db`)
    : new SQL(at);
}

const [kind = "", at = ""] = process.argv.slice(2);
const db = asClient(await open(kind, at));
const { results } = await checkEngine(sqlEngine({ name: kind, db }), {
  deadline: 60,
});
console.log(JSON.stringify(
  results.filter(({ outcome }) =>
    outcome !== "pass" && outcome !== "not-applicable"
  ).map(({ rule, reason, trace }) => [rule, reason, trace]),
));
process.exit(0);
