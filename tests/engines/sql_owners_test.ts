// Owners in SQL: found by an index, and a limit that holds when logins come at once from two connections.
import { createSqlSessionStorage, sqlSessionSchema } from "@satchel/session";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { rowName } from "../_row.ts";
import { ownedKeys } from "./_owned.ts";
import { engineOn } from "./_sql.ts";

const expires = Date.now() + 3_600_000;

Deno.test("engine.deleteOwned() deletes a record only if each of its conditions holds", async () => {
  const db = new DatabaseSync(":memory:");
  const engine = engineOn(db);
  const write = (key: string, owner: string) =>
    engine.write(key, "[1]", { expires, owner });
  const ifVersion = await write("old", "ann");
  await write("new", "ann");
  await write("other", "bob");
  const holds = { ifVersion, beside: "new", most: 1 };
  const refused = {
    "another version": { ...holds, ifVersion: "another" },
    "the other record is gone": { ...holds, beside: "gone" },
    "there are not too many": { ...holds, most: 2 },
  };
  for (const [why, options] of Object.entries(refused)) {
    assertEquals(await engine.deleteOwned("ann", "old", options), false, why);
    assert(await engine.read("old"), why);
  }
  assert(await engine.deleteOwned("ann", "old", holds));
  assertEquals(await engine.read("old"), null);
  assertEquals(await ownedKeys(engine, "ann"), ["new"]);
  assertEquals(await engine.deleteOwned("ann", "old", holds), false);
  db.close();
});

Deno.test("the engine on SQL finds rows by its indexes", async () => {
  const db = new DatabaseSync(":memory:");
  const plans: Record<string, string> = {};
  const prepare = db.prepare.bind(db);
  db.prepare = (sql: string) => {
    if (/^(SELECT|UPDATE|DELETE|INSERT .* WHERE)/.test(sql)) {
      const plan = prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
      plans[sql] = plan.map(({ detail }) => detail).join("; ");
    }
    return prepare(sql);
  };
  const engine = engineOn(db);
  const ifVersion = await engine.write("key", "[1]", { expires, owner: "ann" });
  await engine.read("key");
  await engine.touch("key", expires);
  await engine.write("key", "[2]", { expires, ifVersion });
  const from = { key: "key", ifVersion: "none", value: "[3]", expires };
  await engine.move("new", "[2]", { expires, from });
  await engine.owned("ann");
  await engine.deleteOwned("ann", "key", { ifVersion, beside: "a", most: 1 });
  await engine.delete("key", { ifVersion });
  await engine.write("key", "[1]", { expires: 1 });
  await engine.sweep(2);
  assert(Object.keys(plans).length > 7);
  for (const [sql, plan] of Object.entries(plans)) {
    assert(!/SCAN sessions/.test(plan), `${sql}: ${plan}`);
    if (/"owner" = \?/.test(sql) && !/^UPDATE/.test(sql)) {
      assertMatch(plan, /sessions_owner/, sql);
    }
  }
  db.close();
});

Deno.test("maxPerOwner leaves exactly as many sessions, when logins of two connections come at once", async () => {
  const dir = await Deno.makeTempDir();
  const clients = [1, 2].map(() =>
    new DatabaseSync(`${dir}/sessions.db`, { timeout: 0 })
  );
  clients[0]?.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = off");
  let evicted = 0;
  const storages = clients.map((db) =>
    createSqlSessionStorage<{ user: string }>({
      ...{ db, createTable: true, owner: ({ user }) => user, maxPerOwner: 2 },
      onEvent: ({ type }) => void (evicted += type === "evicted" ? 1 : 0),
    })
  );
  const [one, two] = storages;
  assert(one && two);
  const login = async (user: string, i: number) => {
    const storage = i % 2 === 0 ? one : two;
    const session = await storage.read(null);
    session.set("user", user);
    return await storage.save(session);
  };
  for (let round = 0; round < 10; round++) {
    const user = `u${round}`;
    const ids = await Promise.all([0, 1, 2, 3, 4].map((i) => login(user, i)));
    let alive = 0;
    for (const id of ids) {
      if (id !== null && (await two.read(id)).has("user")) alive++;
    }
    assertEquals([alive, (await one.listSessions(user)).length], [2, 2], user);
    // One after the other, the least recently used one leaves.
    const last = await login(user, round);
    assert((await one.read(last)).has("user"), rowName(round));
    assertEquals((await two.listSessions(user)).length, 2, user);
  }
  assertEquals(evicted, 10 * 4);
  for (const client of clients) client.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("storage.listSessions() runs one statement, and storage.destroySessions() one more for each session", async () => {
  const sqlite = new DatabaseSync(":memory:");
  sqlite.exec(sqlSessionSchema("sqlite"));
  const run: string[] = [];
  const storage = createSqlSessionStorage<{ user: string; n: number }>({
    dialect: "sqlite",
    db: {
      async query(sql, values) {
        run.push(sql.split(" ", 1)[0] ?? "");
        const rows = sqlite.prepare(sql).all(...values);
        const changed = sqlite.prepare("SELECT changes() AS n").get();
        return { rows, rowCount: changed?.["n"] };
      },
    },
    owner: ({ user }) => user,
  });
  for (let n = 0; n < 3; n++) {
    const session = await storage.read(null);
    session.set("user", "ann");
    session.set("n", n);
    await storage.save(session);
  }
  run.length = 0;
  const listed = await storage.listSessions("ann");
  assertEquals(listed.map(({ data }) => data.n).sort(), [0, 1, 2]);
  assertEquals(run, ["SELECT"]);

  run.length = 0;
  assertEquals(await storage.destroySessions("ann"), 3);
  assertEquals(run, ["SELECT", "DELETE", "DELETE", "DELETE", "SELECT"]);
  sqlite.close();
});
