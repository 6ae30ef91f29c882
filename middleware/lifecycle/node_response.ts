/**
 * Node sends the headers when a handler writes. So the session is committed just before, and the writes wait.
 *
 * @module
 */
import { type Session, stateOf } from "../../core/session.ts";
import type { SessionHeaders } from "../../storage/contract.ts";
import { close, closeWithoutCookie, commitOnce } from "./lifecycle.ts";
import {
  type Call,
  checkBody,
  checkHead,
  moveHeaders,
  type NodeResponseLike,
  setStatus,
  textOf,
  throwHeadersSent,
} from "./node_http.ts";
import {
  privateCacheControl,
  SHARED_CACHE_HEADERS,
  variesByCookie,
} from "./cache.ts";

/** The methods that send a response. */
const SENDING = ["writeHead", "write", "end", "flushHeaders"] as const;
/** The methods that throw once the headers are sent. */
const CHANGING = ["setHeader", "setHeaders", "appendHeader", "removeHeader"];

/** The headers that describe a response. Another response that replaces it must not keep them. */
const OF_RESPONSE =
  /^(content-.*|transfer-encoding|set-cookie|location|etag|last-modified|expires|cache-control)$/;

/** The session to commit, and the answer if that fails. */
export interface PendingCommit<Data, FlashData> {
  readonly storage: SessionHeaders<Data, FlashData>;
  readonly session: Session<Data, FlashData>;
  /** Whether a status means that a handler failed, so that nothing is committed. */
  failed?(status: number): boolean;
  /** Sends the answer if the session could not be saved. The response has been reset. */
  unsaved(error: unknown): Promise<void>;
}

/**
 * Commits a session once, when the handler first sends something. The handler's calls are queued until the session is
 * saved; to the handler, the response looks sent at once.
 *
 * Later middlewares may wrap the methods again, as compression does. Their wrappers are kept.
 */
export function commitBeforeSending<Data, FlashData>(
  res: NodeResponseLike,
  { storage, session, failed, unsaved }: PendingCommit<Data, FlashData>,
): void {
  // The cookie cannot be sent any more.
  if (isGone(res) || res.headersSent || res.writableEnded) {
    close(session);
    return;
  }
  let phase: "open" | "completing" | "saving" | "sent" | "abandoned" = "open";
  const calls: Call[] = [];
  const inner = methodsOf(res);
  for (const name of SENDING) {
    res[name] = (...args: unknown[]): never => receive({ name, args }) as never;
  }
  const sources = new Set<{ unpipe(to: unknown): unknown }>();
  res.on("pipe", (source) => sources.add(source));
  res.on("close", () => {
    if (phase === "open") saveLogoutOnly();
  });

  /** After a disconnect: changes are dropped, because the visitor cannot get the cookie. A logout is still saved. */
  function saveLogoutOnly(): void {
    const loggedOut = session.destroyed && !stateOf(session)?.closed;
    close(session);
    if (loggedOut) {
      commitOnce(storage, session).catch(unsaved).catch(disconnect);
    }
  }

  function disconnect(): void {
    res.destroy();
  }

  function receive(call: Call): unknown {
    if (phase === "open") return receiveFirst(call);
    if (phase === "sent") return inner[call.name](...call.args);
    if (phase === "completing" && call.name === "writeHead") {
      moveHeaders(res, call);
      setStatus(res, Number(call.args[0]), textOf(res));
    } else if (phase !== "abandoned") {
      if (call.name === "writeHead") throwHeadersSent();
      checkBody(call);
      // Calls after `end` are ignored. Node does so too, and reports an error.
      if (!includesCall(calls, "end")) calls.push(call);
    }
    return call.name === "write" ? false : res;
  }

  function receiveFirst(call: Call): unknown {
    const state = stateOf(session);
    const gone = isGone(res);
    if (gone || res.headersSent || res.writableEnded) {
      phase = "sent";
      if (gone) saveLogoutOnly();
      else if (!state?.closed) closeWithoutCookie(session);
      return receive(call);
    }
    checkBody(call);
    if (call.name === "writeHead") moveHeaders(res, call);
    else completeHeaders();
    const status = checkHead(res, call);
    calls.push(call);
    const isUnused = state && !state.stored && !session.dirty;
    if (state?.closed || isUnused || failed?.(status)) {
      close(session);
      return send();
    }
    phase = "saving";
    save().catch(disconnect);
    return call.name === "write" ? false : res;
  }

  /** Calls `writeHead` once, so that the wrappers around it add their headers, as they do when Node sends. */
  function completeHeaders(): void {
    phase = "completing";
    try {
      res.writeHead(res.statusCode);
    } finally {
      phase = "open";
    }
  }

  async function save(): Promise<void> {
    const { statusCode } = res;
    const text = textOf(res);
    const reopen = pretendSent(res, calls);
    let setCookie: string;
    try {
      setCookie = await commitOnce(storage, session);
    } catch (error) {
      reopen();
      phase = "abandoned";
      for (const source of sources) source.unpipe(res);
      abandon(res, calls, error, inner);
      return unsaved(error);
    }
    reopen();
    setStatus(res, statusCode, text);
    if (setCookie) addSetCookie(res, setCookie);
    send();
    if (!res.writableEnded) res.emit("drain");
  }

  function send(): unknown {
    phase = "sent";
    // The wrappers around `writeHead` have already run; Node would call them again.
    const { writeHead } = res;
    res.writeHead = inner.writeHead;
    try {
      return calls.map(({ name, args }) => inner[name](...args)).at(-1);
    } finally {
      res.writeHead = writeHead;
    }
  }
}

