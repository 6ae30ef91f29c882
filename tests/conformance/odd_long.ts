import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./odd_test.ts");
