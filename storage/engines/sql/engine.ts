/**
 * An engine on SQL databases.
 *
 * @module
 */
import { isWorkerd } from "../../../core/runtime.ts";
import { foreignRecord } from "../record.ts";
import type {
  DeleteOptions,
  DeleteOwnedOptions,
  Engine,
  EngineRecord,
  MoveOptions,
  OwnedRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";
import type { Changed, Database } from "./database.ts";
import { FOUND_AT_ONCE, type Move, SWEPT_AT_ONCE } from "./statements.ts";
import { newVersion } from "./versions.ts";

/** How often a process sweeps in passing, in milliseconds, and by how much that varies. */
const SWEEP_EVERY = 600_000;
/** A sweep in passing keeps what expired less than an hour ago: the clock may be ahead, and be set back. */
const SPARED = 3_600_000;
/** The hours that an index keeps apart, in milliseconds. */
const HOUR = 3_600_000;
/** The greatest number of an `integer` column. */
const MOST_HOURS = 2_147_483_647;

interface Row {
  readonly value: unknown;
  readonly version: unknown;
  readonly expires: unknown;
}

/** Keeps records in a table. Each operation is one statement, so no transaction stays open. */
export class SqlEngine implements Engine {
  readonly guarantees: StorageGuarantees;
  readonly #db: Database;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  #sweepAt: number | undefined;
  #sweeping: Promise<void> | undefined;

  /** @param onError Receives the errors of sweeps that nobody waits for. */
  constructor(
    db: Database,
    now: () => number,
    onError: (error: unknown) => void,
  ) {
    const { maxBytes, alone = false, passing = false } = db.traits;
    this.guarantees = {
      compareAndSet: true,
      reads: "strong",
      revoke: true,
      durable: !passing,
      shared: !alone,
      selfContained: false,
      ...maxBytes === undefined ? {} : { maxBytes },
    };
    this.#db = db;
    this.#now = now;
    this.#onError = onError;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const [row] = await this.#db.rows((s) => [s.read, key]) as Row[];
    return row ? recordOf(row) : null;
  }

  async write(
    key: string,
    value: string,
    { expires: given, ifVersion, owner = null as never }: WriteOptions,
  ): Promise<unknown> {
    const version = newVersion(this.#now());
    const [expires, due] = deadlineOf(given);
    const record = [value, version, expires, due, owner] as const;
    if (ifVersion === undefined) {
      await this.#db.change((s) => [s.put, key, ...record], true);
    } else {
      const written = ifVersion === null
        ? await this.#db.change((s) => [s.insert, key, ...record], true)
        : await this.#db.change(
          (s) => [s.update, ...record, key, `${ifVersion}`],
          true,
        );
      if (!await this.#hasWritten(written, key, version)) return null;
    }
    this.#sweepInPassing();
    return version;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    if (ifVersion === null) return await this.read(key) === null;
    if (ifVersion === undefined) {
      await this.#db.change((s) => [s.delete, key], true);
      return true;
    }
    const { count } = await this.#db.change(
      (s) => [s.deleteIf, key, `${ifVersion}`],
      false,
    );
    return count > 0;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    if (ifVersion === null) return false;
    const deadline = deadlineOf(expires);
    const { count } = await this.#db.change(
      (s) =>
        ifVersion === undefined
          ? [s.touch, ...deadline, key]
          : [s.touchIf, ...deadline, key, `${ifVersion}`],
      true,
    );
    if (count > 0) return true;
    // Some clients of MySQL do not count a row that already had the deadline.
    if (await this.#db.dialect() !== "mysql") return false;
    const found = await this.read(key);
    return found !== null && found.expires === deadline[0] &&
      (ifVersion === undefined || found.version === `${ifVersion}`);
  }

  async move(
    key: string,
    value: string,
    { expires, owner = null as never, from }: MoveOptions,
  ): Promise<unknown> {
    // It cannot be done in one statement.
    if (await this.#db.dialect() === "mysql") return null;
    // Both rows can have it, because versions of different keys are not compared.
    const version = newVersion(this.#now());
    const move: Move = {
      key,
      row: [value, version, ...deadlineOf(expires), owner],
      oldKey: from.key,
      oldVersion: `${from.ifVersion}`,
      oldRow: [from.value, version, ...deadlineOf(from.expires), null],
    };
    const moved = await this.#db.change(
      (s) => [s.move, ...s.moveValues(move)],
      true,
    );
    // The new row may have been deleted since. Nobody deletes the old one.
    if (!await this.#hasWritten(moved, from.key, version)) return null;
    this.#sweepInPassing();
    return version;
  }

  async owned(owner: string): Promise<OwnedRecord[]> {
    const rows = await this.#db.rows((s) => [s.owned, owner]);
    return (rows as (Row & { key: unknown })[])
      // Not by the database, which has a collation of its own.
      .sort((a, b) => `${a.version}` < `${b.version}` ? -1 : 1)
      .map((row) => {
        if (typeof row.key !== "string") throw notText();
        return { ...recordOf(row), key: row.key };
      });
  }

  async deleteOwned(
    owner: string,
    key: string,
    { ifVersion, beside, most }: DeleteOwnedOptions,
  ): Promise<boolean> {
    const version = `${ifVersion}`;
    const { count } = await this.#db.change(
      (s) => [
        s.surplus,
        ...s.surplusValues({ owner, key, version, beside, most }),
      ],
      false,
    );
    return count > 0;
  }

  async sweep(now: number): Promise<number> {
    while (this.#sweeping) await this.#sweeping;
    const sweep = this.#sweep(now);
    const done = () => void (this.#sweeping = undefined);
    this.#sweeping = sweep.then(done, done);
    return await sweep;
  }

  /** Waits for a sweep. The client belongs to the application. */
  async close(): Promise<void> {
    await this.#sweeping;
  }

  /** Whether a conditional write has happened. */
  async #hasWritten(
    { count, unsure }: Changed,
    key: string,
    version: string,
  ): Promise<boolean> {
    if (count > 0) return true;
    return unsure && (await this.read(key))?.version === version;
  }

  async #sweep(instant: number): Promise<number> {
    let removed = 0;
    const now = Math.floor(instant);
    const due = Math.min(Math.ceil(now / HOUR), MOST_HOURS);
    for (;;) {
      const found = await this.#db.rows((s) => [s.expired, due, now]);
      // Every sweep locks rows in the same order.
      const keys = (found as { key: string }[]).map(({ key }) => key).sort();
      for (let i = 0; i < keys.length; i += SWEPT_AT_ONCE) {
        const some = keys.slice(i, i + SWEPT_AT_ONCE);
        // The statement has the same text for any number of keys.
        const last = some.at(-1) ?? "";
        const rest = Array<string>(SWEPT_AT_ONCE - some.length).fill(last);
        const { count } = await this.#db.change(
          (s) => [s.sweep, now, ...some, ...rest],
          true,
        );
        removed += count;
      }
      if (keys.length < FOUND_AT_ONCE) return removed;
    }
  }

  /** Sweeps from time to time. On Workers nothing runs after the answer, so the application has to call `sweep()`. */
  #sweepInPassing(): void {
    if (isWorkerd()) return;
    const now = this.#now();
    // Processes that start together do not sweep together.
    this.#sweepAt ??= now + SWEEP_EVERY * (0.5 + Math.random());
    // A clock that was set back must not delay the next sweep, and a broken clock (NaN) must not start one.
    const due = now >= this.#sweepAt || this.#sweepAt - now > 2 * SWEEP_EVERY;
    if (!due || this.#sweeping) return;
    this.#sweepAt = now + SWEEP_EVERY;
    this.sweep(now - SPARED).catch(this.#onError);
  }
}

/** The record of a row. */
function recordOf(row: Row): EngineRecord {
  const { value, version } = row;
  if (typeof value !== "string" || typeof version !== "string") {
    throw notText();
  }
  const expires = toInteger(row.expires);
  return expires === undefined
    ? foreignRecord(version)
    : { value, version, expires };
}

function notText(): TypeError {
  return new TypeError(
    "a row of sessions did not have text in its columns key, value and version; they must be columns of text, and the client must not rename columns",
  );
}

/** `expires` and `due` of a row. A deadline is never rounded to an earlier one. */
function deadlineOf(instant: number): [expires: number, due: number] {
  const expires = Math.ceil(instant);
  return [expires, Math.min(Math.ceil(expires / HOUR), MOST_HOURS)];
}

/** Reads a `bigint` column: clients return it as a number, as text or as a bigint. */
function toInteger(value: unknown): number | undefined {
  if (!["number", "bigint", "string"].includes(typeof value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}
