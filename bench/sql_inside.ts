/**
 * Runs on Node: `sql_inside.mjs postgres|sqlite AT ROUNDS` measures requests on a database, and prints tables.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- its report
import { createSqlSessionStorage, sqlSessionSchema } from "@satchel/session";
import { readFileSync } from "node:fs";
import process from "node:process";
import { handle } from "./express.ts";
import { median } from "./measure.ts";
import { cookieAfter, SECRET, sessionOf } from "./visit.ts";

// deno-lint-ignore no-explicit-any -- the peers' packages are only where this runs
type Any = any;

const [kind = "", at = "", given = ""] = process.argv.slice(2);
const ROUNDS = Number(given);
/** Rounds that warm up for each table. */
const WARM = 3;
/** Requests of each kind that compilers are given before: they need thousands. */
const FIRST = 8000;
/** Visitors who take turns. */
const VISITORS = 32;
/** Sessions in a table. The visitors' are spread among them: a few rows alone would fit into a page or two. */
const SESSIONS = 20_000;
/** Requests of a library in a round. */
const REQUESTS = 160;
const MAX_AGE = 14 * 24 * 60 * 60;
const name = "session";
const secrets = [SECRET];

async function load(name: string): Promise<Any> {
  return (await import(name)).default;
}

/** What a request does: it reads a string, sets a number, or signs in. */
const REQUEST_KINDS = ["read", "change", "login"] as const;
type RequestKind = typeof REQUEST_KINDS[number];

/** Handles a visitor's request, and returns the `Set-Cookie` headers. */
type Handle = (
  kind: RequestKind | "begin",
  cookie: string | null,
  n: number,
) => Promise<string | readonly string[]>;

/** A library on a client of the database. */
interface Library {
  readonly name: string;
  readonly make: (client: Any) => Handle | Promise<Handle>;
}

const OURS = "@satchel/session";

const ours = (options: object) => (db: Any): Handle => {
  const { getSession, commitSession } = createSqlSessionStorage({
    ...options,
    db,
    table: "satchel",
    cookie: { name, secrets, maxAge: MAX_AGE },
  });
  return async (kind, cookie, n) => {
    const session = await getSession(cookie);
    if (kind === "read") {
      if (session.get("userId") === undefined) throw new Error("No session");
    } else if (kind === "change") session.set("visits", n);
    else {
      if (kind === "login") session.restart();
      const values = sessionOf("S", n);
      for (const key in values) session.set(key, values[key]);
    }
    return await commitSession(session, { renew: false });
  };
};

/** express-session with a store. */
async function express(
  make: (session: Any) => unknown,
): Promise<Handle> {
  const session = await load("express-session");
  const middleware = session({
    store: make(session),
    name,
    secret: secrets,
    cookie: { maxAge: MAX_AGE * 1000 },
    resave: false,
    saveUninitialized: false,
  });
  return (kind, cookie, n) =>
    handle(middleware, cookie, (request) => {
      const { session } = request;
      if (kind === "read") {
        if (session.userId === undefined) throw new Error("No session");
      } else if (kind === "change") session.visits = n;
      else if (kind === "begin") Object.assign(session, sessionOf("S", n));
      else {
        return new Promise((resolve, reject) =>
          session.regenerate((error: unknown) => {
            if (error) return reject(error);
            Object.assign(request.session, sessionOf("S", n));
            resolve();
          })
        );
      }
    });
}

/** A database: a client for each library, the libraries, and the time that its server has spent on a client. */
interface Side {
  readonly title: string;
  open(): Promise<Any>;
  /** A client of its own, with the number of statements that it has run. */
  counting(client: Any): { client: Any; count(): number };
  readonly libraries: readonly Library[];
  /** In µs. */
  spent?(client: Any): Promise<() => number>;
}

