/** The suite in a Worker as it comes. */
export { SessionObject } from "../../mod.ts";
import * as upstash from "npm:@upstash/redis@^1.39.0/cloudflare";
import { answer, type Env } from "./_worker_runner.ts";

const packages: Record<string, unknown> = { "@upstash/redis": upstash };

const worker: { fetch(request: Request, env: Env): Promise<Response> } = {
  fetch: (_request, env) =>
    answer(env, "workers", async (name) => packages[name]),
};

export default worker;
