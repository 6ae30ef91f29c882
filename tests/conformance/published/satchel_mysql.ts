/** The SQL storage of this library on MariaDB, through mysql2. */
import mysql from "npm:mysql2@3.24.6/promise";
import type { Target } from "../../../conformance/mod.ts";
import { startMariaDb } from "../../engines/_servers.ts";
import { sqlTarget } from "../../engines/_sql.ts";

const { port } = await startMariaDb();
const at = { host: "127.0.0.1", port, user: "root" };
const first = await mysql.createConnection(at);
await first.query("CREATE DATABASE app");
await first.end();
const db = mysql.createPool({ ...at, database: "app" });

const target: Target = sqlTarget({ name: "Satchel SQL, MariaDB", db });
export default target;
