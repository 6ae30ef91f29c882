/** The suite in a Worker with `nodejs_compat`, and with the clients that it allows. */
import * as dynamodb from "npm:@aws-sdk/client-dynamodb@^3.1162.0";
import * as dynamodbLib from "npm:@aws-sdk/lib-dynamodb@^3.1162.0";
import * as upstash from "npm:@upstash/redis@^1.39.0/cloudflare";
import * as ioredis from "npm:ioredis@^6.0.0";
import * as postgres from "npm:postgres@3.4.9";
export { SessionObject } from "../../mod.ts";
import { answer, type Env } from "./_worker_runner.ts";

const packages: Record<string, unknown> = {
  "@aws-sdk/client-dynamodb": dynamodb,
  "@aws-sdk/lib-dynamodb": dynamodbLib,
  "@upstash/redis": upstash,
  ioredis,
  postgres,
};

const worker: { fetch(request: Request, env: Env): Promise<Response> } = {
  fetch: (_request, env) =>
    answer(env, "workersNode", async (name) => packages[name]),
};

export default worker;
