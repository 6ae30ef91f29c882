import { effort } from "../../_effort.ts";

effort.thorough = true;
await import("./sql_test.ts");
