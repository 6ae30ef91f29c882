import { conformance } from "@satchel/session/conformance";
import target from "../../examples/sqlite_target.ts";
import { PATIENT } from "../conformance/targets.ts";

conformance(Deno.test, target, PATIENT);
