// What createSqlSessionStorage() and sqlSessionSchema() refuse, and what they say; what a table without its parts says.
import {
  createSqlSessionStorage,
  SessionError,
  type SessionStorage,
  type SqlClientLike,
  sqlSessionSchema,
} from "@satchel/session";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { rowName } from "../_row.ts";
import { asClient, engineOn } from "./_sql.ts";

const UNKNOWN = "Cannot use SQL: db must be a client of node:sqlite";
const NAMELESS =
  'Cannot use SQL: table must be a name of letters, digits, "_" and "$", with its schema if it needs one, such as "sessions" or "app.sessions"';

function open(options: Record<string, unknown>) {
  return () => createSqlSessionStorage(options as never);
}

/** What a storage's first request failed with. */
async function failure(storage: SessionStorage) {
  const session = await storage.read(null);
  session.set("a", 1);
  const error = await assertRejects(() => storage.save(session), SessionError);
  assertEquals(error.code, "store-failed");
  return String((error.cause as Error).message);
}

Deno.test("createSqlSessionStorage() refuses a client that it does not know", () => {
  const clients: unknown[] = [
    undefined,
    null,
    "postgres://localhost/app",
    {},
    // A driver of MySQL whose results are others, and one without promises.
    { query() {}, execute() {}, batch() {}, escapeId() {} },
    { connect() {}, end() {} },
  ];
  for (const db of clients) {
    assertThrows(open({ db }), TypeError, UNKNOWN, rowName(db));
  }
});

Deno.test("createSqlSessionStorage() refuses a table that has no name", () => {
  const db = new DatabaseSync(":memory:");
  for (
    const table of [
      ...["", "a b", "a;b", 'a"b', "a.b.c", "1a", ".a", "a.", "ä"],
      ...["a".repeat(64), 1, null, "sessions; DROP TABLE users"],
    ]
  ) {
    assertThrows(open({ db, table }), TypeError, NAMELESS, rowName(table));
    assertThrows(
      () => sqlSessionSchema("sqlite", { table: table as string }),
      TypeError,
      NAMELESS,
      rowName(table),
    );
  }
  db.close();
});

Deno.test("createSqlSessionStorage() refuses a dialect that is unknown, missing or not the client's", () => {
  const db = new DatabaseSync(":memory:");
  const own = { query: async () => ({ rows: [], rowCount: 0 }) };
  const words =
    'Cannot use SQL: dialect must be "sqlite", "postgres" or "mysql" (also for MariaDB)';
  assertThrows(open({ db, dialect: "oracle" }), TypeError, words);
  assertThrows(() => sqlSessionSchema("pg" as "postgres"), TypeError, words);
  assertThrows(
    open({ db, dialect: "mysql" }),
    TypeError,
    'Cannot use SQL: dialect is "mysql", but db is a client for "sqlite"; leave dialect out',
  );
  assertThrows(
    open({ db: own }),
    TypeError,
    'Cannot use SQL: this client does not say which database it is for; add dialect: "postgres", "mysql" or "sqlite"',
  );
  open({ db: own, dialect: "mysql" })();
  assertThrows(open({ db, createTable: 1 }), TypeError, "createTable must be");
  assertThrows(open({ db, prepare: 1 }), TypeError, "prepare must be");
  db.close();
});

