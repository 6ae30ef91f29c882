import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./lifetimes_test.ts");
