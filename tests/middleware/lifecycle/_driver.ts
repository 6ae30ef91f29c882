/**
 * What a framework brings to the lifecycle's list of cases.
 *
 * @module
 */
import type { App } from "./_app.ts";

/** What a framework does by its nature, where frameworks differ. */
export interface Traits {
  /** A thrown `Response` is an answer, or an error as any other. */
  thrownResponse: "answer" | "error";
  /** How many runs of a handler are saved, if what comes before it calls on it twice. */
  twice: 0 | 1 | 2;
  /** A handler that gives no response: an error, an empty answer, or a request that stays open. */
  nothing: "error" | "answer" | "open";
  /** A session that was changed in a request for a WebSocket: its cookie is sent, or the change is an error. */
  upgrade: "sent" | "refused";
}

/** A running framework. */
export interface Served {
  /** Where it listens, as in `http://127.0.0.1:8000`. */
  readonly origin: string;
  /** Stops it. */
  stop(): Promise<void>;
}

/** A framework. */
export interface Driver {
  /** Its name, as the table shows it. */
  readonly name: string;
  /** Where it differs from the others. */
  readonly traits: Traits;
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
 * A request for routers that give up on aborted ones: Deno aborts a request that it upgrades, so such a request gets a
 * signal of its own.
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
