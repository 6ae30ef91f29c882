import { effort } from "../../_effort.ts";

effort.thorough = true;
effort.long = true;
await import("./odd_test.ts");
