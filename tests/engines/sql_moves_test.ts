// A new id in SQL: one statement on SQLite and PostgreSQL. MySQL is in `sql_servers_thorough.ts`.
import {
  createSqlSessionStorage,
  type SqlDialect,
  sqlSessionSchema,
} from "@satchel/session";
import { assert, assertEquals } from "@std/assert";
import { PGlite } from "@electric-sql/pglite";
import { DatabaseSync } from "node:sqlite";
import { asClient, engineOn } from "./_sql.ts";

const expires = Date.now() + 3_600_000;

/** A client that notes its statements. */
interface Noted {
  readonly run: string[];
  query(sql: string, values: never[]): Promise<unknown>;
}

/** @param answer Comes after each statement, and may fail. */
function onSqlite(db: DatabaseSync, answer: () => void = () => {}): Noted {
  const run: string[] = [];
  return {
    run,
    async query(sql, values) {
      run.push(sql.split(" ", 1)[0] ?? "");
      const rows = db.prepare(sql).all(...values);
      const rowCount = db.prepare("SELECT changes() AS n").get()?.["n"];
      answer();
      return { rows, rowCount };
    },
  };
}

function onPglite(db: PGlite): Noted {
  const run: string[] = [];
  return {
    run,
    async query(sql, values) {
      run.push(sql.split(" ", 1)[0] ?? "");
      const { rows, affectedRows } = await db.query(sql, values);
      return { rows, rowCount: affectedRows };
    },
  };
}

async function assertStatements(
  client: Noted,
  dialect: SqlDialect,
  want: readonly string[],
): Promise<void> {
  const storage = createSqlSessionStorage<Record<string, string>>({
    db: asClient(client),
    dialect,
    owner: ({ user }) => user,
  });
  for (const login of ["restart", "regenerateId"] as const) {
    const anonymous = await storage.read(null);
    anonymous.set("cart", "tea");
    const old = await storage.save(anonymous);
    client.run.length = 0;
    const session = await storage.read(old);
    session[login]();
    session.set("user", "ann");
    const id = await storage.save(session);
    assertEquals(client.run, want, login);
    assert((await storage.read(id)).has("user"), login);
    assert(!(await storage.read(old)).has("cart"), login);

    // An old id that stays cannot be moved.
    const kept = await storage.read(id);
    kept.regenerateId({ keepOld: true });
    assert(await storage.save(kept) !== id, login);
    assert((await storage.read(id)).has("user"), `${login}, the kept id`);
  }
  assertEquals(await storage.destroySessions("ann"), 4);
}

Deno.test("a login runs two statements on SQLite: it reads and moves", async () => {
  const db = new DatabaseSync(":memory:");
  db.exec(sqlSessionSchema("sqlite"));
  await assertStatements(onSqlite(db), "sqlite", ["SELECT", "INSERT"]);
  db.close();
});

Deno.test("a login runs two statements on PostgreSQL: it reads and moves", async () => {
  const db = await PGlite.create();
  await db.exec(sqlSessionSchema("postgres"));
  await assertStatements(onPglite(db), "postgres", ["SELECT", "WITH"]);
  await db.close();
});

Deno.test("engine.move() finds out whether it had its effect, when D1 lost the answer, also if the new session was revoked since", async () => {
  for (const revoked of [false, true]) {
    const row = `revoked: ${revoked}`;
    const db = new DatabaseSync(":memory:");
    db.exec(sqlSessionSchema("sqlite"));
    let lost = false;
    const client = onSqlite(db, () => {
      if (!lost) return;
      lost = false;
      if (revoked) db.exec(`DELETE FROM sessions WHERE "key" = 'new'`);
      throw new Error("D1_ERROR: Network connection lost.");
    });
    const engine = engineOn(asClient(client), { dialect: "sqlite" });
    const ifVersion = await engine.write("old", "[1]", { expires });
    const from = { key: "old", ifVersion, value: "[3]", expires };
    lost = true;
    const moved = await engine.move("new", "[2]", { expires, from });
    assert(moved !== null, row);
    const found = await engine.read("new");
    assertEquals(found?.version, revoked ? undefined : moved, row);
    assertEquals((await engine.read("old"))?.value, "[3]", row);
    // The conditions do not hold any more.
    lost = true;
    const again = await engine.move("next", "[2]", { expires, from });
    assertEquals(again, null, row);
    assertEquals(await engine.read("next"), null, row);
    db.close();
  }
});
