/** The SQL storage of this library on PostgreSQL, through pg. */
import pg from "pg";
import type { Target } from "../../../conformance/mod.ts";
import { startPostgres } from "../../engines/_servers.ts";
import { sqlTarget } from "../../engines/_sql.ts";

const { port } = await startPostgres();
const db = new pg.Pool({ host: "127.0.0.1", port, user: "postgres" });
// The server stops with the process, and perhaps before the connections.
db.on("error", () => {});

const target: Target = sqlTarget({ name: "Satchel SQL, PostgreSQL", db });
export default target;
