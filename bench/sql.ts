/**
 * Requests with cookies on SQL databases, beside the stores of express-session: connect-pg-simple on PostgreSQL, by
 * pools of `pg`, and better-sqlite3-session-store on SQLite. All run on Node, because better-sqlite3 is made for it.
 *
 * `deno task bench sql`, `sql postgres` or `sql sqlite`, with `--rounds N`. What the rows mean and one run's figures are
 * in `bench/README.md`. All take turns, in rounds, and a ratio is the median of the rounds' ratios, so that they share
 * the machine's moods.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startPostgres } from "../tests/engines/_servers.ts";
import { denoBundle, root } from "../tools/project.ts";

/** What is measured. better-sqlite3's binary is built, which takes a minute. */
const PACKAGES: readonly string[] = [
  "better-sqlite3@12.11.1",
  "better-sqlite3-session-store@0.1.0",
  "connect-pg-simple@10.0.0",
  "express-session@1.19.0",
  "pg@8.23.1",
];
const dir = fileURLToPath(new URL(".bench/sql/", root));
const program = join(dir, "sql_inside.mjs");

async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { success } = await new Deno.Command(command, {
    ...{ args, cwd: dir, env },
    stdin: "null",
  }).spawn().status;
  if (!success) throw new Error(`Cannot measure: ${command} failed`);
}

async function install(): Promise<void> {
  const manifest = join(dir, "package.json");
  const done = join(dir, "node_modules", ".installed");
  const wanted = PACKAGES.join();
  if (await Deno.readTextFile(done).catch(() => "") === wanted) return;
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(manifest, '{ "private": true }');
  const args = ["install", "--build-from-source", ...PACKAGES];
  // The headers of the system's Node. A binary for another one would not load.
  await run("npm", args, { npm_config_nodedir: "/usr" });
  await Deno.writeTextFile(done, wanted);
}

/**
 * Measures, and prints the tables.
 *
 * @param only One of the databases.
 */
export async function measureSql(rounds: number, only?: string): Promise<void> {
  await install();
  await denoBundle("--platform=browser", "-o", program, "bench/sql_inside.ts");
  const inside = async (...args: string[]) =>
    await run("node", [program, ...args, `${rounds}`], {
      NODE_ENV: "production",
    });
  if (only !== "sqlite") {
    const postgres = await startPostgres();
    try {
      const at = `postgres://postgres@127.0.0.1:${postgres.port}/postgres`;
      await inside("postgres", at);
    } finally {
      await postgres.stop();
    }
  }
  if (only !== "postgres") {
    const files = await Deno.makeTempDir();
    try {
      await inside("sqlite", files);
    } finally {
      await Deno.remove(files, { recursive: true });
    }
  }
}
