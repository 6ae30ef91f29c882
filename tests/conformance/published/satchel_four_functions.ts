/** This library's storage over the four functions of an application's database: PGlite, a PostgreSQL in this process. */
import { createSession, createSessionStorage } from "../../../mod.ts";
import type { Target } from "../../../conformance/mod.ts";
import { db } from "./_pglite.ts";

await db.exec(`
  create table sessions (
    site text not null,
    id text not null,
    data text not null,
    expires timestamptz,
    primary key (site, id)
  )
`);

const target: Target = {
  name: "Satchel 4 functions",
  clock: { kind: "virtual", advance() {} },
  capabilities: [
    "revoke",
    "shared",
    "durable",
    "namespaces",
    "expiry",
    "touch",
    "absolute",
  ],
  open({ namespace, now, ...timeouts }) {
    const storage = createSessionStorage({
      ...timeouts,
      now,
      cookie: { name: "session", secrets: ["s3cr3t"] },
      async createData(data, expires) {
        const id = crypto.randomUUID() + crypto.randomUUID();
        await db.query("insert into sessions values ($1, $2, $3, $4)", [
          namespace,
          id,
          JSON.stringify(data),
          expires,
        ]);
        return id;
      },
      async readData(id) {
        const { rows } = await db.query<{ data: string }>(
          "select data from sessions where site = $1 and id = $2 and expires > $3",
          [namespace, id, new Date(now())],
        );
        return rows[0] ? JSON.parse(rows[0].data) : null;
      },
      async updateData(id, data, expires) {
        await db.query(
          "update sessions set data = $3, expires = $4 where site = $1 and id = $2",
          [namespace, id, JSON.stringify(data), expires],
        );
      },
      async deleteData(id) {
        await db.query("delete from sessions where site = $1 and id = $2", [
          namespace,
          id,
        ]);
      },
    });
    return { storage, createSession };
  },
};
export default target;
