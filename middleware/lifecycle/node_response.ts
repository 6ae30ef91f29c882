/**
 * Node sends the headers when a handler writes. So the session is committed just before, and the writes wait.
 *
 * @module
 */
import { after, type Awaitable, isThenable } from "../../core/awaitable.ts";
import type { SessionError } from "../../core/errors.ts";
import { type Session, stateOf } from "../../core/session.ts";
import type { SessionHeaders } from "../../storage/contract.ts";
import { BoundStorage } from "../../storage/sessions/bound_storage.ts";
import {
  privateCacheControl,
  SHARED_CACHE_HEADERS,
  variesByCookie,
} from "./cache.ts";
import {
  close,
  closeWithoutCookie,
  commitOnce,
  defaultAnswer,
  type RequestInfo,
} from "./lifecycle.ts";
import {
  type Call,
  checkBody,
  checkHead,
  moveHeaders,
  type NodeRequestLike,
  type NodeResponseLike,
  setStatus,
  textOf,
  throwHeadersSent,
} from "./node_http.ts";

/** The methods that send a response. */
const SENDING = ["writeHead", "write", "end", "flushHeaders"] as const;
/** The methods that throw once the headers are sent. */
const CHANGING = ["setHeader", "setHeaders", "appendHeader", "removeHeader"];

const OF_RESPONSE =
  /^(content-.*|transfer-encoding|set-cookie|location|etag|last-modified|expires|cache-control)$/;

/** The session to commit, and the answer if that fails. */
export interface PendingCommit<Data, FlashData> {
  readonly storage: SessionHeaders<Data, FlashData>;
  readonly session: Session<Data, FlashData>;
  /** Whether a status means that a handler failed, so that only a logout is committed. */
  isFailure(status: number): boolean;
  /** Sends the answer if the session could not be saved. The response has been reset. */
  unsaved(error: unknown): Promise<void>;
  /** What the handler has done by other means than the session's methods. */
  readonly other?: OtherChanges<Data, FlashData> | undefined;
}

/** Changes that are not in the session yet, and saves that the handler made itself. */
export interface OtherChanges<Data, FlashData> {
  /**
   * Brings the session up to date. Returns the one to commit, which a handler may have loaded anew.
   *
   * @throws If that cannot be committed.
   */
  apply(): Session<Data, FlashData>;
  /** The `Set-Cookie` header of the handler's own saves, some of which may still run; `""` if there is none. */
  setCookie(): Awaitable<string>;
}

/** A request, as the lifecycle reads it. */
export function infoOf(
  { method = "GET", headers }: NodeRequestLike,
): RequestInfo {
  return {
    method,
    headers: {
      get(name) {
        const key = name.toLowerCase();
        // HTTP/2 sends the host as a pseudo-header.
        const value = headers[key] ??
          (key === "host" ? headers[":authority"] : undefined);
        return Array.isArray(value) ? value.join("; ") : value ?? null;
      },
    },
  };
}

/** A stream that is piped into a response. */
interface Source {
  unpipe(to: unknown): unknown;
  isPaused?(): boolean;
  pause?(): unknown;
  resume?(): unknown;
}

/**
 * Commits a session once, when the handler first sends something. The handler's calls are queued until the session is
 * saved; to the handler, the response looks sent at once.
 *
 * A queued `write` returns `true`: if it returned `false`, the handler would wait for a `drain` event that a wrapper
 * around the response, such as compression, may keep to itself. So that the queue stays short, streams that are piped
 * into the response are paused until the session is saved.
 *
 * Later middlewares may wrap the methods again, as compression does. Their wrappers are kept.
 *
 * @returns A function to call if the handler threw: only a logout is then committed, with the answer to the error.
 */