Deno.test("createSqlSessionStorage() knows each client by its methods", () => {
  const f = () => {};
  const unsafe = (options?: object) =>
    Object.assign(() => {}, { unsafe: f, begin: f, options });
  const clients: Record<string, [unknown, number | undefined]> = {
    // The dialect shows in the limit of a record.
    "better-sqlite3": [{ prepare: f, exec: f, transaction: f }, undefined],
    "bun:sqlite": [{ prepare: f, query: f, run: f, exec: f }, undefined],
    "@libsql/client": [{ execute: f, batch: f, migrate: f }, undefined],
    D1: [{ prepare: f, batch: f, exec: f, withSession: f }, 1_999_800],
    "a session of D1": [{ prepare: f, batch: f, getBookmark: f }, 1_999_800],
    "pg Pool": [{ query: f, connect: f, end: f }, undefined],
    "pg Client": [
      { query: f, connect: f, end: f, escapeLiteral: f },
      undefined,
    ],
    "postgres.js": [unsafe({ host: [] }), undefined],
    "Bun.SQL, Postgres": [unsafe({ adapter: "postgres" }), undefined],
    "Bun.SQL, MySQL": [unsafe({ adapter: "mysql" }), 4_000_000],
    "neon()": [
      Object.assign(() => {}, { query: f, unsafe: f, transaction: f }),
      undefined,
    ],
    "mysql2/promise": [
      { query: f, execute: f, escapeId: f, prepare: f },
      4_000_000,
    ],
    "mysql2": [
      { query: f, execute: f, escapeId: f, promise: () => ({}) },
      4_000_000,
    ],
    Drizzle: [{ $client: { query: f, connect: f, end: f } }, undefined],
  };
  for (const [name, [db, maxBytes]] of Object.entries(clients)) {
    const { guarantees } = createSqlSessionStorage({ db: asClient(db) });
    assertEquals(guarantees.maxBytes, maxBytes, name);
    assertEquals([guarantees.shared, guarantees.durable], [true, true], name);
  }
});

Deno.test("storage.guarantees says that nobody shares a database in memory", () => {
  const db = new DatabaseSync(":memory:");
  const { guarantees } = createSqlSessionStorage({ db });
  assertEquals([guarantees.shared, guarantees.durable], [false, false]);
  db.close();
});

Deno.test("storage.save() fails and says how to create the table, when it is missing", async () => {
  const db = new DatabaseSync(":memory:");
  assertEquals(
    await failure(createSqlSessionStorage({ db })),
    'Cannot use table "sessions": it does not exist, or this connection does not find it; create it with the statements of sqlSessionSchema("sqlite")',
  );
  assertStringIncludes(
    await failure(createSqlSessionStorage({ db, table: "main.own" })),
    'sqlSessionSchema("sqlite", { table: "main.own" })',
  );
  db.close();
});

Deno.test("storage.save() fails and names what is wrong, when the table is another one", async () => {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE sessions (sid TEXT PRIMARY KEY, data TEXT)");
  for (const createTable of [true, false]) {
    assertStringIncludes(
      await failure(createSqlSessionStorage({ db, createTable })),
      "it does not have all of the columns key, value, version, expires, due, owner",
      `createTable: ${createTable}`,
    );
  }
  const schema = sqlSessionSchema("sqlite", { table: "loose" });
  db.exec(schema.replace(" PRIMARY KEY", ""));
  assertStringIncludes(
    await failure(createSqlSessionStorage({ db, table: "loose" })),
    "its column key is not its primary key",
  );
  const changed = {
    strict: ["\n);", "\n) STRICT;", '"expires" integer', '"expires" blob'],
    required: ['"owner" text', '"owner" text, "tenant" text NOT NULL', "", ""],
  };
  for (
    const [table, [a = "", b = "", c = "", d = ""]] of Object.entries(changed)
  ) {
    const schema = sqlSessionSchema("sqlite", { table });
    db.exec(schema.replace(a, b).replace(c, d));
    assertStringIncludes(
      await failure(createSqlSessionStorage({ db, table })),
      `Cannot use table "${table}": one of its columns has another type, or a column that sessions do not have must not be null`,
      table,
    );
  }
  db.close();
});

Deno.test("storage.save() works once the table is there, when it failed before", async () => {
  const db = new DatabaseSync(":memory:");
  const storage = createSqlSessionStorage({ db });
  await failure(storage);
  db.exec(sqlSessionSchema("sqlite"));
  const session = await storage.read(null);
  session.set("a", 1);
  assert(await storage.save(session));
  db.close();
});

Deno.test("sqlSessionSchema() can be run twice, and names its indexes after the table", () => {
  const db = new DatabaseSync(":memory:");
  db.exec("ATTACH ':memory:' AS app");
  const tables = ["sessions", "Sessions2", "app.sessions", "a".repeat(63)];
  for (const table of tables) {
    for (let i = 0; i < 2; i++) db.exec(sqlSessionSchema("sqlite", { table }));
  }
  const names = (schema: string) =>
    db.prepare(
      `SELECT name FROM ${schema}.sqlite_schema WHERE sql LIKE 'CREATE INDEX%' ORDER BY name`,
    ).all().map(({ name }) => name);
  assertEquals(names("app"), ["sessions_due", "sessions_owner"]);
  assertEquals(names("main"), [
    ...["Sessions2_due", "Sessions2_owner"],
    ...[`${"a".repeat(57)}_owner`, `${"a".repeat(59)}_due`],
    ...["sessions_due", "sessions_owner"],
  ]);
  db.close();
});

