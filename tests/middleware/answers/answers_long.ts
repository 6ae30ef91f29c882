import { effort } from "../../_effort.ts";

effort.thorough = true;
effort.long = true;
await import("./answers_test.ts");
