/** The suite in a Worker as it comes. */
import { answer, type Env } from "./_worker_runner.ts";

const worker: { fetch(request: Request, env: Env): Promise<Response> } = {
  fetch: (_request, env) =>
    answer(env, "workers", (name) => Promise.reject(new Error(name))),
};

export default worker;
