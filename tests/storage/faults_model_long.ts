import { effort } from "../_effort.ts";

effort.long = true;
await import("./faults_model_test.ts");
