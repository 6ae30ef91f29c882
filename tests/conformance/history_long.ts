import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./history_test.ts");