export function commitBeforeSending<Data, FlashData>(
  res: NodeResponseLike,
  pending: PendingCommit<Data, FlashData>,
): () => void {
  const { storage, isFailure, unsaved, other } = pending;
  let { session } = pending;
  /** Why the session cannot be committed. */
  let refusal: { readonly error: unknown } | undefined;
  const apply = () => {
    refusal = undefined;
    try {
      if (other) session = other.apply();
    } catch (error) {
      refusal = { error };
    }
  };
  let phase: "open" | "completing" | "saving" | "sent" | "abandoned" = "open";
  let threw = false;
  const fail = () => {
    threw = true;
    apply();
    if (!session.destroyed) close(session);
  };
  if (isGone(res)) {
    leave();
    return fail;
  }
  // The cookie cannot be sent any more.
  if (res.headersSent || res.writableEnded) {
    close(session);
    return fail;
  }
  const calls: Call[] = [];
  const inner = methodsOf(res);
  for (const name of Object.keys(inner) as Call["name"][]) {
    (res as unknown as Methods)[name] = (...args) => receive({ name, args });
  }
  const sources = new Set<Source>();
  const paused = new Set<Source>();
  res.on("pipe", (source) => sources.add(source));
  res.on("unpipe", (source) => {
    sources.delete(source);
    paused.delete(source);
  });
  res.on("close", () => {
    if (phase === "open") leave();
  });
  return fail;

  /** The visitor has left, and cannot get the cookie. So changes are dropped, but a logout is saved. */
  function leave(): void {
    phase = "sent";
    let reported = false;
    const drop = () => {
      if (!reported && storage instanceof BoundStorage) {
        storage.reportLate(session);
      }
      reported = true;
    };
    apply();
    const state = stateOf(session);
    if (state?.closed) return;
    if (session.destroyed) endRecord();
    else if (session.dirty) drop();
    state?.abandon(() => session.destroyed ? endRecord() : drop());
  }

  /** Saves a logout whose cookie cannot be sent. */
  function endRecord(): void {
    const ended = (async () => await commitOnce(storage, session))();
    ended.catch(unsaved).catch(disconnect);
  }

  function disconnect(): void {
    res.destroy();
  }

  function receive(call: Call): unknown {
    if (phase === "open" && call.name !== "flush") return receiveFirst(call);
    if (phase === "open" || phase === "sent") {
      return inner[call.name]!(...call.args);
    }
    if (phase === "completing" && call.name === "writeHead") {
      moveHeaders(res, call);
      setStatus(res, Number(call.args[0]), textOf(res));
    } else if (phase !== "abandoned") {
      if (call.name === "writeHead") throwHeadersSent();
      checkBody(call);
      // Calls after `end` are ignored. Node does so too, and reports an error.
      if (!includesCall(calls, "end")) calls.push(call);
      if (call.name === "write") pauseSources();
    }
    return call.name === "write" ? phase !== "abandoned" : res;
  }

  function receiveFirst(call: Call): unknown {
    if (isGone(res)) {
      leave();
      return receive(call);
    }
    apply();
    const state = stateOf(session);
    if (res.headersSent || res.writableEnded) {
      phase = "sent";
      if (session.destroyed && !state?.closed) endRecord();
      else if (!state?.closed) closeWithoutCookie(session);
      return receive(call);
    }
    checkBody(call);
    if (call.name === "writeHead") moveHeaders(res, call);
    else completeHeaders();
    const status = checkHead(res, call);
    const isFailed = threw || isFailure(status);
    const isUnused = state && !state.stored && !session.dirty;
    const isDropped = state?.closed || isFailed && !session.destroyed;
    const earlier = other?.setCookie() ?? "";
    calls.push(call);
    if ((isDropped || isUnused && !refusal) && !earlier) {
      close(session);
      return send();
    }
    phase = "saving";
    const setCookie = isDropped ? drop(earlier) : commit(earlier);
    if (!isThenable(setCookie)) {
      // Nothing can happen in between, so the response need not look sent.
      if (setCookie) addSetCookie(res, setCookie);
      return send();
    }
    if (call.name === "write") pauseSources();
    save(setCookie, isFailed).catch(disconnect);
    return call.name === "write" ? true : res;
  }

  function commit(earlier: Awaitable<string>): Awaitable<string> {
    try {
      if (refusal) throw refusal.error;
      if (!earlier) return commitOnce(storage, session);
      close(session);
      return after(
        earlier,
        (cookie) =>
          after(
            commitOnce(storage, session),
            (setCookie) => setCookie || cookie,
          ),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Drops the changes. What the handler has saved itself stays, and so does its cookie. */
  function drop(earlier: Awaitable<string>): Awaitable<string> {
    close(session);
    return earlier;
  }

  /** Pauses piped streams at a queued part, and not when they are piped: Node would resume them at once. */
  function pauseSources(): void {
    for (const source of sources) {
      if (source.isPaused?.() !== false) continue;
      source.pause?.();
      paused.add(source);
    }
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

  async function save(
    committed: Promise<string>,
    isFailed: boolean,
  ): Promise<void> {
    const { statusCode } = res;
    const text = textOf(res);
    const reopen = pretendSent(res, calls);
    let setCookie = "";
    try {
      setCookie = await committed;
    } catch (error) {
      // The answer to the handler's own failure is sent all the same. The storage has reported this one.
      if (!isFailed) {
        reopen();
        phase = "abandoned";
        for (const source of sources) source.unpipe(res);
        abandon(res, calls, error, inner);
        const earlier = other?.setCookie() ?? "";
        // Without a pause, if there is nothing to wait for: the handler may write again.
        const setCookie = isThenable(earlier) ? await earlier : earlier;
        if (setCookie) addSetCookie(res, setCookie);
        return unsaved(error);
      }
    }
    reopen();
    setStatus(res, statusCode, text);
    if (setCookie) addSetCookie(res, setCookie);
    send();
    for (const source of paused) source.resume?.();
  }

  function send(): unknown {
    phase = "sent";
    // The wrappers around `writeHead` have already run; Node would call them again.
    const { writeHead } = res;
    res.writeHead = inner.writeHead;
    try {
      return calls.map(({ name, args }) => inner[name]!(...args)).at(-1);
    } finally {
      res.writeHead = writeHead;
    }
  }
}

type Method = (...args: unknown[]) => unknown;
type Methods = Record<typeof SENDING[number], Method> & { flush?: Method };

function isGone({ destroyed, stream }: NodeResponseLike): boolean {
  return destroyed || stream?.destroyed || false;
}

/** The current methods that send the response. */
function methodsOf(res: NodeResponseLike): Methods {
  const { writeHead, write, end, flushHeaders } = res;
  const methods: Methods = {
    writeHead: writeHead.bind(res),
    write: write.bind(res),
    end: end.bind(res),
    flushHeaders: flushHeaders.bind(res),
  };
  // Compression adds a method that sends what it has compressed so far.
  const { flush } = res as { flush?: Method };
  if (flush && Object.hasOwn(res, "flush")) methods.flush = flush.bind(res);
  return methods;
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
    finished: { get: () => includesCall(calls, "end") },
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
  const cacheControl = [res.getHeader("Cache-Control") ?? []].flat().join(", ");
  res.setHeader("Cache-Control", privateCacheControl(cacheControl));
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

/** Whether a header describes a response, so that another response that replaces it must not keep it. */
export function describesResponse(name: string): boolean {
  return OF_RESPONSE.test(name.toLowerCase());
}

/** Resets the status and removes the headers that describe a response, before another one is sent. */
export function clearAnswer(res: NodeResponseLike): void {
  for (const name of res.getHeaderNames()) {
    if (describesResponse(name)) res.removeHeader(name);
  }
  setStatus(res, 200);
}

/** Sends the default answer if the session could not be read or saved, or the request is refused. */
export function serviceUnavailable(
  res: NodeResponseLike,
  error: SessionError,
): void {
  const { status, text, headers } = defaultAnswer(error);
  res.statusCode = status;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  for (const [name, value] of Object.entries(headers)) {
    res.setHeader(name, value);
  }
  res.end(text);
}
