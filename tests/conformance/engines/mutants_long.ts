import { effort } from "../../_effort.ts";

effort.long = true;
await import("./mutants_test.ts");
