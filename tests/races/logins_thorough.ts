import { effort } from "../_effort.ts";

effort.thorough = true;
await import("./logins_test.ts");
