/** The DynamoDB storage of this library: dynalite, through the AWS SDK. */
import type { Target } from "../../../conformance/mod.ts";
import { DynamoDBEngine } from "../../../storage/engines/dynamodb/engine.ts";
import { startDynamoDB } from "../../engines/_dynamodb.ts";
import { engineTarget } from "../targets.ts";

const local = await startDynamoDB();
const tables = new Map<string, Promise<string>>();

const target: Target = engineTarget(
  "Satchel DynamoDB",
  async ({ namespace }) => {
    const made = tables.get(namespace) ?? local.table();
    tables.set(namespace, made);
    return new DynamoDBEngine(local.document, { table: await made });
  },
  ["durable"],
  { recordBytes: 400 * 1024 - 512 },
);
export default target;