async function postgres(): Promise<Side> {
  const { Pool } = await load("pg");
  const connectPgSimple = await load("connect-pg-simple");
  const open = async (): Promise<Any> => {
    const pool = new Pool({
      connectionString: at,
      max: 10,
      idleTimeoutMillis: 0,
    });
    pool.on("error", () => {});
    // All of its connections.
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => pool.connect()),
    );
    for (const client of clients) client.release();
    return pool;
  };
  const pool = await open();
  await pool.query(sqlSessionSchema("postgres", { table: "satchel" }));
  const table = import.meta.resolve("connect-pg-simple").replace(
    /[^/]*$/,
    "table.sql",
  );
  await pool.query(readFileSync(new URL(table), "utf8"));
  const store = (options: object) => async (pool: Any) =>
    await express((session) =>
      new (connectPgSimple(session))({
        pool,
        pruneSessionInterval: false,
        ...options,
      })
    );
  return {
    title: "PostgreSQL",
    open,
    counting(client) {
      let n = 0;
      const { query } = client;
      client.query = (...args: unknown[]) => {
        n++;
        return query.apply(client, args);
      };
      return { client, count: () => n };
    },
    libraries: [
      { name: OURS, make: ours({}) },
      { name: `${OURS}, prepare`, make: ours({ prepare: true }) },
      { name: "connect-pg-simple", make: store({}) },
      {
        name: "connect-pg-simple, disableTouch",
        make: store({ disableTouch: true }),
      },
    ],
    async spent(pool) {
      const clients: Any[] = await Promise.all(
        Array.from({ length: 10 }, () => pool.connect()),
      );
      const files = clients.map(({ processID }) =>
        `/proc/${processID}/schedstat`
      );
      for (const client of clients) client.release();
      return () =>
        files.reduce(
          (sum, file) => sum + Number.parseInt(readFileSync(file, "utf8")),
          0,
        ) / 1000;
    },
  };
}

async function sqlite(): Promise<Side> {
  const Database = await load("better-sqlite3");
  const sqliteStore = await load("better-sqlite3-session-store");
  let files = 0;
  return {
    title: "SQLite",
    // deno-lint-ignore require-await -- as the others
    async open() {
      const db = new Database(`${at}/${files++}.db`);
      db.pragma("journal_mode = WAL");
      db.pragma("synchronous = NORMAL");
      db.exec(sqlSessionSchema("sqlite", { table: "satchel" }));
      return db;
    },
    counting(db) {
      let n = 0;
      const { prepare } = db;
      db.prepare = (sql: string) => {
        const statement = prepare.call(db, sql);
        const counted = (name: string) => (...args: unknown[]) => {
          n++;
          return statement[name](...args);
        };
        return {
          run: counted("run"),
          get: counted("get"),
          all: counted("all"),
        };
      };
      return { client: db, count: () => n };
    },
    libraries: [
      { name: OURS, make: ours({}) },
      {
        name: "better-sqlite3-session-store",
        make: async (client) =>
          await express((session) => new (sqliteStore(session))({ client })),
      },
    ],
  };
}

/** What a request took, in µs. */
interface Cost {
  readonly wall: number;
  /** The time of this process's processor. */
  readonly client: number;
  /** The time of the server's. */
  readonly server: number;
  readonly both: number;
}
const PARTS = ["wall", "client", "server", "both"] as const;

interface Row {
  readonly name: string;
  readonly handle: Handle;
  readonly cookies: string[];
  readonly spent: () => number;
  readonly statements: Readonly<Record<RequestKind, number>>;
  /** Of each round. */
  readonly costs: Cost[];
}

let requests = 0;

async function visit(row: Row, kind: RequestKind, at: number): Promise<void> {
  const answer = await row.handle(kind, row.cookies[at] ?? null, ++requests);
  const cookie = cookieAfter(answer);
  if (cookie !== "") row.cookies[at] = cookie;
}

