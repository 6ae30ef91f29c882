import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./published_test.ts");
