/**
 * What is used of Node's requests and responses, and what they refuse.
 *
 * @module
 */

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
  /** Whether the connection is gone. */
  readonly destroyed?: boolean | undefined;
  /** What knows that over HTTP/2. */
  readonly stream?: { readonly destroyed: boolean } | undefined;
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
  emit(event: string, ...args: unknown[]): boolean;
}

/** One call of what sends a response. */
export interface Call {
  readonly name: "writeHead" | "write" | "end" | "flushHeaders";
  readonly args: unknown[];
}

/**
 * Gives the status that a call sends.
 *
 * @throws What Node would throw; but before anything is saved, so that the handler can send something else.
 */
export function checkHead(res: NodeResponseLike, { name, args }: Call): number {
  const explicit = name === "writeHead";
  const status = Number(explicit ? args[0] : res.statusCode);
  if (!(status >= 100 && status < 1000)) {
    throw coded(
      "ERR_HTTP_INVALID_STATUS_CODE",
      new RangeError(`Invalid status code: ${status}`),
    );
  }
  const text = explicit && typeof args[1] === "string" ? args[1] : textOf(res);
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) {
    throw coded(
      "ERR_INVALID_CHAR",
      new TypeError("Invalid character in statusMessage"),
    );
  }
  return status;
}

const ENCODINGS =
  /^(utf-?8|ucs-?2|utf-?16le|latin1|binary|ascii|hex|base64(url)?|buffer)$/i;

/** Checks a part of the body, as {@linkcode checkHead} does the head. */
export function checkBody({ name, args: [chunk, encoding] }: Call): void {
  if (name === "writeHead" || name === "flushHeaders") return;
  if (name === "end" && (!chunk || typeof chunk === "function")) return;
  if (chunk === null) {
    throw coded(
      "ERR_STREAM_NULL_VALUES",
      new TypeError("May not write null values to stream"),
    );
  }
  // Bytes of another realm are no instance of this one's class.
  const tag = Object.prototype.toString.call(chunk);
  if (typeof chunk !== "string" && tag !== "[object Uint8Array]") {
    throw coded(
      "ERR_INVALID_ARG_TYPE",
      new TypeError(
        `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received type ${typeof chunk}`,
      ),
    );
  }
  if (typeof encoding === "string" && encoding && !ENCODINGS.test(encoding)) {
    throw coded(
      "ERR_UNKNOWN_ENCODING",
      new TypeError(`Unknown encoding: ${encoding}`),
    );
  }
}

/** Moves the headers of a call of `writeHead` to the response, where they meet the cookie. */
export function takeHeaders(res: NodeResponseLike, { name, args }: Call): void {
  const headers = args.at(-1);
  if (name !== "writeHead" || typeof headers !== "object" || !headers) return;
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

/** A status's text, where it was set; HTTP/2 has none, and warns whoever asks. */
export function textOf(res: NodeResponseLike): string {
  return Object.hasOwn(res, "statusMessage") ? res.statusMessage ?? "" : "";
}

/** Sets a status and its text, so far as they differ. */
export function setStatus(
  res: NodeResponseLike,
  status: number,
  text = "",
): void {
  if (res.statusCode !== status) res.statusCode = status;
  if (textOf(res) !== text) res.statusMessage = text;
}

/** @throws What Node throws of headers that have left. */
export function tooLate(): never {
  const message = "Cannot change headers after they are sent to the client";
  throw coded("ERR_HTTP_HEADERS_SENT", new Error(message));
}

/** An error as Node's own are. */
function coded(code: string, error: Error): Error {
  return Object.assign(error, { code });
}
