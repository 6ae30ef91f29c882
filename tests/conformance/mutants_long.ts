import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./mutants_test.ts");
