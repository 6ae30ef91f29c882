import { effort } from "../../_effort.ts";

effort.thorough = true;
effort.long = true;
await import("./mutants_test.ts");
