import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./runtimes_test.ts");
