/** This library's storage over the four functions of an application's database. */
import type { Target } from "../../../conformance/mod.ts";
import { databaseTarget } from "../targets.ts";

const target: Target = { ...databaseTarget(), name: "Satchel 4 functions" };
export default target;
