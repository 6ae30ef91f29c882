import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./pglite_test.ts");