/** Runs as many requests as a turn has, `atOnce` of them in parallel, and returns what one has cost. */
async function measure(
  row: Row,
  kind: RequestKind,
  atOnce: number,
): Promise<Cost> {
  const served = row.spent();
  const used = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < REQUESTS; i += atOnce) {
    if (atOnce === 1) await visit(row, kind, i % VISITORS);
    else {
      const turns: Promise<void>[] = [];
      for (let j = 0; j < atOnce; j++) turns.push(visit(row, kind, j));
      await Promise.all(turns);
    }
  }
  const wall = (performance.now() - start) * 1000;
  const { user, system } = process.cpuUsage(used);
  const client = (user + system) / REQUESTS;
  const server = (row.spent() - served) / REQUESTS;
  return { wall: wall / REQUESTS, client, server, both: client + server };
}

/** How many statements each kind of request runs. */
async function statementsOf(
  side: Side,
  { make }: Library,
): Promise<Row["statements"]> {
  const { client, count } = side.counting(await side.open());
  const handle = await make(client);
  let n = 0;
  let cookie = cookieAfter(await handle("begin", null, ++n));
  const counts: Record<string, number> = {};
  for (const kind of REQUEST_KINDS) {
    const before = count();
    cookie = cookieAfter(await handle(kind, cookie, ++n)) || cookie;
    counts[kind] = count() - before;
    // It was stored, or this throws.
    await handle("read", cookie, ++n);
  }
  await (client.end ?? client.close).call(client);
  return counts as Row["statements"];
}

async function rowOf(side: Side, library: Library): Promise<Row> {
  const statements = await statementsOf(side, library);
  const client = await side.open();
  const handle = await library.make(client);
  const cookies: string[] = [];
  for (let i = 0; i < SESSIONS; i++) {
    const cookie = cookieAfter(await handle("begin", null, i));
    if (i % (SESSIONS / VISITORS) === 0) cookies.push(cookie);
  }
  const spent = await side.spent?.(client) ?? (() => 0);
  return { name: library.name, handle, cookies, spent, statements, costs: [] };
}

function line(
  row: Row,
  to: Row,
  kind: RequestKind,
  parts: readonly (keyof Cost)[],
): string {
  const cells = parts.flatMap((part) => {
    const ratios = row.costs.map((cost, i) =>
      cost[part] / (to.costs[i]?.[part] ?? NaN)
    );
    return [
      median(row.costs.map((cost) => cost[part])).toFixed(1),
      median(ratios).toFixed(2),
    ];
  });
  return `| ${[row.name, row.statements[kind], ...cells].join(" | ")} |`;
}

const side = await (kind === "postgres" ? postgres() : sqlite());
const parts = side.spent ? PARTS : PARTS.slice(0, 2);
const rows: Row[] = [];
for (const library of side.libraries) rows.push(await rowOf(side, library));
const peer = rows.find(({ name }) => !name.startsWith(OURS));
for (const kind of REQUEST_KINDS) {
  for (const row of rows) {
    for (let i = 0; i < FIRST; i += REQUESTS) {
      await measure(row, kind, VISITORS);
    }
  }
}
for (const kind of REQUEST_KINDS) {
  for (const atOnce of [1, VISITORS]) {
    for (const { costs } of rows) costs.length = 0;
    const turns = [...rows];
    for (let round = -WARM; round < ROUNDS; round++) {
      for (const row of turns) {
        const cost = await measure(row, kind, atOnce);
        if (round >= 0) row.costs.push(cost);
      }
      // Who begins changes.
      turns.push(...turns.splice(0, 1));
    }
    const who = atOnce === 1 ? "one at a time" : `${atOnce} at once`;
    const head = ["statements", ...parts.flatMap((part) => [part, "×"])];
    console.log(
      `\n| ${side.title}, ${kind}, ${who}; µs a request | ${
        head.join(" | ")
      } |`,
    );
    console.log(`| --- |${" --- |".repeat(head.length)}`);
    for (const row of rows) {
      if (peer) console.log(line(row, peer, kind, parts));
    }
  }
}
process.exit(0);
