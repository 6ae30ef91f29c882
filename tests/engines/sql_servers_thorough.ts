// PostgreSQL and MariaDB: rights, lost connections, replicas, tables that are made at once, logins in two processes.
import {
  createSqlSessionStorage,
  SessionError,
  type SessionStorage,
  type SqlClientLike,
  type SqlDialect,
  sqlSessionSchema,
  type SqlSessionStorageOptions,
} from "@satchel/session";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import mysql from "npm:mysql2@3.24.6/promise";
import postgres from "npm:postgres@3.4.9";
import pg from "pg";
import {
  installed,
  type Server,
  startMariaDb,
  startPostgres,
} from "./_servers.ts";

/** A pool, and the means to make it fail. */
interface Pool extends AsyncDisposable {
  readonly db: SqlClientLike;
}

/** What the tests need of a server. */
interface Database {
  readonly name: string;
  readonly dialect: SqlDialect;
  readonly server: Server;
  pool(options?: { user?: string; max?: number }): Pool;
  /** Runs statements, as the administrator. */
  run(...statements: string[]): Promise<unknown[]>;
  /** Ends all connections but this one. */
  readonly killAll: string;
  /** Makes the database refuse writes, and take them again. */
  readonly readOnly: readonly [on: string, off: string];
  /** Makes a user `plain`, with the rights on a table that requests need. */
  grant(table: string): string[];
}

