import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./races_test.ts");
