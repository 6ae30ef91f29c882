import { effort } from "../_effort.ts";

effort.long = true;
await import("./lifetimes_test.ts");
