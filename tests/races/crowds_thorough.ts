import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./crowds_test.ts");
