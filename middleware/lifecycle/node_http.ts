/**
 * The parts of Node's requests and responses that are used, and the checks that Node makes when it sends a response.
 *
 * @module
 */

/** The parts of a `node:http` request that the middleware uses. */
export interface NodeRequestLike {
  /** The method. */
  readonly method?: string | undefined;
  /** The headers, by lower-case name. */
  readonly headers: {
    readonly cookie?: string | undefined;
    readonly [name: string]: string | string[] | undefined;
  };
}

/** The parts of a `node:http` response that the middleware uses. */
export interface NodeResponseLike {
  /** The status. */
  statusCode: number;
  /** The status text. */
  statusMessage: string;
  /** Whether the headers have been sent. */
  readonly headersSent: boolean;
  /** Whether `end` was called. */
  readonly writableEnded: boolean;
  /** Whether the connection is closed. */
  readonly destroyed?: boolean | undefined;
  /** The stream, over HTTP/2. */
  readonly stream?: { readonly destroyed: boolean } | undefined;
  /** Returns a header. */
  getHeader(name: string): number | string | string[] | undefined;
  /** Returns the names of all headers. */
  getHeaderNames(): string[];
  /** Sets a header. */
  setHeader(name: string, value: number | string | readonly string[]): unknown;
  /** Removes a header. */
  removeHeader(name: string): void;
  /** Sends the headers. */
  // deno-lint-ignore no-explicit-any -- passed on as they are
  writeHead(...args: any[]): unknown;
  /** Sends a part of the body. */
  // deno-lint-ignore no-explicit-any -- as above
  write(...args: any[]): boolean;
  /** Sends the last part of the body. */
  // deno-lint-ignore no-explicit-any -- as above
  end(...args: any[]): unknown;
  /** Sends the headers. */
  flushHeaders(): void;
  /** Closes the connection. */
  destroy(): unknown;
  /** Adds a listener. */
  // deno-lint-ignore no-explicit-any -- each event has its own arguments
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** Calls an event's listeners. */
  emit(event: string, ...args: unknown[]): boolean;
}

/** A call to one of the methods that send a response. */
export interface Call {
  readonly name: "writeHead" | "write" | "end" | "flushHeaders" | "flush";
  readonly args: unknown[];
}

/**
 * Checks the status and its text, as Node does.
 *
 * @returns The status that the call sends.
 * @throws Node's own errors, but before the session is saved, so that the handler can send another response.
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

/** Checks a part of the body, as {@linkcode checkHead} checks the head. */
export function checkBody({ name, args: [chunk, encoding] }: Call): void {
  if (name !== "write" && name !== "end") return;
  if (name === "end" && (!chunk || typeof chunk === "function")) return;
  if (chunk === null) {
    throw coded(
      "ERR_STREAM_NULL_VALUES",
      new TypeError("May not write null values to stream"),
    );
  }
  // Not `instanceof`, because the bytes may come from another realm.
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

/** Moves the headers of a `writeHead` call to the response, so that the cookie can be added to them. */
export function moveHeaders(res: NodeResponseLike, { name, args }: Call): void {
  const headers = args.at(-1);
  if (name !== "writeHead" || typeof headers !== "object" || !headers) return;
  args.pop();
  const pairs = !Array.isArray(headers)
    ? Object.entries(headers)
    : Array.isArray(headers[0])
    ? headers
    : headers.flatMap((value, i) => i % 2 ? [] : [[value, headers[i + 1]]]);
  // By lower-case name; the names are sent as they were written.
  const given = new Map<string, [name: string, value: string | string[]]>();
  for (const [name, value] of pairs as [string, string | string[]][]) {
    const before = given.get(name.toLowerCase());
    if (before) before[1] = [before[1], value].flat().map(String);
    else given.set(name.toLowerCase(), [name, value]);
  }
  for (const [name, value] of given.values()) {
    if (value !== undefined) res.setHeader(name, value);
  }
}

/** The status text, if it was set. HTTP/2 does not have one, and prints a warning when it is read. */
export function textOf(res: NodeResponseLike): string {
  return Object.hasOwn(res, "statusMessage") ? res.statusMessage ?? "" : "";
}

/** Sets a status and its text, if they differ. */
export function setStatus(
  res: NodeResponseLike,
  status: number,
  text = "",
): void {
  if (res.statusCode !== status) res.statusCode = status;
  if (textOf(res) !== text) res.statusMessage = text;
}

/** @throws Node's own error for headers that were already sent. */
export function throwHeadersSent(): never {
  const message = "Cannot change headers after they are sent to the client";
  throw coded("ERR_HTTP_HEADERS_SENT", new Error(message));
}

/** An error with a code, as Node's own errors have. */
function coded(code: string, error: Error): Error {
  return Object.assign(error, { code });
}