Deno.test("storage.save() fails, when the application has a transaction open on the connection", async () => {
  const db = new DatabaseSync(":memory:");
  const storage = createSqlSessionStorage({ db, createTable: true });
  const session = await storage.read(null);
  session.set("a", 1);
  const id = await storage.save(session);
  db.exec("BEGIN");
  assertEquals(
    await failure(storage),
    "a transaction of the application is open on the same connection; give the storage a connection of its own",
  );
  db.exec("ROLLBACK");
  assertEquals((await storage.read(id)).get("a"), 1);
  db.close();
});

/** A client of the application's own, over SQLite, that answers in its own way. */
function own(
  db: DatabaseSync,
  change: (answer: { rows: unknown[]; rowCount: unknown }) => unknown,
): SqlClientLike {
  return asClient({
    async query(sql: string, values: (string | number | null)[]) {
      const statement = db.prepare(sql);
      if (/^(SELECT|WITH)/.test(sql)) {
        return change({ rows: statement.all(...values), rowCount: null });
      }
      const { changes } = statement.run(...values);
      return change({ rows: [], rowCount: changes });
    },
  });
}

Deno.test("the engine on SQL understands a count and a deadline, in whatever form the client returns them", async () => {
  const db = new DatabaseSync(":memory:");
  const as = (form: (value: number) => unknown) =>
    own(db, ({ rows, rowCount }) => ({
      rows: (rows as { expires: number }[]).map((row) => ({
        ...row,
        expires: form(row.expires),
      })),
      rowCount: typeof rowCount === "number" ? BigInt(rowCount) : rowCount,
    }));
  for (const form of [Number, String, BigInt]) {
    const engine = engineOn(as(form), { dialect: "sqlite" });
    const expires = Date.now() + 1000;
    const version = await engine.write(form.name, "[1]", { expires });
    const found = await engine.read(form.name);
    assertEquals(found, { value: "[1]", version, expires }, form.name);
    const options = { expires, ifVersion: "another" };
    assertEquals(
      await engine.write(form.name, "[2]", options),
      null,
      form.name,
    );
  }
  const odd = engineOn(as(() => "soon"), { dialect: "sqlite" });
  const version = await odd.write("odd", "[1]", { expires: 1 });
  // It is reported as corrupt, and can be replaced.
  assertEquals(await odd.read("odd"), {
    value: "",
    version,
    expires: Infinity,
  });
  db.close();
});

Deno.test("the engine on SQL throws, when the client does not return a count or renames columns", async () => {
  const db = new DatabaseSync(":memory:");
  const good = engineOn(db);
  await good.write("key", "[1]", { expires: Date.now() + 1000 });
  for (const rowCount of [null, undefined, "1", NaN]) {
    const engine = engineOn(own(db, (answer) => ({ ...answer, rowCount })), {
      dialect: "sqlite",
    });
    await assertRejects(
      () => engine.delete("key", { ifVersion: "v" }),
      TypeError,
      "the client of SQL did not return how many rows a statement changed",
      rowName(rowCount),
    );
  }
  const renaming = own(db, ({ rows }) => ({
    rows: rows.map((row) =>
      Object.fromEntries(
        Object.entries(row as object).map((
          [name, v],
        ) => [name.toUpperCase(), v]),
      )
    ),
  }));
  await assertRejects(
    () => engineOn(renaming, { dialect: "sqlite" }).read("key"),
    TypeError,
    "the client must not rename columns",
  );
  const rowless = asClient({ query: async () => [] });
  await assertRejects(
    () => engineOn(rowless, { dialect: "sqlite", creates: false }).read("key"),
    TypeError,
    "the client of SQL returned something other than rows",
  );
  db.close();
});

