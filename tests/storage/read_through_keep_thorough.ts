import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./read_through_keep_test.ts");
