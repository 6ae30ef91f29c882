/**
 * How a framework runs the lifecycle's list of cases.
 *
 * @module
 */
import type { App } from "./_app.ts";

/** Behaviour in which frameworks differ. */
export interface Traits {
  /** Whether a thrown `Response` is an answer, or an error like any other. */
  thrownResponse: "answer" | "error";
  /** Whether an HTTP error below 500, as the framework makes it, is an answer, or an error like any other. */
  httpError: "answer" | "error";
  /** Whether the framework's answer to a thrown error clears the cookie of a session that was destroyed before. */
  errorPage: "cleared" | "kept";
  /** How many runs of a handler are saved, if an earlier middleware runs it twice. */
  twice: 0 | 1 | 2;
  /** The result of a handler without a response: an error, an empty answer, or a request that stays open. */
  nothing: "error" | "answer" | "open";
  /**
   * The result of changing a session in a WebSocket request: its cookie is sent, or the change is an error. `none`: the
   * framework does not see such requests.
   */
  upgrade: "sent" | "refused" | "none";
  /** If the framework removes the header of a body that the application has encoded. */
  encoded?: "dropped";
  /** If the host sends a body only when it is whole. */
  live?: "whole";
}

/** A running framework. */
export interface Served {
  /** Its origin, such as `http://127.0.0.1:8000`. */
  readonly origin: string;
  /** Stops it. */
  stop(): Promise<void>;
}

/** A framework. */
export interface Driver {
  /** The name in the table. */
  readonly name: string;
  /** How it differs from the others. */
  readonly traits: Traits;
  /** The kinds of answer that an application can make once, for all visitors. */
  readonly answers: readonly string[];
  /** Whether it must be built first, which takes seconds: only the thorough tests do that. */
  readonly isBuilt?: boolean;
  /** Its npm packages, as `npm:name@version`. */
  readonly packages?: readonly string[];
  /** Serves the application on a free port. */
  serve(): Promise<Served>;
}

/** Serves a Fetch API handler with Deno. */
export function serveFetch(
  app: App,
  handler: (
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ) => Response | Promise<Response>,
): Served {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    onError(error) {
      app.failed(error);
      return new Response("failed", { status: 500 });
    },
  }, handler);
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    stop: () => server.shutdown(),
  };
}

const originals = new WeakMap<Request, Request>();

/**
 * Replaces the signal of a WebSocket request: Deno aborts a request that it upgrades, and some routers then stop.
 */
export function withoutAbort(request: Request): Request {
  if (!request.headers.has("Upgrade")) return request;
  const copy = new Request(request, { signal: new AbortController().signal });
  originals.set(copy, request);
  return copy;
}

/** Upgrades a request with Deno's server. */
export function upgradeWithDeno(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(
    originals.get(request) ?? request,
  );
  socket.onopen = () => socket.send("hello");
  return response;
}
