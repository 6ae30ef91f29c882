import { effort } from "../_effort.ts";

effort.thorough = true;
effort.long = true;
await import("./dynamodb_clients_test.ts");