async function startBoth(): Promise<Database[]> {
  const databases: Database[] = [];
  if (installed("postgres")) {
    const server = await startPostgres();
    const at = (user: string) => ({
      host: "127.0.0.1",
      port: server.port,
      user,
    });
    const admin = new pg.Pool({ ...at("postgres"), max: 1 });
    admin.on("error", () => {});
    databases.push({
      ...{ name: "PostgreSQL", dialect: "postgres", server },
      pool({ user = "postgres", max = 10 } = {}) {
        const connectionTimeoutMillis = 500;
        const database = "postgres";
        const db = new pg.Pool({
          ...{ ...at(user), database, max, connectionTimeoutMillis },
        });
        db.on("error", () => {});
        return { db, [Symbol.asyncDispose]: () => db.end() };
      },
      async run(...statements) {
        const all: unknown[] = [];
        for (const sql of statements) all.push((await admin.query(sql)).rows);
        return all;
      },
      killAll:
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
      readOnly: [
        "ALTER DATABASE postgres SET default_transaction_read_only = on",
        "ALTER DATABASE postgres RESET default_transaction_read_only",
      ],
      grant: (table) => [
        "CREATE ROLE plain LOGIN",
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO plain`,
      ],
    });
  }
  if (installed("mariadb")) {
    const server = await startMariaDb();
    const at = (user: string) => ({
      host: "127.0.0.1",
      port: server.port,
      user,
    });
    const admin = mysql.createPool({ ...at("root"), connectionLimit: 1 });
    await admin.query("CREATE DATABASE app");
    databases.push({
      ...{ name: "MariaDB", dialect: "mysql", server },
      pool({ user = "root", max = 10 } = {}) {
        const db = mysql.createPool({
          ...{ ...at(user), database: "app", connectionLimit: max },
        });
        return { db, [Symbol.asyncDispose]: () => db.end() };
      },
      async run(...statements) {
        const all: unknown[] = [];
        for (const sql of statements) {
          const [rows] = await admin.query(sql);
          all.push(rows);
        }
        return all;
      },
      killAll: "KILL USER root",
      readOnly: ["SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"],
      grant: (table) => [
        "CREATE USER plain",
        `GRANT SELECT, INSERT, UPDATE, DELETE ON app.${table} TO plain`,
      ],
    });
  }
  return databases;
}

let tables = 0;

function open(
  db: SqlClientLike | (() => SqlClientLike),
  options: Partial<SqlSessionStorageOptions<Data>> = {},
): SessionStorage<Data> {
  return createSqlSessionStorage<Data>({ createTable: true, ...options, db });
}

interface Data {
  user: string;
  [key: string]: unknown;
}

async function save(storage: SessionStorage<Data>, user = "ann") {
  const session = await storage.read(null);
  session.set("user", user);
  return await storage.save(session);
}

async function assertFails(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise, SessionError);
  assertEquals(error.code, "store-failed");
  return String((error.cause as Error).message);
}

for (const database of await startBoth()) {
  const { name, dialect, pool, run, server } = database;

  Deno.test(`createTable works when 12 processes create the table at once, and needs no right when it is there (${name})`, async () => {
    const table = `t${++tables}`;
    await using many = pool({ max: 12 });
    await Promise.all(
      Array.from({ length: 12 }, () => save(open(many.db, { table }))),
    );
    await run(...database.grant(table));
    await using plain = pool({ user: "plain" });
    for (const createTable of [true, false]) {
      const storage = open(plain.db, { table, createTable });
      const id = await save(storage);
      assert((await storage.read(id)).has("user"), `${createTable}`);
      await storage.sweep?.();
    }
    const other = open(plain.db, { table: "forbidden", createTable: false });
    assertMatch(
      await assertFails(save(other)),
      /does not exist|command denied/,
    );
  });

  Deno.test(`maxPerOwner leaves exactly as many sessions, when logins of two pools come at once (${name})`, async () => {
    const table = `t${++tables}`;
    const options = {
      table,
      owner: ({ user }: Partial<Data>) => user === "me" ? undefined : user,
      maxPerOwner: 3,
    };
    await using one = pool();
    await using two = pool();
    const storages = [open(one.db, options), open(two.db, options)] as const;
    for (let round = 0; round < 8; round++) {
      const user = `u${round}`;
      // In every second round, the visitors have a session, whose row the login moves.
      const guests = await Promise.all(
        Array.from(
          { length: 8 },
          (_, i) =>
            round % 2 === 0 ? null : save(storages[i % 2] ?? storages[0], "me"),
        ),
      );
      const logins = guests.map(async (guest, i) => {
        const storage = storages[i % 2] ?? storages[0];
        const session = await storage.read(guest);
        if (guest !== null) session.restart();
        session.set("user", user);
        return await storage.save(session);
      });
      const ids = await Promise.all(logins);
      const listed = await storages[0].listSessions(user);
      assertEquals(listed.length, 3, user);
      let alive = 0;
      for (const id of ids) {
        if (id && (await storages[1].read(id)).has("user")) alive++;
      }
      assertEquals(alive, 3, user);
      assertEquals(await storages[1].destroySessions(user), 3, user);
    }
  });

  const statements = dialect === "mysql" ? 3 : 2;
  Deno.test(`a login runs ${statements} statements (${name})`, async () => {
    await using single = pool({ max: 1 });
    const storage = open(single.db, { table: `t${++tables}` });
    const session = await storage.read(await save(storage, "guest"));
    const client = single.db as unknown as Record<
      string,
      (...call: unknown[]) => unknown
    >;
    let count = 1;
    for (const method of ["query", "execute"]) {
      const run = client[method];
      if (run) {
        client[method] = (...call) => {
          count++;
          return Reflect.apply(run, client, call);
        };
      }
    }
    session.restart();
    session.set("user", "ann");
    const id = await storage.save(session);
    assertEquals(count, statements, "with the one that has read the session");
    assert((await storage.read(id)).has("user"));
  });

  Deno.test(`requests wait for a pool of one connection, and none waits for itself (${name})`, async () => {
    await using single = pool({ max: 1 });
    const table = `t${++tables}`;
    const options = {
      table,
      owner: ({ user }: Partial<Data>) => user,
      maxPerOwner: 2,
    };
    const storage = open(single.db, options);
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => save(storage, `u${i}`)),
    );
  });

  Deno.test(`requests fail with store-failed while the server is away or a replica, and work afterwards (${name})`, async () => {
    await using connections = pool();
    const table = `t${++tables}`;
    const storage = open(connections.db, { table });
    const id = await save(storage);
    await run(...dialect === "postgres" ? [database.killAll] : []);
    if (dialect === "mysql") await run(database.killAll).catch(() => {});
    // The first request can still get a connection that was lost.
    await storage.read(id).catch(() => {});
    assert((await storage.read(id)).has("user"), "after lost connections");

    if (dialect === "postgres") {
      const [on, off] = database.readOnly;
      // It holds for connections that begin from now on.
      await run(on, database.killAll);
      try {
        await storage.read(id).catch(() => {});
        assert((await storage.read(id)).has("user"), "a replica answers");
        assertStringIncludes(await assertFails(save(storage)), "read-only");
      } finally {
        await run(off, database.killAll);
      }
      await storage.read(id).catch(() => {});
    }

    await server.kill();
    await assertFails(storage.read(id));
    await assertFails(save(storage));
    await server.restart();
    await storage.read(id).catch(() => {});
    assert((await storage.read(id)).has("user"), "after a crash");
    await save(storage);
  });

  Deno.test(`records are whole, of every letter and of a megabyte (${name})`, async () => {
    await using connections = pool();
    const storage = open(connections.db, { table: `t${++tables}` });
    const session = await storage.read(null);
    const values = { emoji: "🎒 ü ß \u0000 \ud800", long: "é".repeat(500_000) };
    for (const [key, value] of Object.entries(values)) session.set(key, value);
    const read = await storage.read(await storage.save(session));
    for (const [key, value] of Object.entries(values)) {
      assert(read.get(key) === value, key);
    }
  });

  if (dialect === "postgres") {
    Deno.test("a renewal within the hour changes no index of PostgreSQL (HOT)", async () => {
      const connections = pool();
      const table = `t${++tables}`;
      let time = 400_000 * 3_600_000 + 60_000;
      const storage = open(connections.db, {
        ...{ table, idleTimeout: 1800, touchAfter: 1, now: () => time },
      });
      const ids: (string | null)[] = [];
      for (let i = 0; i < 50; i++) ids.push(await save(storage));
      for (let round = 0; round < 10; round++) {
        time += 2000;
        for (const id of ids) await storage.read(id);
      }
      // A connection tells its figures when it ends.
      await connections[Symbol.asyncDispose]();
      let [updates, hot] = [0, 0];
      while (updates < 500) {
        const [[row]] = await run(
          `SELECT n_tup_upd AS updates, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relname = '${table}'`,
        ) as [{ updates: string; hot: string }[]];
        [updates, hot] = [Number(row?.updates), Number(row?.hot)];
      }
      assertEquals([updates, hot], [500, 500]);
    });

    Deno.test("a pg Client that was not connected fails and says so", async () => {
      const { port } = server;
      const client = new pg.Client({
        host: "127.0.0.1",
        port,
        user: "postgres",
      });
      const storage = open(client, { table: `t${++tables}` });
      assertEquals(
        await assertFails(save(storage)),
        "the Client of pg is not connected; await client.connect() first, or pass a Pool",
      );
      await client.connect();
      assert(await save(storage));
      await client.end();
    });

    Deno.test("a pg Client within a transaction of the application fails and says so", async () => {
      const { port } = server;
      const client = new pg.Client({
        ...{ host: "127.0.0.1", port, user: "postgres" },
      });
      await client.connect();
      const storage = open(client, { table: `t${++tables}` });
      const session = await storage.read(await save(storage));
      await client.query("BEGIN");
      session.destroy();
      assertEquals(
        await assertFails(storage.save(session)),
        "a transaction of the application is open on the same connection; give the storage a connection of its own",
      );
      await client.query("ROLLBACK");
      assertEquals(await storage.save(session), "");
      await client.end();
    });

    Deno.test("a table of PostgreSQL with columns of other types is refused", async () => {
      await using connections = pool();
      const changes: [from: string, to: string][] = [
        ['"expires" bigint', '"expires" integer'],
        ['"expires" bigint', '"expires" timestamp'],
        ['"value" text', '"value" varchar(255)'],
        ['"version" text COLLATE "C"', '"version" integer'],
        ['"owner" text COLLATE "C"', '"owner" text, "tenant" int NOT NULL'],
      ];
      for (const [from, to] of changes) {
        const table = `t${++tables}`;
        await run(sqlSessionSchema("postgres", { table }).replace(from, to));
        const storage = open(connections.db, { table, createTable: false });
        assertStringIncludes(
          await assertFails(save(storage, "a".repeat(300))),
          `Cannot use table "${table}": one of its columns has another type`,
          to,
        );
      }
    });

    Deno.test("prepare keeps each statement on the connection, and says so if a pooler has lost it", async () => {
      const at = { host: "127.0.0.1", port: server.port, user: "postgres" };
      const client = new pg.Client(at);
      await client.connect();
      const sql = postgres({ ...at, max: 1 });
      // postgres.js has a statement of its own.
      const count =
        `SELECT count(*)::int AS n FROM pg_prepared_statements WHERE statement LIKE '%"version"%'`;
      const clients: [string, SqlClientLike, () => Promise<unknown>][] = [
        ["pg", client, async () => (await client.query(count)).rows[0].n],
        ["postgres.js", sql, async () => (await sql.unsafe(count))[0]?.["n"]],
      ];
      const openOn = async (db: SqlClientLike, prepare?: boolean) => {
        const table = `t${++tables}`;
        await run(sqlSessionSchema("postgres", { table }));
        return open(db, { table, prepare, createTable: false });
      };
      for (const [name, db, kept] of clients) {
        // Two tables on one connection, after one that does not prepare.
        for (const [i, prepare] of [undefined, true, true].entries()) {
          const storage = await openOn(db, prepare);
          for (let i = 0; i < 3; i++) {
            assert((await storage.read(await save(storage))).has("user"), name);
          }
          assertEquals(await kept(), 2 * i, name);
        }
      }
      const storage = await openOn(client, true);
      await save(storage);
      await client.query("DEALLOCATE ALL");
      assertEquals(
        await assertFails(save(storage)),
        "Cannot use prepare: a pooler gives statements to connections that were prepared by other clients; leave prepare out",
      );
      await client.end();
      await sql.end();
    });

    Deno.test("tables of a schema and names in upper case work in PostgreSQL, whatever the client does to names", async () => {
      await run("CREATE SCHEMA app");
      const { port } = server;
      const sql = postgres({
        ...{ host: "127.0.0.1", port, user: "postgres", onnotice() {} },
        transform: postgres.camel,
        types: { bigint: postgres.BigInt },
      });
      const table = "app.Sessions";
      const schema = sqlSessionSchema("postgres", { table });
      await sql.unsafe(schema);
      await sql.unsafe(schema);
      const storage = open(sql, { table, createTable: false });
      assert((await storage.read(await save(storage))).has("user"));
      await sql.end();
    });
  } else {
    Deno.test("a connection of MySQL that would lose or change sessions is refused", async () => {
      const table = `t${++tables}`;
      const at = { host: "127.0.0.1", port: server.port, user: "root" };
      const charset = mysql.createPool({
        ...{ ...at, database: "app", charset: "latin1" },
      });
      const holding = mysql.createPool({ ...at, database: "app" });
      holding.pool.on("connection", (connection) => {
        connection.query("SET SESSION autocommit = 0");
      });
      const problems = new Map([
        [charset, "the connection's character set does not have every letter"],
        [holding, "the connection does not commit what it writes"],
      ]);
      for (const [db, problem] of problems) {
        const message = await assertFails(save(open(db, { table })));
        assertStringIncludes(message, problem, problem);
        await db.end();
      }
    });

    Deno.test("a table of MySQL that would lose sessions is refused", async () => {
      await using connections = pool();
      const good = sqlSessionSchema("mysql", { table: "bad" });
      const tables: Record<string, string> = {
        "its column value is too short": good.replace("longtext", "text"),
        "its column value does not have every letter": good.replaceAll(
          "utf8mb4",
          "latin1",
        ),
        "its column key is not its primary key": good.replace(
          "PRIMARY KEY (`key`)",
          "KEY (`key`)",
        ),
        "its column key is not text that tells upper case from lower case": good
          .replace("ascii_bin", "ascii_general_ci"),
        // Its keys come back as bytes.
        "upper case from lower case; its collation must be ascii_bin": good
          .replace(
            "varchar(64) CHARACTER SET ascii COLLATE ascii_bin",
            "varbinary(64)",
          ),
        "it does not have the column due": good.replace(
          /.*KEY `bad_due`.*\n/,
          "",
        ).replace(/ {2}`due` .*\n/, ""),
        "one of its columns has another type": good.replace("bigint", "int"),
        "or a column that sessions do not have must not be null": good.replace(
          "  PRIMARY",
          "  tenant int NOT NULL,\n  PRIMARY",
        ),
      };
      for (const [problem, schema] of Object.entries(tables)) {
        await run("DROP TABLE IF EXISTS app.bad");
        await run(schema.replace("`bad`", "app.`bad`"));
        const storage = open(connections.db, {
          ...{ table: "bad", createTable: false },
        });
        assertStringIncludes(
          await assertFails(save(storage)),
          problem,
          problem,
        );
      }
    });
  }
}
