/**
 * connect-pg-simple over PGlite, which is PostgreSQL in this process: a schema is a namespace.
 *
 * It does not claim `inspect`: its column has the type `json`, which refuses damaged records.
 */
import connectPgSimple from "npm:connect-pg-simple@10.0.0";
import session from "npm:express-session@1.19.0";
import { fromExpressStore, type Target } from "../../../conformance/mod.ts";
import { db, pool } from "./_pglite.ts";

// deno-lint-ignore no-explicit-any -- its types are those of another major version
const PgStore: any = connectPgSimple(session as any);

const target: Target = {
  name: "connect-pg-simple",
  clock: {
    kind: "aged",
    async age(ms, namespace) {
      const name = `"${namespace}".session`;
      // The store creates its table when it is first used.
      const { rows } = await db.query<{ found: string | null }>(
        "select to_regclass($1) as found",
        [name],
      );
      if (rows[0]?.found) {
        await db.query(
          `update ${name} set expire = expire - $1::interval`,
          [`${ms} milliseconds`],
        );
      }
    },
  },
  capabilities: [
    "revoke",
    "shared",
    "durable",
    "namespaces",
    "expiry",
    "touch",
  ],
  async open({ namespace, idleTimeout }) {
    await db.exec(`create schema if not exists "${namespace}"`);
    const store = new PgStore({
      pool,
      schemaName: namespace,
      createTableIfMissing: true,
    });
    return {
      storage: fromExpressStore(store, { maxAge: idleTimeout }),
      close: () => store.close(),
    };
  },
};
export default target;
