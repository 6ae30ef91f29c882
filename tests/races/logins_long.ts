import { effort } from "../_effort.ts";

effort.thorough = true;
effort.long = true;
await import("./logins_test.ts");
