// The engine on SQL keeps the contract, with each client. The thorough form starts servers.
import { DatabaseSync } from "node:sqlite";
import { PGlite } from "@electric-sql/pglite";
import { createClient } from "npm:@libsql/client@0.18.0";
import Libsql from "npm:libsql@0.5.29";
import mysql from "npm:mysql2@3.24.6/promise";
import mysqlCallbacks from "npm:mysql2@3.24.6";
import pg from "pg";
import postgres from "npm:postgres@3.4.9";
import { effort } from "../../_effort.ts";
import { PACKAGES as D1, startD1 } from "../../engines/_d1.ts";
import { withPackages } from "../../engines/_packages.ts";
import {
  installed,
  startMariaDb,
  startPgBouncer,
  startPostgres,
} from "../../engines/_servers.ts";
import { sqlEngine } from "../../engines/_sql.ts";
import { keeps } from "./_keeps.ts";

const dir = await Deno.makeTempDir();
const closing: (() => unknown)[] = [];
globalThis.addEventListener("unload", () => {
  for (const close of closing) close();
  Deno.removeSync(dir, { recursive: true });
});

if (!effort.thorough) {
  const sqlite = new DatabaseSync(`${dir}/node.db`);
  sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = off");
  closing.push(() => sqlite.close());
  keeps(sqlEngine({ name: "node:sqlite", db: sqlite }), []);

  const libsql = new Libsql(`${dir}/libsql.db`);
  libsql.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = off");
  closing.push(() => libsql.close());
  keeps(sqlEngine({ name: "libsql", db: libsql }), []);

  const pglite = await PGlite.create();
  const passing = ["ENGINE-23", "ENGINE-26"];
  keeps(sqlEngine({ name: "PGlite", db: pglite }), passing);
}

if (effort.thorough) {
  const turso = createClient({
    url: `file:${dir}/turso.db`,
    intMode: "bigint",
  });
  closing.push(() => turso.close());
  keeps(sqlEngine({ name: "@libsql/client", db: turso }), []);

  if (installed("postgres")) {
    const { port } = await startPostgres();
    const at = { host: "127.0.0.1", port, user: "postgres" };
    const pool = new pg.Pool(at);
    pool.on("error", () => {});
    const client = new pg.Client(at);
    client.on("error", () => {});
    await client.connect();
    const sql = postgres({ ...at, onnotice() {} });
    // Every statement of the application is in a transaction of the strictest kind.
    const strict = new pg.Pool({
      ...at,
      options: "-c default_transaction_isolation=serializable",
    });
    strict.on("error", () => {});
    keeps(sqlEngine({ name: "pg, serializable", db: strict }), []);
    keeps(sqlEngine({ name: "pg Client", db: client }), []);
    keeps(sqlEngine({ name: "postgres.js", db: sql }), []);
    // Workers have a client for each request.
    keeps(sqlEngine({ name: "pg Pool", db: () => pool }), []);

    if (installed("pgbouncer")) {
      const through = { ...at, port: (await startPgBouncer(port)).port };
      const pooled = new pg.Pool(through);
      pooled.on("error", () => {});
      keeps(sqlEngine({ name: "pg, PgBouncer", db: pooled }), []);
      // By default, it sends `Parse, Describe, Flush` behind a `Sync` that is not answered yet. PgBouncer 1.18 gives the
      // connection away at that answer, and loses the next one (its issue 759).
      const alone = postgres(
        `postgres://postgres@127.0.0.1:${through.port}/postgres?max_pipeline=0`,
        { onnotice() {} },
      );
      keeps(sqlEngine({ name: "postgres.js, PgBouncer", db: alone }), []);
    }
  }

  if (installed("mariadb")) {
    const { port } = await startMariaDb();
    const at = { host: "127.0.0.1", port, user: "root" };
    const first = await mysql.createConnection(at);
    await first.query("CREATE DATABASE app");
    await first.end();
    const database = "app";
    const pool = mysql.createPool({ ...at, database });
    // Without FOUND_ROWS, a statement counts only rows that it changed.
    const callbacks = mysqlCallbacks.createPool({
      ...{ ...at, database, flags: ["-FOUND_ROWS"] },
      supportBigNumbers: true,
      bigNumberStrings: true,
    });
    keeps(
      sqlEngine({ name: "mysql2 with callbacks", db: callbacks }),
      ["ENGINE-33"],
    );
    // It takes two statements for a move.
    keeps(sqlEngine({ name: "mysql2", db: pool }), ["ENGINE-33"]);
  }

  // Miniflare takes seconds for a value of a megabyte, so the rules about long texts are left out.
  const only = [
    ...["ENGINE-01", "ENGINE-11", "ENGINE-13", "ENGINE-16", "ENGINE-18"],
    ...["ENGINE-27", "ENGINE-32", "ENGINE-33"],
  ];
  await withPackages("D1 (workerd)", D1, startD1, (db) => {
    keeps(sqlEngine({ name: "D1", db }), [], only);
    const session = db.withSession("first-primary");
    keeps(sqlEngine({ name: "a session of D1", db: session }), [], [
      "ENGINE-18",
    ]);
  });
}
