/** The SQL storage of this library on SQLite, through node:sqlite. */
import { DatabaseSync } from "node:sqlite";
import type { Target } from "../../../conformance/mod.ts";
import { sqlTarget } from "../../engines/_sql.ts";

const dir = await Deno.makeTempDir();
const db = new DatabaseSync(`${dir}/sessions.db`);
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = off");
globalThis.addEventListener("unload", () => {
  db.close();
  Deno.removeSync(dir, { recursive: true });
});

const target: Target = sqlTarget({ name: "Satchel SQL, SQLite", db });
export default target;
