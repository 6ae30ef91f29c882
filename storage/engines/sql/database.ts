/**
 * The database behind a client: its statements, repeated if others are in their way, and its table on first use.
 *
 * @module
 */
import { delay, timersEndWithRequest } from "../../../core/runtime.ts";
import { Lazy } from "../lazy.ts";
import {
  adapterFor,
  type ClientTraits,
  isProvider,
  type SqlClient,
  traitsOf,
} from "./adapters.ts";
import type { SqlClientLike, SqlValue } from "./clients.ts";
import { problemOf, withoutValues } from "./errors.ts";
import { checkDialect, type SqlDialect, type SqlTable } from "./schema.ts";
import { type Connected, setUp } from "./setup.ts";
import { type Statements, statementsFor } from "./statements.ts";
import { explain } from "./table_problems.ts";

/** The client, or a function that returns the client of the moment. */
export type SqlSource =
  | SqlClientLike
  | (() => SqlClientLike | Promise<SqlClientLike>);

/** Options of a database. */
export interface DatabaseOptions {
  readonly db: SqlSource;
  readonly dialect?: SqlDialect | undefined;
  readonly table: SqlTable;
  /** Whether to create a table that is missing. */
  readonly creates: boolean;
  /** Whether PostgreSQL keeps each statement on each connection. */
  readonly prepares?: boolean | undefined;
  /** How long to repeat a statement, in milliseconds. */
  readonly patience: number;
  /** Receives what the application should change, once. */
  readonly onAdvice?: (advice: Error) => void;
}

/** A statement, with its values in the order of {@linkcode Statements}. */
export type Asked = (statements: Statements) => [sql: string, ...SqlValue[]];

/** How many rows a statement has changed. */
export interface Changed {
  readonly count: number;
  /** Whether the answer to an earlier attempt was lost, so that it may have changed them. */
  readonly unsure: boolean;
}

/** What a client returned. */
interface Ran {
  readonly result: unknown;
  readonly unsure: boolean;
}

/** The longest wait before a statement is repeated, in milliseconds. */
const MAX_DELAY = 100;

/** Runs statements. */
export class Database {
  readonly traits: ClientTraits;
  readonly #table: SqlTable;
  readonly #patience: number;
  readonly #dialect: SqlDialect | undefined;
  readonly #prepares: boolean;
  /** The client, unless a function returns it. */
  readonly #connected: Connected | undefined;
  readonly #connect: () => Promise<Connected>;
  readonly #setUp: (connected: Connected) => Promise<void>;
  /** Sets up the table once, by the client of the first statement. */
  readonly #ready: Lazy<boolean>;
  #isReady = false;

