import { effort } from "../../_effort.ts";

effort.thorough = true;
await import("./answers_test.ts");
