import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./owners_races_test.ts");
