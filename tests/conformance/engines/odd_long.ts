import { effort } from "../../_effort.ts";

effort.long = true;
await import("./odd_test.ts");
