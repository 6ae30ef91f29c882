/**
 * Node's responses, and what can be done with them.
 *
 * @module
 */
import { variesByCookie } from "./_response.ts";

/** What is used of a request of `node:http`. */
export interface NodeRequestLike {
  /** The headers, by their lower-case names. */
  readonly headers: { readonly cookie?: string | undefined };
}

/** What is used of a response of `node:http`. */
export interface NodeResponseLike {
  /** The status. */
  statusCode: number;
  /** Its text. */
  statusMessage: string;
  /** Whether the headers have left. */
  readonly headersSent: boolean;
  /** Whether `end` was called. */
  readonly writableEnded: boolean;
  /** Whether the connection has gone. */
  readonly destroyed: boolean;
  /** Gives a header. */
  getHeader(name: string): number | string | string[] | undefined;
  /** The names of all headers. */
  getHeaderNames(): string[];
  /** Sets a header. */
  setHeader(name: string, value: number | string | readonly string[]): unknown;
  /** Removes a header. */
  removeHeader(name: string): void;
  /** Sends the headers. */
  // deno-lint-ignore no-explicit-any -- of many forms, all of which are handed on
  writeHead(...args: any[]): unknown;
  /** Sends a part of the body. */
  // deno-lint-ignore no-explicit-any -- as above
  write(...args: any[]): boolean;
  /** Sends the last part. */
  // deno-lint-ignore no-explicit-any -- as above
  end(...args: any[]): unknown;
  /** Sends the headers. */
  flushHeaders(): void;
  /** Cuts the connection. */
  destroy(): unknown;
  /** Adds a listener. */
  // deno-lint-ignore no-explicit-any -- each event has its own arguments
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** Tells listeners. */
  emit(event: string): boolean;
}

/** A method by which a response is sent. */
export const SENDING = ["writeHead", "write", "end", "flushHeaders"] as const;

/** One call that a handler made while its session was being saved. */
export interface Call {
  readonly name: (typeof SENDING)[number];
  readonly args: unknown[];
}

/** The status, and its text where one was set: to ask HTTP/2 for it is a warning. */
export function statusOf(res: NodeResponseLike): Partial<NodeResponseLike> {
  const { statusCode } = res;
  return Object.hasOwn(res, "statusMessage")
    ? { statusCode, statusMessage: res.statusMessage }
    : { statusCode };
}

/** What belongs to an answer that is not sent after all. */
const OF_ANSWER =
  /^(content-.*|transfer-encoding|set-cookie|location|etag|last-modified|expires|cache-control)$/;

/** Replaces properties of an object; gives what puts the old ones back. */
export function override(
  target: object,
  properties: PropertyDescriptorMap,
): () => void {
  const before = Object.keys(properties).map((name) =>
    [name, Object.getOwnPropertyDescriptor(target, name)] as const
  );
  for (const [name, property] of Object.entries(properties)) {
    Object.defineProperty(target, name, {
      ...property,
      configurable: true,
      ...("value" in property && { writable: true }),
    });
  }
  return () => {
    for (const [name, property] of before) {
      if (property) Object.defineProperty(target, name, property);
      else delete (target as Record<string, unknown>)[name];
    }
  };
}

/** What Node sends beside the status. */
const STATUS_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const ENCODING =
  /^(utf-?8|ucs-?2|utf-?16le|latin1|binary|ascii|hex|base64|base64url|buffer)$/i;

/** Whether Node will take a call; if not, it throws, and the handler should hear of it before anything is saved. */
export function isValid(
  res: NodeResponseLike,
  status: number,
  { name, args: [chunk, encoding] }: Call,
): boolean {
  if (!(Number.isInteger(status) && status >= 100 && status <= 999)) {
    return false;
  }
  const { statusMessage } = statusOf(res);
  if (statusMessage && !STATUS_TEXT.test(statusMessage)) return false;
  if (name === "writeHead" || name === "flushHeaders") return true;
  if (typeof chunk === "string") {
    return typeof encoding !== "string" || ENCODING.test(encoding);
  }
  return chunk instanceof Uint8Array ||
    name === "end" &&
      (chunk === undefined || chunk === null || typeof chunk === "function");
}

/** Moves the headers of a call of `writeHead` to the response, where they meet the cookie. */
export function takeHeaders(res: NodeResponseLike, { args }: Call): void {
  const headers = args.at(-1);
  if (typeof headers !== "object" || !headers) return;
  args.pop();
  const pairs = !Array.isArray(headers)
    ? Object.entries(headers)
    : Array.isArray(headers[0])
    ? headers
    : headers.flatMap((value, i) => i % 2 ? [] : [[value, headers[i + 1]]]);
  const given = new Map<string, string | string[]>();
  for (const [key, value] of pairs as [string, string | string[]][]) {
    const name = key.toLowerCase();
    const before = given.get(name);
    given.set(
      name,
      before === undefined ? value : [before, value].flat().map(String),
    );
  }
  for (const [name, value] of given) {
    if (value !== undefined) res.setHeader(name, value);
  }
}

export function addSetCookie(res: NodeResponseLike, setCookie: string): void {
  const cookies = [res.getHeader("Set-Cookie") ?? []].flat().map(String);
  res.setHeader("Set-Cookie", [...cookies, setCookie]);
  const vary = [res.getHeader("Vary") ?? []].flat().join(", ");
  if (!variesByCookie(vary)) {
    res.setHeader("Vary", vary ? `${vary}, Cookie` : "Cookie");
  }
  // RFC 9111, section 7.3.
  if (!res.getHeader("Cache-Control")) {
    res.setHeader("Cache-Control", "private, no-store");
  }
}

/** Takes from a response what belongs to an answer that is not sent after all. */
export function clear(res: NodeResponseLike): void {
  for (const name of res.getHeaderNames()) {
    if (OF_ANSWER.test(name)) res.removeHeader(name);
  }
  res.statusCode = 200;
  if (Object.hasOwn(res, "statusMessage")) res.statusMessage = "";
}

/** Lets go of an answer that nobody will get. */
export function abandon(
  res: NodeResponseLike,
  calls: readonly Call[],
  error: unknown,
): void {
  for (const { args } of calls) {
    const callback = args.at(-1);
    if (typeof callback === "function") queueMicrotask(() => callback(error));
  }
  clear(res);
  if (calls.some(({ name }) => name === "end")) return;
  // The handler may go on writing its answer, in the midst of, or after, the one that replaces it.
  const { write, end } = res;
  override(res, {
    write: {
      value: (...args: unknown[]) =>
        res.writableEnded ? false : write.apply(res, args),
    },
    end: {
      value: (...args: unknown[]) =>
        res.writableEnded ? res : end.apply(res, args),
    },
  });
}

/** Answers where the session could not be read or saved. */
export function serviceUnavailable(res: NodeResponseLike): void {
  res.statusCode = 503;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.setHeader("Cache-Control", "no-store");
  res.setHeader("Retry-After", "5");
  res.end("Service Unavailable");
}
