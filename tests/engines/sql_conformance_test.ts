// The conformance suite on SQL. The published reports have it on PostgreSQL and MariaDB too.
import { conformance } from "../../conformance/mod.ts";
import target from "../conformance/published/satchel_sqlite.ts";
import { PATIENT } from "../conformance/targets.ts";

conformance(Deno.test, target, PATIENT);
