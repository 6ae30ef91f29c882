/**
 * Response streaming of AWS Lambda.
 *
 * @module
 */
import type { LambdaResultLike } from "./lambda_event.ts";

/** The parts of Lambda's response stream that are used. */
export interface LambdaResponseStreamLike {
  /** Sets what the stream carries. */
  setContentType(type: string): void;
  /** Sends a part. Returns whether the next one may follow at once. */
  write(part: string | Uint8Array): boolean;
  /** Ends the response. */
  end(): void;
  /** Whether the visitor has left. */
  readonly destroyed?: boolean;
  /** Adds a listener that is called once. */
  once(event: string, listener: () => void): unknown;
}

/** Whether an argument of a handler is the stream of a function that streams its responses. */
export function isResponseStream(
  value: unknown,
): value is LambdaResponseStreamLike {
  const { setContentType, write } = Object(value);
  return typeof setContentType === "function" && typeof write === "function";
}

type Parts = AsyncIterable<string | Uint8Array>;

/** Whether a body comes in parts. */
export function isStreamed(body: unknown): body is Parts {
  return typeof Object(body)[Symbol.asyncIterator] === "function";
}

/** Releases a body that will not be sent. */
export function release(body: unknown): void {
  if (!isStreamed(body)) return;
  const { destroy } = body as { destroy?: () => void };
  if (destroy) destroy.call(body);
  else body[Symbol.asyncIterator]().return?.()?.catch(() => {});
}

/**
 * Sends a result: its status and headers as JSON, eight zeros, and its body.
 *
 * This is what `awslambda.HttpResponseStream.from` writes, but when the body's first part comes. The status and the
 * cookies go out at once.
 */
export async function sendStreamed(
  stream: LambdaResponseStreamLike,
  { body, isBase64Encoded, ...metadata }: LambdaResultLike,
): Promise<void> {
  stream.setContentType("application/vnd.awslambda.http-integration-response");
  stream.write(JSON.stringify(metadata));
  stream.write(new Uint8Array(8));
  for await (const part of isStreamed(body) ? body : partsOf(body)) {
    const text = typeof part === "string" && isBase64Encoded;
    const ready = stream.write(text ? bytesOf(part) : part);
    if (stream.destroyed) break;
    if (!ready) await drained(stream);
  }
  stream.end();
}

/** The one part of a body that is whole. */
async function* partsOf(body: unknown): Parts {
  if (body instanceof Uint8Array) yield body;
  else if (body !== undefined && body !== null && body !== "") {
    yield String(body);
  }
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

/** Waits until the stream takes more, or has ended. */
function drained(stream: LambdaResponseStreamLike): Promise<void> {
  return new Promise((resolve) => {
    stream.once("drain", resolve);
    stream.once("close", resolve);
  });
}