  /** @throws {TypeError} If the client is unknown, or the dialect is missing, unknown or not the client's. */
  constructor(
    { db, dialect, table, creates, prepares = false, patience, onAdvice }:
      DatabaseOptions,
  ) {
    if (dialect !== undefined) checkDialect(dialect);
    this.#dialect = dialect;
    this.#prepares = prepares;
    this.#table = table;
    this.#patience = patience;
    if (isProvider(db)) {
      const known = new WeakMap<object, Connected>();
      this.traits = traitsOf(dialect);
      this.#connect = async () => {
        const client = Object(await db()) as object;
        const found = known.get(client) ?? this.#adapt(client);
        known.set(client, found);
        return found;
      };
    } else {
      const connected = this.#adapt(db);
      this.traits = connected.client;
      this.#connected = connected;
      this.#connect = async () => connected;
    }
    this.#setUp = (connected) =>
      setUp(
        { ...connected, client: this.#repeating(connected.client) },
        table,
        creates,
      );
    this.#ready = new Lazy(async () => {
      const connected = await this.#connect();
      const advice = connected.client.advice?.();
      if (advice) onAdvice?.(new Error(advice));
      await this.#setUp(connected);
      return true;
    });
  }

  /** Runs a statement that returns rows. */
  async rows(ask: Asked): Promise<readonly unknown[]> {
    const { result } = await this.#run(ask, "rows");
    if (Array.isArray(result)) return result;
    throw new TypeError(
      "the client of SQL returned something other than rows; pass it as its package creates it",
    );
  }

  /**
   * Runs a statement that changes rows.
   *
   * @param repeats Whether a repetition tells if the first attempt had its effect.
   */
  async change(ask: Asked, repeats: boolean): Promise<Changed> {
    const { result, unsure } = await this.#run(ask, "count", repeats);
    const count = typeof result === "bigint" ? Number(result) : result;
    if (typeof count === "number" && Number.isInteger(count)) {
      return { count, unsure };
    }
    // To take that for none would sign visitors out, and to take it for one would lose changes.
    throw new TypeError(
      "the client of SQL did not return how many rows a statement changed (rowCount, affectedRows or changes)",
    );
  }

  /** The dialect of the client of the moment. */
  dialect(): SqlDialect | Promise<SqlDialect> {
    return this.#connected?.dialect ??
      this.#connect().then(({ dialect }) => dialect);
  }

  /** Runs a statement. Once the table is ready, a client that is known is not waited for. */
  #run(
    ask: Asked,
    method: "rows" | "count",
    repeats = true,
  ): Promise<Ran> {
    const connected = this.#connected;
    return connected && this.#isReady
      ? this.#repeat(connected, ask, method, repeats)
      : this.#runLater(ask, method, repeats);
  }

  async #runLater(
    ask: Asked,
    method: "rows" | "count",
    repeats: boolean,
  ): Promise<Ran> {
    const connected = await this.#connect();
    if (!this.#isReady) await this.#prepare(connected);
    return await this.#repeat(connected, ask, method, repeats);
  }

  async #repeat(
    connected: Connected,
    ask: Asked,
    method: "rows" | "count",
    repeats: boolean,
  ): Promise<Ran> {
    const { client, dialect, statements } = connected;
    const [sql, ...values] = ask(statements);
    try {
      return await this.#attempt(client, method, sql, values, repeats);
    } catch (error) {
      throw explain(error, problemOf(error), dialect, this.#table);
    }
  }

  /** The client, whose statements are repeated. Each of them can run twice. */
  #repeating(client: SqlClient): SqlClient {
    const run = async (
      method: "rows" | "count",
      sql: string,
      values: SqlValue[],
    ) => (await this.#attempt(client, method, sql, values, true)).result;
    return {
      dialect: client.dialect,
      rows: (sql, values) => run("rows", sql, values),
      count: (sql, values) => run("count", sql, values),
    };
  }

  /** Runs a statement, again and again while others are in its way. */
  async #attempt(
    client: SqlClient,
    method: "rows" | "count",
    sql: string,
    values: SqlValue[],
    repeats: boolean,
  ): Promise<Ran> {
    const until = performance.now() + this.#patience;
    let unsure = false;
    for (let attempt = 1;; attempt++) {
      try {
        return { result: await client[method](sql, values), unsure };
      } catch (error) {
        withoutValues(error);
        const problem = problemOf(error);
        if (problem === "duplicate") return { result: 0, unsure };
        const lost = problem === "unknown" && repeats;
        const again = lost || problem === "transient" ||
          problem === "finalized" && attempt === 1;
        if (!again || performance.now() > until) throw error;
        unsure ||= lost;
        await delay(Math.random() * Math.min(MAX_DELAY, 2 ** attempt));
      }
    }
  }

  async #prepare(connected: Connected): Promise<void> {
    // On Workers a request must not wait for another one's I/O.
    if (timersEndWithRequest()) await this.#setUp(connected);
    else await this.#ready.get();
    this.#isReady = true;
  }

  #adapt(db: unknown): Connected {
    const client = adapterFor(db, this.#prepares);
    const dialect = client.dialect ?? this.#dialect;
    if (dialect === undefined) {
      throw new TypeError(
        'Cannot use SQL: this client does not say which database it is for; add dialect: "postgres", "mysql" or "sqlite"',
      );
    }
    if (this.#dialect !== undefined && this.#dialect !== dialect) {
      throw new TypeError(
        `Cannot use SQL: dialect is "${this.#dialect}", but db is a client for "${dialect}"; leave dialect out`,
      );
    }
    const statements = statementsFor(dialect, this.#table);
    return { client, dialect, statements };
  }
}