Deno.test("the engine on SQL repeats a statement that others are in the way of, and no other", async () => {
  const db = new DatabaseSync(":memory:");
  engineOn(db).read("key");
  const failures: unknown[] = [];
  let calls = 0;
  const failing = own(db, (answer) => {
    calls++;
    const failure = failures.shift();
    if (failure) throw failure;
    return answer;
  });
  const engine = engineOn(failing, { dialect: "sqlite", creates: false });
  const busy: object[] = [
    { code: "40001" },
    { code: "40P01" },
    { code: "ER_LOCK_DEADLOCK", errno: 1213 },
    { errno: 1205 },
    // lock_timeout
    { code: "55P03" },
    { errno: "40001" },
    { code: "SQLITE_BUSY" },
    { code: "ERR_SQLITE_ERROR", errcode: 5 },
    { code: "ERR_SQLITE_ERROR", errcode: 261 },
    { message: "Failed query", cause: { cause: { code: "40001" } } },
    // Prisma's
    {
      code: "P2010",
      message:
        "\nInvalid invocation:\n\n\nRaw query failed. Code: `40P01`. Message: `deadlock detected`",
    },
    { message: "D1_ERROR: D1 DB is overloaded. Requests queued for too long." },
  ];
  for (const problem of busy) {
    failures.push(Object.assign(new Error(), problem));
    calls = 0;
    assertEquals(await engine.read("none"), null, JSON.stringify(problem));
    assertEquals(calls, 2, JSON.stringify(problem));
  }
  const others: object[] = [
    { code: "ECONNREFUSED" },
    { code: "25006" },
    { code: "57P01" },
    { code: "53300" },
    { message: "timeout exceeded when trying to connect" },
    { errno: 1290, code: "ER_OPTION_PREVENTS_STATEMENT" },
    { code: "PROTOCOL_CONNECTION_LOST" },
    { code: "ERR_SQLITE_ERROR", errcode: 8 },
  ];
  for (const problem of others) {
    failures.push(Object.assign(new Error(), problem));
    calls = 0;
    await assertRejects(() => engine.read("none"), JSON.stringify(problem));
    assertEquals(calls, 1, JSON.stringify(problem));
  }
  db.close();
});

Deno.test("the engine on SQL creates its table, when others are in the way of each statement", async () => {
  const db = new DatabaseSync(":memory:");
  const tried = new Set<string>();
  const busy = asClient({
    async query(sql: string, values: (string | number | null)[]) {
      if (!tried.has(sql)) {
        tried.add(sql);
        throw Object.assign(new Error("database is locked"), { errcode: 5 });
      }
      return { rows: db.prepare(sql).all(...values), rowCount: 0 };
    },
  });
  const engine = engineOn(busy, { dialect: "sqlite" });
  assertEquals(await engine.read("none"), null);
  assertEquals(tried.size, 5, "it looks, creates three things, and reads");
  db.close();
});

Deno.test("the engine on SQL finds out whether a write had its effect, when D1 lost the answer", async () => {
  const db = new DatabaseSync(":memory:");
  let lost = 0;
  const d1 = own(db, (answer) => {
    if (lost-- > 0) throw new Error("D1_ERROR: Network connection lost.");
    return answer;
  });
  const engine = engineOn(d1, { dialect: "sqlite" });
  const expires = Date.now() + 1000;
  await engine.read("key");
  lost = 1;
  const first = await engine.write("key", "[1]", { expires, ifVersion: null });
  assert(first !== null);
  lost = 1;
  const options = { expires, ifVersion: first };
  const second = await engine.write("key", "[2]", options);
  assertEquals((await engine.read("key"))?.version, second);
  // A deletion cannot be told from another one's.
  lost = 1;
  await assertRejects(() => engine.delete("key", { ifVersion: second }));
  db.close();
});

Deno.test("the engine on SQL removes values from the client's error", async () => {
  const error = Object.assign(new Error("no"), {
    ...{ sql: "SELECT 's3cr3t'", parameters: ["s3cr3t"], code: "XX000" },
    cause: Object.assign(new Error("why"), { args: ["s3cr3t"] }),
  });
  const db = asClient({ query: () => Promise.reject(error) });
  const engine = engineOn(db, { dialect: "postgres", creates: false });
  const thrown = await assertRejects(() => engine.read("key"));
  assert(!Deno.inspect(thrown, { depth: 9 }).includes("s3cr3t"));
  assertEquals((thrown as { code?: string }).code, "XX000");
});

