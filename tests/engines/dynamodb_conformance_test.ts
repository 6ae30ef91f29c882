// The conformance suite on DynamoDB: dynalite, through the AWS SDK.
import { conformance } from "../../conformance/mod.ts";
import { PATIENT } from "../conformance/targets.ts";
import { PACKAGES } from "./_dynamodb.ts";
import { withPackages } from "./_packages.ts";

await withPackages(
  "DynamoDB (dynalite, AWS SDK)",
  PACKAGES,
  () => import("../conformance/published/satchel_dynamodb.ts"),
  ({ default: target }) => conformance(Deno.test, target, PATIENT),
);
