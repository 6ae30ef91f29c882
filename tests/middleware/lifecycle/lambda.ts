import { request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install, runtime } from "../../runtimes/_runtime.ts";
import type { Driver, Served } from "./_driver.ts";
import { bundle } from "./_elsewhere.ts";
import { Gateway, type Invocation, listening } from "./_lambda_gateway.ts";

/** An HTTP API of API Gateway, with payload format 2.0. */
export const lambda: Driver = {
  name: "Lambda (2.0)",
  answers: ["an object", "a value", "a text"],
  traits: {
    thrownResponse: "error",
    httpError: "answer",
    errorPage: "kept",
    twice: 2,
    nothing: "answer",
    upgrade: "none",
    live: "whole",
  },
  serve: () => serveLambda("2.0"),
};

/** The same, with payload format 1.0, as of a REST API. */
export const lambda1: Driver = {
  ...lambda,
  name: "Lambda (1.0)",
  answers: ["an object"],
  traits: { ...lambda.traits, nothing: "error" },
  serve: () => serveLambda("1.0"),
};

const { live: _, ...traits } = lambda.traits;

/** A function URL with response streaming. */
export const lambdaStream: Driver = {
  ...lambda,
  name: "Lambda (streams)",
  traits,
  serve: () => serveLambda("stream"),
};

/** Amazon's runtime calls AWS with C++, which npm would have to compile. This does the same calls. */
const CLIENT = `
  const { request } = require("node:http");
  const call = (method, path, body, done) => {
    const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
    path = "/2018-06-01/runtime/invocation/" + path;
    request({ host, port, method, path }, (res) => {
      let bodyJson = "";
      res.setEncoding("utf8").on("data", (part) => bodyJson += part);
      res.on("end", () => done?.({ bodyJson, headers: res.headers }));
    }).end(body);
  };
  module.exports = {
    next: () => new Promise((resolve) => call("GET", "next", "", resolve)),
    done: (id, body) => call("POST", id + "/response", body),
    error: (id, body) => call("POST", id + "/error", body),
  };
`;

/** Lets Node read that file as JavaScript. */
const LOADER = `
  const { Module } = require("node:module");
  Module._extensions[".node"] = Module._extensions[".js"];
`;

/**
 * Runs a function in Amazon's runtime, and serves it.
 *
 * @param module It exports `handler`, and prints where it answers the tests' queries.
 */
export async function serveLambda(
  invocation: Invocation,
  module = "./_lambda_main.ts",
): Promise<Served> {
  const home = fileURLToPath(
    new URL("../../../.runtimes/aws-lambda-ric-4.0.2/", import.meta.url),
  );
  await install(home, { "aws-lambda-ric": "4.0.2" });
  const ric = join(home, "node_modules", "aws-lambda-ric");
  const dir = await Deno.makeTempDir();
  await Deno.copyFile(join(ric, "index.mjs"), join(dir, "index.mjs"));
  await Deno.writeTextFile(join(dir, "rapid-client.node"), CLIENT);
  await Deno.writeTextFile(join(dir, "loader.cjs"), LOADER);
  await bundle(module, join(dir, "main.mjs"));
  const gateway = new Gateway(invocation);
  const api = await listening((req, res) =>
    void gateway.serveRuntime(req, res)
  );
  const child = new Deno.Command(await runtime("node24"), {
    args: ["--require", "./loader.cjs", "index.mjs"],
    cwd: dir,
    env: {
      AWS_LAMBDA_RUNTIME_API: api.host,
      AWS_LAMBDA_FUNCTION_NAME: "lifecycle",
      AWS_LAMBDA_FUNCTION_VERSION: "1",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
      AWS_LAMBDA_LOG_GROUP_NAME: "lifecycle",
      AWS_LAMBDA_LOG_STREAM_NAME: "lifecycle",
      LAMBDA_TASK_ROOT: dir,
      LIFECYCLE_FORMAT: invocation,
      // It prints each error of the function.
      AWS_LAMBDA_LOG_LEVEL: "FATAL",
      _HANDLER: "main.handler",
    },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: control = "" } = await lines.read();
  const web = await listening((req, res) => {
    if (!req.url?.startsWith("/control/")) return gateway.invoke(req, res);
    request(new URL(req.url, control.trim()), (answer) => answer.pipe(res))
      .end();
  });
  return {
    origin: `http://${web.host}`,
    async stop() {
      child.kill();
      await lines.cancel();
      await child.status;
      await web.stop();
      await api.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