Deno.test("onEvent receives one engine-error, when a pool of pg has no listener for errors", async () => {
  const answer = async (sql: string) => ({
    rows: [],
    rowCount: sql.startsWith("SELECT") ? null : 1,
  });
  const reported = async (listener: boolean) => {
    // It connects with its first query, which is another's here.
    const pool = Object.assign(new pg.Pool(), { query: answer });
    const causes: unknown[] = [];
    const storage = createSqlSessionStorage({
      db: asClient(pool),
      onEvent: ({ cause }) => cause === undefined || causes.push(cause),
    });
    // An application may add it after it has made the storage.
    if (listener) pool.on("error", () => {});
    for (let i = 0; i < 2; i++) {
      const session = await storage.read("a".repeat(24));
      session.set("a", 1);
      await storage.save(session);
    }
    return causes.map(String);
  };
  assertEquals(await reported(true), []);
  assertEquals(await reported(false), [
    'Error: the Pool of pg ends the process when an idle connection is lost; add a listener: pool.on("error", (error) => …)',
  ]);
});

Deno.test("the engine on SQL asks a function for the client of the moment", async () => {
  const dir = await Deno.makeTempDir();
  let asked = 0;
  const clients = Array.from({ length: 2 }, () => new DatabaseSync(`${dir}/a`));
  const engine = engineOn(() => asClient(clients[asked++ % 2]));
  await engine.write("key", "[1]", { expires: Date.now() + 1000 });
  assertEquals((await engine.read("key"))?.value, "[1]");
  assert(asked > 2);
  assertEquals(engine.guarantees.maxBytes, 1_999_800);
  for (const client of clients) client.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("the engine on SQL prepares statements again, when the connection was closed and opened again", async () => {
  const path = await Deno.makeTempFile();
  const db = new DatabaseSync(path);
  const engine = engineOn(db);
  await engine.write("key", "[1]", { expires: Date.now() + 1000 });
  db.close();
  await assertRejects(() => engine.read("key"));
  db.open();
  assertEquals((await engine.read("key"))?.value, "[1]");
  db.close();
  await Deno.remove(path);
});

Deno.test("engine.sweep() removes more records than fit in one statement, and none that was renewed meanwhile", async () => {
  const db = new DatabaseSync(":memory:");
  const engine = engineOn(db);
  await engine.read("key");
  const renewed = "k0500";
  const insert = db.prepare(
    "INSERT INTO sessions VALUES (?, '[1]', 'v', ?, ?, NULL)",
  );
  for (let i = 0; i < 1000; i++) {
    insert.run(`k${`${i}`.padStart(4, "0")}`, 1_000_000 + i, 1);
  }
  // Between finding the keys and deleting them.
  const prepare = db.prepare.bind(db);
  let found = 0;
  db.prepare = (sql: string) => {
    const statement = prepare(sql);
    if (!/^SELECT "key" FROM/.test(sql)) return statement;
    const all = statement.all.bind(statement);
    statement.all = (...values: never[]) => {
      const rows = all(...values);
      if (found++ === 1) {
        prepare("UPDATE sessions SET expires = 9e12 WHERE key = ?").run(
          renewed,
        );
      }
      return rows;
    };
    return statement;
  };
  const counts = [engine.sweep(2_000_000), engine.sweep(2_000_000)];
  assertEquals(await Promise.all(counts), [999, 0]);
  const left = prepare("SELECT key FROM sessions").all();
  assertEquals(left.map(({ key }) => key), [renewed]);
  assertEquals(found, 4);
  db.close();
});

Deno.test("the engine on SQL sweeps in passing, not at once and not in every request", async () => {
  const db = new DatabaseSync(":memory:");
  let now = 1e12;
  const engine = engineOn(db, { now: () => now });
  const count = () =>
    db.prepare("SELECT count(*) AS n FROM sessions").get()?.["n"];
  await engine.write("old", "[1]", { expires: now });
  for (let minute = 0; minute < 4; minute++) {
    now += 60_000;
    await engine.write("new", "[1]", { expires: now + 1e9 });
    await engine.close();
    assertEquals(count(), 2, `after ${minute} minutes`);
  }
  now += 3_600_000;
  await engine.write("new", "[1]", { expires: now + 1e9 });
  await engine.close();
  assertEquals(count(), 1);
  db.close();
});
