/**
 * What AWS does around a Lambda function, as its documentation describes it: HTTP requests become events, the runtime
 * fetches these one after the other, and its results become responses.
 *
 * The runtime itself is Amazon's own, from npm.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** How the function is invoked: an HTTP API with a payload format, or a function URL with response streaming. */
export type Invocation = "1.0" | "2.0" | "stream";

/** A result, as the service reads it. */
interface Result {
  statusCode?: number | string;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  cookies?: string[];
  body?: string;
  isBase64Encoded?: boolean;
}

interface Invoked {
  readonly event: unknown;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** The gateway, and the API that the runtime calls. */
export class Gateway {
  readonly #queue: Invoked[] = [];
  readonly #running: Map<string, Invoked> = new Map();
  #fetching: ((invoked: Invoked) => void) | undefined;
  #count = 0;
  readonly #invocation: Invocation;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
  }

  /** Invokes the function for a request. */
  invoke(req: IncomingMessage, res: ServerResponse): void {
    const invoked = { event: eventOf(req, this.#invocation), req, res };
    const fetching = this.#fetching;
    this.#fetching = undefined;
    if (fetching) fetching(invoked);
    else this.#queue.push(invoked);
  }

  /** Answers the runtime. */
  async serveRuntime(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [, id = "", what] =
      req.url?.match(/\/invocation\/(?:next|([^/]+)\/(\w+))$/) ?? [];
    if (!what) {
      const invoked = await this.#next();
      const id = `request-${++this.#count}`;
      this.#running.set(id, invoked);
      res.setHeader("Lambda-Runtime-Aws-Request-Id", id);
      res.setHeader("Lambda-Runtime-Deadline-Ms", 2 ** 42);
      res.setHeader("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda");
      res.end(JSON.stringify(invoked.event));
      return;
    }
    const { req: from, res: to } = this.#running.get(id)!;
    this.#running.delete(id);
    const streams =
      req.headers["lambda-runtime-function-response-mode"] === "streaming";
    if (what === "error") answerError(to);
    else if (streams) await answerStream(req, to, from.method === "HEAD");
    else {
      const text = Buffer.concat(await Array.fromAsync(req)).toString();
      answer(JSON.parse(text), to, from.method === "HEAD", this.#invocation);
    }
    req.resume();
    res.statusCode = 202;
    res.end();
  }

  #next(): Promise<Invoked> | Invoked {
    return this.#queue.shift() ??
      new Promise<Invoked>((resolve) => this.#fetching = resolve);
  }
}

/** Listens on a free port. */
export async function listening(
  handler: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<{ host: string; stop(): Promise<void> }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The event of a request, as in "Working with AWS Lambda proxy integrations for HTTP APIs". */
function eventOf(req: IncomingMessage, invocation: Invocation): unknown {
  const { pathname, search } = new URL(req.url ?? "", "http://localhost");
  const { cookie, ...others } = req.headers;
  const common = { body: undefined, isBase64Encoded: false };
  const identity = { sourceIp: "192.0.2.1", userAgent: "agent" };
  if (invocation === "1.0") {
    const headers = { ...others, ...(cookie && { cookie }) };
    return {
      ...common,
      version: "1.0",
      resource: "/{proxy+}",
      path: pathname,
      httpMethod: req.method,
      headers,
      multiValueHeaders: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, [value].flat()]),
      ),
      requestContext: {
        httpMethod: req.method,
        stage: "$default",
        identity,
      },
    };
  }
  return {
    ...common,
    version: "2.0",
    routeKey: "$default",
    rawPath: pathname,
    rawQueryString: search.slice(1),
    ...(cookie && { cookies: cookie.split(/; ?/) }),
    headers: others,
    requestContext: {
      http: {
        method: req.method,
        path: pathname,
        protocol: "HTTP/1.1",
        ...identity,
      },
      stage: "$default",
    },
  };
}

function answerError(res: ServerResponse): void {
  // Of an HTTP API. A function URL answers with 502, but the cases ask for 500.
  res.statusCode = 500;
  res.end('{"message":"Internal Server Error"}');
}

/** Sends a result. In format 2.0, one without a status is a body. */
function answer(
  result: Result | string | null,
  res: ServerResponse,
  isHead: boolean,
  invocation: Invocation,
): void {
  const implied = typeof result !== "object" ||
    result?.statusCode === undefined;
  if (implied && invocation === "1.0") return answerError(res);
  const { body = "", isBase64Encoded = false, ...head }: Result = implied
    ? {
      statusCode: 200,
      headers: { "content-type": "application/json" },
      body: typeof result === "string" ? result : JSON.stringify(result),
    }
    : result ?? {};
  if (invocation === "1.0" && head.cookies) return answerError(res);
  writeHead(head, res);
  if (isHead) res.end();
  else res.end(Buffer.from(body, isBase64Encoded ? "base64" : "utf8"));
}

function writeHead(
  { statusCode, headers = {}, multiValueHeaders = {}, cookies = [] }: Result,
  res: ServerResponse,
): void {
  res.statusCode = Number(statusCode);
  for (const [name, value] of Object.entries(headers)) {
    res.appendHeader(name, String(value));
  }
  for (const [name, list] of Object.entries(multiValueHeaders)) {
    for (const value of list) {
      if (![res.getHeader(name)].flat().includes(value)) {
        res.appendHeader(name, value);
      }
    }
  }
  for (const cookie of cookies) res.appendHeader("Set-Cookie", cookie);
}

/** Sends the result of a function that streams: its head as JSON, eight zeros, and the body. */
async function answerStream(
  parts: AsyncIterable<Uint8Array>,
  res: ServerResponse,
  isHead: boolean,
): Promise<void> {
  let head = Buffer.alloc(0);
  let isBody = false;
  for await (const part of parts) {
    if (isBody) {
      if (!isHead) res.write(part);
      continue;
    }
    head = Buffer.concat([head, part]);
    const end = head.indexOf(Buffer.alloc(8));
    if (end < 0) continue;
    isBody = true;
    writeHead(JSON.parse(head.subarray(0, end).toString()), res);
    res.flushHeaders();
    if (!isHead) res.write(head.subarray(end + 8));
  }
  if (isBody) res.end();
  else answerError(res);
}
