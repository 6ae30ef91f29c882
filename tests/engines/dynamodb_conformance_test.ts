// The conformance suite on DynamoDB: dynalite, through the AWS SDK.
import { conformance } from "../../conformance/mod.ts";
import { DynamoDBBackend } from "../../storage/_dynamodb_backend.ts";
import { engineTarget } from "../conformance/targets.ts";
import { PACKAGES, startDynamoDB } from "./_dynamodb.ts";
import { withPackages } from "./_packages.ts";

await withPackages(
  "DynamoDB (dynalite, AWS SDK)",
  PACKAGES,
  startDynamoDB,
  (local) => {
    const tables = new Map<string, Promise<string>>();
    conformance(
      Deno.test,
      engineTarget(
        "DynamoDB",
        async ({ namespace }) => {
          const made = tables.get(namespace) ?? local.table();
          tables.set(namespace, made);
          return new DynamoDBBackend(local.document, { table: await made });
        },
        ["durable"],
        { recordBytes: 400 * 1024 - 512 },
      ),
    );
  },
);
