import { effort } from "../_effort.ts";

effort.thorough = true;
effort.long = true;
await import("./faults_model_test.ts");
