import { effort } from "../../_effort.ts";

effort.thorough = true;
await import("./lifecycle_test.ts");
