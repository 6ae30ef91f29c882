/**
 * A visitor without a cookie jar. It can also send raw HTTP, for requests that `fetch` cannot make.
 *
 * @module
 */
import { get } from "node:http";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { cookieHeader } from "../../core/_support.ts";
import type { Log } from "./_app.ts";

/** A response. */
export interface Answer {
  status: number;
  text: string;
  headers: Headers;
  /** The `Set-Cookie` headers. */
  setCookies: string[];
  /** The `Cookie` header that a browser would send from now on. */
  cookie: string;
}

/** A response, as Node's client sees it: it does not decode bodies. */
export interface RawAnswer {
  /** The `Content-Encoding` header. */
  encoding: string | undefined;
  text: string;
  setCookies: string[];
  statusText: string;
}

/** Sends requests to one framework. */
export class Client {
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Sends one request. */
  async request(
    path: string,
    cookie = "",
    init: RequestInit = {},
  ): Promise<Answer> {
    const response = await fetch(this.origin + path, {
      redirect: "manual",
      signal: AbortSignal.timeout(60_000), // a server that hangs is a failure
      headers: cookie ? { cookie } : {},
      ...init,
    });
    const text = await response.text();
    const setCookies = response.headers.getSetCookie();
    return {
      status: response.status,
      text,
      headers: response.headers,
      setCookies,
      cookie: setCookies.map(cookieHeader).join("; "),
    };
  }

  /** Requests a body whose second part waits for `open`, and reports what came before that. */
  async live(
    path: string,
    cookie: string,
    open: () => void,
  ): Promise<{ before: string; text: string; setCookies: string[] }> {
    const response = await fetch(this.origin + path, {
      signal: AbortSignal.timeout(60_000),
      // Miniflare would compress the body, and wait for all of it.
      headers: { cookie, "Accept-Encoding": "identity" },
    });
    const parts = response.body!.pipeThrough(new TextDecoderStream());
    let text = "";
    let before = "";
    for await (const part of parts) {
      text += part;
      if (before || text.length < "first ".length) continue;
      before = text;
      open();
    }
    return { before, text, setCookies: response.headers.getSetCookie() };
  }

  /** Requests a body as it is sent, and decodes it as its headers say. */
  raw(path: string, cookie: string): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const headers = cookie ? { cookie } : {};
      get(this.origin + path, { headers, agent: false }, async (response) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk);
          const { headers, statusMessage = "" } = response;
          const body = Buffer.concat(chunks);
          const { "content-encoding": encoding } = headers;
          resolve({
            encoding,
            text: (encoding === "gzip" ? gunzipSync(body) : body).toString(),
            setCookies: headers["set-cookie"] ?? [],
            statusText: statusMessage,
          });
        } catch (error) {
          reject(error);
        }
      }).on("error", reject);
    });
  }

  /** Queries the application. */
  async control(what: string): Promise<Log> {
    return JSON.parse((await this.request(`/control/${what}`)).text);
  }

  /** The values of both sessions. */
  async data(cookie: string): Promise<unknown[]> {
    return JSON.parse((await this.request("/read", cookie)).text);
  }

  /** Sends a raw request and leaves the connection open. */
  async open(path: string, headers: string[] = []): Promise<Deno.TcpConn> {
    const { hostname, port, host } = new URL(this.origin);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...headers];
    await connection.write(
      new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`),
    );
    return connection;
  }

  /** Requests a WebSocket. */
  async upgrade(path: string): Promise<{ status: number; head: string }> {
    const connection = await this.open(path, [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]);
    try {
      const head = await readHead(connection);
      return { status: Number(head.split(" ")[1]), head };
    } finally {
      connection.close();
    }
  }
}

async function readHead(connection: Deno.TcpConn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const size = await connection.read(buffer);
    if (size === null) break;
    head += decoder.decode(buffer.subarray(0, size), { stream: true });
  }
  return head;
}
