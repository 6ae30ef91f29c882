import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./read_through_races_test.ts");
