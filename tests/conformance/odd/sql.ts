/**
 * Storages that are right, on SQLite and PostgreSQL.
 */
import { DatabaseSync } from "node:sqlite";
import { createSession, createSessionStorage } from "../../../mod.ts";
import type {
  Capability,
  OpenOptions,
  Target,
} from "../../../conformance/mod.ts";
import { odd, type OddTarget, virtual } from "./_build.ts";

/** What a table behind the four functions can promise. */
export const TABLE: readonly Capability[] = [
  "revoke",
  "shared",
  "durable",
  "namespaces",
  "expiry",
  "touch",
  "absolute",
];

/** Storages on SQLite. */
export const sql: readonly OddTarget[] = [
  sqliteEngine(),
  {
    ...table(
      "four functions on SQLite, with ids that are UUIDs",
      () => crypto.randomUUID(),
    ),
    declines: ["REGEN-09"],
  },
  table(
    "four functions on SQLite, with ids that are decimals",
    () => BigInt(`0x${bytes(16).toHex()}`).toString().padStart(39, "0"),
  ),
  table(
    "four functions on SQLite, with ids that are KSUIDs",
    () => {
      const seconds = new DataView(new ArrayBuffer(4));
      seconds.setUint32(0, Date.now() / 1000 - 1_400_000_000);
      const hex = new Uint8Array(seconds.buffer).toHex() + bytes(16).toHex();
      return inBase62(BigInt(`0x${hex}`)).padStart(27, "0");
    },
  ),
  rowForEachKey(),
];

/** An engine with BIGINT deadlines and versions. */
function sqliteEngine(): Target {
  const databases = new Map<string, DatabaseSync>();
  return odd("an engine on SQLite, with BIGINTs", {
    engine({ guarantees }, { namespace }) {
      const db = databases.get(namespace) ?? new DatabaseSync(":memory:");
      databases.set(namespace, db);
      db.exec(
        "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value BLOB, version BIGINT, expires BIGINT)",
      );
      db.exec("CREATE TABLE IF NOT EXISTS versions (last BIGINT)");
      db.exec(
        "INSERT INTO versions SELECT 0 WHERE NOT EXISTS (SELECT * FROM versions)",
      );
      const next = () =>
        db.prepare("UPDATE versions SET last = last + 1 RETURNING last").get()
          ?.["last"] as number;
      const stored = (key: string) => {
        const get = db.prepare("SELECT * FROM records WHERE key = ?");
        get.setReadBigInts(true);
        return get.get(key) as
          | { value: Uint8Array; version: bigint; expires: bigint }
          | undefined;
      };
      const holds = (key: string, ifVersion: unknown) =>
        ifVersion === undefined || ifVersion === (stored(key)?.version ?? null);
      return {
        guarantees,
        async read(key) {
          const row = stored(key);
          return row
            ? {
              value: new TextDecoder().decode(row.value),
              version: row.version,
              expires: Number(row.expires),
            }
            : null;
        },
        async write(key, value, { expires, ifVersion }) {
          if (!holds(key, ifVersion)) return null;
          const version = next();
          db.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)")
            .run(
              key,
              new TextEncoder().encode(value),
              version,
              Math.floor(expires),
            );
          return BigInt(version);
        },
        async delete(key, { ifVersion } = {}) {
          if (!holds(key, ifVersion)) return false;
          db.prepare("DELETE FROM records WHERE key = ?").run(key);
          return true;
        },
        async touch(key, expires, { ifVersion } = {}) {
          if (!holds(key, ifVersion)) return false;
          const { changes } = db
            .prepare("UPDATE records SET expires = ? WHERE key = ?")
            .run(Math.floor(expires), key);
          return changes === 1;
        },
        async sweep(now) {
          db.prepare("DELETE FROM records WHERE expires <= ?").run(now);
        },
      };
    },
  });
}

/** A table of JSON and ISO text, with the ids of a database. */
function table(name: string, newId: () => string): Target {
  return onSqlite(
    name,
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, data TEXT, expires TEXT)",
    (db, now) => ({
      async createData(data, expires) {
        const id = newId();
        db.prepare("INSERT INTO sessions VALUES (?, ?, ?)")
          .run(id, JSON.stringify(data), expires.toISOString());
        return id;
      },
      async readData(id) {
        const row = db
          .prepare("SELECT data FROM sessions WHERE id = ? AND expires > ?")
          .get(id, new Date(now()).toISOString());
        return row ? JSON.parse(row["data"] as string) : null;
      },
      async updateData(id, data, expires) {
        db.prepare("UPDATE sessions SET data = ?, expires = ? WHERE id = ?")
          .run(JSON.stringify(data), expires.toISOString(), id);
      },
      async deleteData(id) {
        db.prepare("DELETE FROM sessions WHERE id = ?").run(id);
      },
    }),
  );
}

/** One row for each value, in the order of their keys. */
function rowForEachKey(): Target {
  const put = (db: DatabaseSync, id: string, data: object) => {
    db.prepare("DELETE FROM entries WHERE id = ?").run(id);
    const insert = db.prepare("INSERT INTO entries VALUES (?, ?, ?)");
    for (const [key, value] of Object.entries(data)) {
      insert.run(id, JSON.stringify(key), JSON.stringify(value));
    }
  };
  return onSqlite(
    "four functions on SQLite, with a row for each key",
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, expires REAL);" +
      "CREATE TABLE entries (id TEXT, key TEXT, value TEXT, PRIMARY KEY (id, key))",
    (db, now) => ({
      async createData(data, expires) {
        const id = bytes(20).toHex();
        db.prepare("INSERT INTO sessions VALUES (?, ?)").run(id, +expires);
        put(db, id, data);
        return id;
      },
      async readData(id) {
        const row = db
          .prepare("SELECT id FROM sessions WHERE id = ? AND expires > ?")
          .get(id, now());
        if (!row) return null;
        const rows = db
          .prepare("SELECT key, value FROM entries WHERE id = ? ORDER BY key")
          .all(id);
        return Object.fromEntries(
          rows.map(({ key, value }) => [
            JSON.parse(key as string),
            JSON.parse(value as string),
          ]),
        );
      },
      async updateData(id, data, expires) {
        const { changes } = db
          .prepare("UPDATE sessions SET expires = ? WHERE id = ?")
          .run(+expires, id);
        if (changes === 1) put(db, id, data);
      },
      async deleteData(id) {
        db.prepare("DELETE FROM sessions WHERE id = ?").run(id);
        db.prepare("DELETE FROM entries WHERE id = ?").run(id);
      },
    }),
  );
}

/** The four functions over one database. */
type Functions = Pick<
  Parameters<typeof createSessionStorage>[0] & { createData: unknown },
  "createData" | "readData" | "updateData" | "deleteData"
>;

function onSqlite(
  name: string,
  schema: string,
  functions: (db: DatabaseSync, now: OpenOptions["now"]) => Functions,
): Target {
  const databases = new Map<string, DatabaseSync>();
  return {
    name,
    clock: virtual,
    capabilities: TABLE,
    open({ namespace, now, ...timeouts }) {
      let db = databases.get(namespace);
      if (!db) {
        db = new DatabaseSync(":memory:");
        db.exec(schema);
        databases.set(namespace, db);
      }
      return {
        createSession,
        storage: createSessionStorage({
          ...timeouts,
          now,
          cookie: { name: "sid" },
          ...functions(db, now),
        }),
      };
    },
  };
}

const bytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function inBase62(number: bigint): string {
  let text = "";
  for (let rest = number; rest > 0n; rest /= 62n) {
    text = DIGITS[Number(rest % 62n)] + text;
  }
  return text;
}
