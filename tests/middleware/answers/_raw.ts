/**
 * A visitor who sees every byte of an answer.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type ClientHttp2Session, connect } from "node:http2";
import { gunzipSync } from "node:zlib";

/**
 * The body without compression, whose bytes depend on how the parts came.
 *
 * @throws If it ends too early.
 */
export function decoded({ headers, body }: RawAnswer): string {
  const isGzip = headers.some(([name, value]) =>
    name.toLowerCase() === "content-encoding" && value === "gzip"
  );
  if (!isGzip || body === "") return body;
  return gunzipSync(Buffer.from(body, "latin1")).toString("latin1");
}

/** An answer. */
export interface RawAnswer {
  /** The status line; the status alone over HTTP/2. */
  readonly status: string;
  /** The headers, in order. */
  readonly headers: [name: string, value: string][];
  /** The body, one character for each byte, without the framing of its chunks. */
  readonly body: string;
  /** The header lines after the last chunk. */
  readonly trailers: string;
}

/** A request. */
export interface RawRequest {
  readonly method?: string | undefined;
  readonly path: string;
  readonly headers?: readonly string[] | undefined;
  readonly body?: string | undefined;
  /** The visitor leaves when this much of the body has come. */
  readonly until?: string | undefined;
}

/** A request that takes longer never ends. */
const HANGS = 60_000;

/** Sends a request over HTTP/1.1. */
export async function visit(
  port: number,
  { method = "GET", path, headers = [], body = "", until }: RawRequest,
): Promise<RawAnswer> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const timer = setTimeout(() => connection.close(), HANGS);
  const parts: string[] = [];
  try {
    const lines = [
      `${method} ${path} HTTP/1.1`,
      "Host: localhost",
      "Connection: close",
      ...headers,
    ];
    await sendAll(
      connection,
      new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n${body}`),
    );
    for await (const part of connection.readable) {
      parts.push(Buffer.from(part).toString("latin1"));
      if (until !== undefined && parts.join("").endsWith(`${until}\r\n`)) break;
    }
  } catch (cause) {
    const size = parts.join("").length;
    throw new Error(`the answer did not end after ${size} bytes`, { cause });
  } finally {
    clearTimeout(timer);
    try {
      connection.close();
    } catch {
      // The stream has closed it.
    }
  }
  return parse(parts.join(""));
}

async function sendAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

function parse(raw: string): RawAnswer {
  const end = raw.indexOf("\r\n\r\n");
  const [status = "", ...lines] = raw.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const rest = raw.slice(end + 4);
  const isChunked = headers.some(([name, value]) =>
    name.toLowerCase() === "transfer-encoding" && value === "chunked"
  );
  return isChunked
    ? { status, headers, ...dechunk(rest) }
    : { status, headers, body: rest, trailers: "" };
}

function dechunk(framed: string): { body: string; trailers: string } {
  const parts: string[] = [];
  let at = 0;
  while (at < framed.length) {
    const line = framed.indexOf("\r\n", at);
    const size = parseInt(framed.slice(at, line), 16);
    at = line + 2;
    if (size === 0) return { body: parts.join(""), trailers: framed.slice(at) };
    parts.push(framed.slice(at, at + size));
    at += size + 2;
  }
  return { body: parts.join(""), trailers: "cut off" };
}

/**
 * Opens a connection over HTTP/2, for all requests of a table.
 *
 * One for each request would be simpler. But Deno 2.9.6 aborts the process once in some thousand times when a connection
 * ends ("Assertion `stream->closed_next == NULL' failed" in nghttp2).
 */
export function openHttp2(
  port: number,
): { send: typeof visit; close(): Promise<void> } {
  const client = connect(`http://127.0.0.1:${port}`);
  const closed = new Promise<void>((resolve) => client.once("close", resolve));
  return {
    send: (_port, request) => visitOver2(client, request),
    async close() {
      client.close();
      await closed;
    },
  };
}

async function visitOver2(
  client: ClientHttp2Session,
  { method = "GET", path, headers = [], body, until }: RawRequest,
): Promise<RawAnswer> {
  let timer;
  try {
    const fields = headers.map((line) => {
      const [name = "", ...value] = line.split(": ");
      return [name.toLowerCase(), value.join(": ")];
    });
    const request = client.request({
      ...Object.fromEntries(fields),
      ":method": method,
      ":path": path,
    }, { endStream: body === undefined });
    timer = setTimeout(() => request.destroy(new Error("hangs")), HANGS);
    const head = Promise.withResolvers<Record<string, unknown>>();
    request.on("response", head.resolve);
    request.on("error", head.reject);
    if (body !== undefined) request.end(body);
    const answered = await head.promise;
    const parts: string[] = [];
    for await (const part of request) {
      parts.push(Buffer.from(part).toString("latin1"));
      // Leaving the loop resets the stream.
      if (until !== undefined && parts.join("") === until) break;
    }
    const { ":status": status, ...rest } = answered;
    return {
      status: String(status),
      headers: Object.entries(rest).flatMap(([name, value]) =>
        [value].flat().map((each): [string, string] => [name, String(each)])
      ),
      body: parts.join(""),
      trailers: "",
    };
  } finally {
    clearTimeout(timer);
  }
}
