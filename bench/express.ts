/**
 * A request of Express as a session middleware sees it, without Express.
 *
 * @module
 */
import type { Answer, ExpressMiddleware } from "./visit.ts";

/** A request with what a session middleware adds to it. */
export interface ExpressRequest {
  // deno-lint-ignore no-explicit-any -- each middleware has a session of its own
  session?: any;
}

/** A response, as far as middlewares of Express touch it. */
class Response {
  readonly #headers = new Map<string, string | string[]>();
  readonly #done: (headers: Answer) => void;
  statusCode = 200;
  headersSent = false;

  constructor(done: (headers: Answer) => void) {
    this.#done = done;
  }

  getHeader(name: string): string | string[] | undefined {
    return this.#headers.get(name.toLowerCase());
  }

  setHeader(name: string, value: string | string[]): void {
    this.#headers.set(name.toLowerCase(), value);
  }

  writeHead(_status?: number): void {
    this.headersSent = true;
  }

  // deno-lint-ignore camelcase -- Node's name
  _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }

  write(): void {}

  end(): void {
    if (!this.headersSent) this._implicitHeader();
    this.#done(this.#headers.get("set-cookie") ?? "");
  }
}

/**
 * Runs a request through a middleware.
 *
 * @param use What the handler does. If it returns a promise, the response ends when it resolves.
 * @returns The `Set-Cookie` headers.
 */
export function handle(
  middleware: ExpressMiddleware,
  cookie: string | null,
  use: (request: ExpressRequest) => void | Promise<void>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request: ExpressRequest & Record<string, unknown> = {
      headers: cookie === null ? {} : { cookie },
      url: "/",
      originalUrl: "/",
      method: "GET",
      connection: {},
    };
    const response = new Response(resolve);
    middleware(request, response, (error?: unknown) => {
      if (error) return reject(error);
      const used = use(request);
      if (used) used.then(() => response.end(), reject);
      else response.end();
    });
  });
}
