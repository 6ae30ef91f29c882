/**
 * Loaders and actions of Remix 0.x, as Express's handlers.
 *
 * @module
 */
import {
  isSession,
  type Session,
  type SessionData,
} from "../../core/session.ts";
import type { NodeResponseLike } from "./node_http.ts";
import { sessionBehind } from "./properties.ts";
import { isDecoded } from "./response.ts";

/** The arguments of a loader or an action. */
export interface LoaderArgs<Data = SessionData, FlashData = Data> {
  /** The session of the request. */
  session: Session<Data, FlashData>;
  /** The parameters of the path. */
  params: Record<string, string>;
  /** Express's request. */
  // deno-lint-ignore no-explicit-any -- Express's own type, which applications extend
  request: any;
}

/**
 * A route handler that runs a loader or an action of Remix 0.x with `{ request, params, session }`. Errors go to
 * `next(error)`, also in Express 4.
 *
 * @param run The loader or action. It returns a `Response`, whose body is streamed, or data, which is sent as JSON.
 * @returns The handler, for `app.get`, `app.post` and the like. It never rejects.
 */
export function loader<Data = SessionData, FlashData = Data>(
  run: (args: LoaderArgs<Data, FlashData>) => unknown,
): (
  // deno-lint-ignore no-explicit-any -- as above
  req: any,
  // deno-lint-ignore no-explicit-any -- as above
  res: any,
  next: (error?: unknown) => void,
) => Promise<void> {
  return async (req, res, next) => {
    try {
      const found = sessionBehind(req.session) ?? req.session;
      if (!isSession(found)) {
        throw new TypeError(
          "Cannot run loader: req.session is not a session of this library; call app.use(session(storage)) before the route",
        );
      }
      const session = found as unknown as Session<Data, FlashData>;
      await send(
        await run({ request: req, params: req.params, session }),
        req,
        res,
      );
    } catch (error) {
      next(error);
    }
  };
}

/** Sends the result of a loader. */
async function send(
  result: unknown,
  req: { readonly method: string },
  // deno-lint-ignore no-explicit-any -- as above
  res: any,
): Promise<void> {
  if (!(result instanceof Response)) {
    res.json(result ?? null);
    return;
  }
  res.status(result.status);
  const encoded = !isDecoded(result);
  for (const [name, value] of result.headers) {
    if (!encoded && /^content-(encoding|length)$/.test(name)) continue;
    const joins = name === "set-cookie" || name === "vary";
    res[joins ? "append" : "setHeader"](name, value);
  }
  await stream(result.body, req, res);
}

/** Streams a body, and cancels it if the visitor disconnects. */
async function stream(
  body: ReadableStream<Uint8Array> | null,
  req: { readonly method: string },
  res: NodeResponseLike,
): Promise<void> {
  if (!body || req.method === "HEAD") {
    res.end();
    await body?.cancel();
    return;
  }
  const closed = new AbortController();
  const { signal } = closed;
  let isPaused = false;
  let proceed = () => {};
  const stop = () => {
    closed.abort();
    proceed();
  };
  res.on("drain", () => proceed());
  res.on("close", stop);
  // As Node's streams do: the session pauses this one until it is saved, or stops it for another answer.
  res.emit("pipe", {
    unpipe: stop,
    isPaused: () => isPaused,
    pause: () => isPaused = true,
    resume: () => {
      isPaused = false;
      proceed();
    },
  });
  if (res.destroyed) stop();
  // Before the first part: a client of server-sent events waits for the headers.
  res.flushHeaders();
  const sink = new WritableStream<Uint8Array>({
    async write(part) {
      if (signal.aborted || (res.write(part) && !isPaused)) return;
      await new Promise<void>((resolve) => proceed = resolve);
    },
    close: () => void res.end(),
  });
  try {
    await body.pipeTo(sink, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