type Methods = Record<Call["name"], (...args: unknown[]) => unknown>;

function isGone({ destroyed, stream }: NodeResponseLike): boolean {
  return destroyed || stream?.destroyed || false;
}

/** The current methods that send the response. */
function methodsOf(res: NodeResponseLike): Methods {
  const { writeHead, write, end, flushHeaders } = res;
  return {
    writeHead: writeHead.bind(res),
    write: write.bind(res),
    end: end.bind(res),
    flushHeaders: flushHeaders.bind(res),
  };
}

function includesCall(calls: readonly Call[], wanted: Call["name"]): boolean {
  return calls.some(({ name }) => name === wanted);
}

/**
 * Makes a response look sent, so that header changes throw.
 *
 * @returns A function that undoes this.
 */
function pretendSent(
  res: NodeResponseLike,
  calls: readonly Call[],
): () => void {
  const properties: PropertyDescriptorMap = {
    headersSent: { get: () => true },
    writableEnded: { get: () => includesCall(calls, "end") },
    // Node writes the headers with it. express-session calls it too, if the headers are not sent.
    _implicitHeader: { value: () => {}, writable: true },
  };
  for (const name of CHANGING) {
    properties[name] = { value: throwHeadersSent, writable: true };
  }
  const before = Object.keys(properties).map((name) =>
    [name, Object.getOwnPropertyDescriptor(res, name)] as const
  );
  for (const [name, property] of Object.entries(properties)) {
    Object.defineProperty(res, name, { ...property, configurable: true });
  }
  return () => {
    for (const [name, property] of before) {
      if (property) Object.defineProperty(res, name, property);
      else delete (res as unknown as Record<string, unknown>)[name];
    }
  };
}

function addSetCookie(res: NodeResponseLike, setCookie: string): void {
  const cookies = [res.getHeader("Set-Cookie") ?? []].flat().map(String);
  res.setHeader("Set-Cookie", [...cookies, setCookie]);
  const vary = [res.getHeader("Vary") ?? []].flat().join(", ");
  if (!variesByCookie(vary)) {
    res.setHeader("Vary", vary ? `${vary}, Cookie` : "Cookie");
  }
  // Caches must not send the cookie to other visitors (RFC 9111, section 7.3).
  const control = [res.getHeader("Cache-Control") ?? []].flat().join(", ");
  res.setHeader("Cache-Control", privateCacheControl(control));
  for (const name of SHARED_CACHE_HEADERS) res.removeHeader(name);
}

/** Drops the queued calls and the wrappers around the response, so that another answer can be sent. */
function abandon(
  res: NodeResponseLike,
  calls: readonly Call[],
  error: unknown,
  inner: Methods,
): void {
  for (const { args } of calls) {
    const callback = args.at(-1);
    if (typeof callback === "function") queueMicrotask(() => callback(error));
  }
  clearAnswer(res);
  // Without the wrappers of other middlewares: for compression, say, this response has ended.
  Object.assign(res, inner);
  if (includesCall(calls, "end")) return;
  // The handler may still write its own body while, or after, the other answer is sent.
  res.write = (...args) =>
    !res.writableEnded && inner.write(...args) as boolean;
  res.end = (...args) => res.writableEnded ? res : inner.end(...args);
}

/** Resets the status and removes the headers that describe a response, before another one is sent. */
export function clearAnswer(res: NodeResponseLike): void {
  for (const name of res.getHeaderNames()) {
    if (OF_RESPONSE.test(name)) res.removeHeader(name);
  }
  setStatus(res, 200);
}

/** Sends the default answer if the session could not be read or saved. */
export function serviceUnavailable(res: NodeResponseLike): void {
  res.statusCode = 503;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.setHeader("Cache-Control", "no-store");
  res.setHeader("Retry-After", "5");
  res.end("Service Unavailable");
}
