/**
 * Node's responses: their headers leave when a handler writes, so the session is committed just before.
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
  type NodeResponseLike,
  setStatus,
  takeHeaders,
  textOf,
  tooLate,
} from "./node_http.ts";
import { variesByCookie } from "./response.ts";

const SENDING = ["writeHead", "write", "end", "flushHeaders"] as const;
const CHANGING = ["setHeader", "setHeaders", "appendHeader", "removeHeader"];

/** What belongs to an answer that is not sent after all. */
const OF_ANSWER =
  /^(content-.*|transfer-encoding|set-cookie|location|etag|last-modified|expires|cache-control)$/;

/** What to do with a response whose session is in its care. */
export interface Held<Data, FlashData> {
  readonly storage: SessionHeaders<Data, FlashData>;
  readonly session: Session<Data, FlashData>;
  /** Whether a status is what the framework made of an error, so that nothing is committed. */
  failed?(status: number): boolean;
  /** Answers where the session could not be saved; the response is as new. */
  unsaved(error: unknown): Promise<void>;
}

/**
 * Commits a session once, when its handler first sends something: the calls wait until the session is saved, and are
 * then made. To the handler the response looks sent at once.
 *
 * What wraps the response's methods later stays in its place, and may call these ones whenever it likes.
 */
export function commitBeforeSending<Data, FlashData>(
  res: NodeResponseLike,
  { storage, session, failed, unsaved }: Held<Data, FlashData>,
): void {
  // No change would reach the visitor.
  if (isGone(res) || res.headersSent || res.writableEnded) {
    close(session);
    return;
  }
  let phase: "open" | "heading" | "saving" | "sent" | "abandoned" = "open";
  const calls: Call[] = [];
  const inner = methodsOf(res);
  for (const name of SENDING) {
    res[name] = (...args: unknown[]): never => take({ name, args }) as never;
  }
  const sources = new Set<{ unpipe(to: unknown): unknown }>();
  res.on("pipe", (source) => sources.add(source));
  res.on("close", () => {
    if (phase === "open") leave();
  });

  /** The visitor has gone: nobody would get a cookie. Who logged out is logged out all the same. */
  function leave(): void {
    const wanted = session.destroyed && !stateOf(session)?.closed;
    close(session);
    if (wanted) commitOnce(storage, session).catch(unsaved).catch(cut);
  }

  function cut(): void {
    res.destroy();
  }

  function take(call: Call): unknown {
    if (phase === "open") return first(call);
    if (phase === "sent") return inner[call.name](...call.args);
    if (phase === "heading" && call.name === "writeHead") {
      takeHeaders(res, call);
      setStatus(res, Number(call.args[0]), textOf(res));
    } else if (phase !== "abandoned") {
      if (call.name === "writeHead") tooLate();
      checkBody(call);
      // What Node does, save that it tells the callback and everybody else, too.
      if (!has(calls, "end")) calls.push(call);
    }
    return call.name === "write" ? false : res;
  }

  function first(call: Call): unknown {
    const state = stateOf(session);
    const gone = isGone(res);
    if (gone || res.headersSent || res.writableEnded) {
      phase = "sent";
      if (gone) leave();
      else if (!state?.closed) closeWithoutCookie(session);
      return take(call);
    }
    checkBody(call);
    if (call.name === "writeHead") takeHeaders(res, call);
    else complete();
    const status = checkHead(res, call);
    calls.push(call);
    const idle = state && !state.stored && !session.dirty;
    if (state?.closed || idle || failed?.(status)) {
      close(session);
      return send();
    }
    phase = "saving";
    save().catch(cut);
    return call.name === "write" ? false : res;
  }

  /** Has what wraps `writeHead` complete the headers, as Node has when it sends them. */
  function complete(): void {
    phase = "heading";
    try {
      res.writeHead(res.statusCode);
    } finally {
      phase = "open";
    }
  }

  async function save(): Promise<void> {
    const { statusCode } = res;
    const text = textOf(res);
    const release = lookSent(res, calls);
    let setCookie: string;
    try {
      setCookie = await commitOnce(storage, session);
    } catch (error) {
      release();
      phase = "abandoned";
      for (const source of sources) source.unpipe(res);
      abandon(res, calls, error, inner);
      return unsaved(error);
    }
    release();
    setStatus(res, statusCode, text);
    if (setCookie) addSetCookie(res, setCookie);
    send();
    if (!res.writableEnded) res.emit("drain");
  }

  function send(): unknown {
    phase = "sent";
    // The headers are complete, and Node would ask for them once more.
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

/** The methods that send a response, as they are now. */
function methodsOf(res: NodeResponseLike): Methods {
  const { writeHead, write, end, flushHeaders } = res;
  return {
    writeHead: writeHead.bind(res),
    write: write.bind(res),
    end: end.bind(res),
    flushHeaders: flushHeaders.bind(res),
  };
}

function has(calls: readonly Call[], wanted: Call["name"]): boolean {
  return calls.some(({ name }) => name === wanted);
}

/** Refuses what cannot be done to a response that has left; gives what puts an end to that. */
function lookSent(res: NodeResponseLike, calls: readonly Call[]): () => void {
  const properties: PropertyDescriptorMap = {
    headersSent: { get: () => true },
    writableEnded: { get: () => has(calls, "end") },
    // What Node writes the headers with, and others too: express-session, where it finds that they have not left.
    _implicitHeader: { value: () => {}, writable: true },
  };
  for (const name of CHANGING) {
    properties[name] = { value: tooLate, writable: true };
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
  // RFC 9111, section 7.3.
  if (!res.getHeader("Cache-Control")) {
    res.setHeader("Cache-Control", "private, no-store");
  }
}

/** Lets go of an answer that nobody will get, and of what was made of the response to write it. */
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
  // Not what wrapped them since: to a compression, say, this response has ended.
  Object.assign(res, inner);
  if (has(calls, "end")) return;
  // The handler may go on writing its answer, in the midst of, or after, the one that replaces it.
  res.write = (...args) =>
    !res.writableEnded && inner.write(...args) as boolean;
  res.end = (...args) => res.writableEnded ? res : inner.end(...args);
}

/** Takes back what was said of an answer that is not sent after all. */
export function clearAnswer(res: NodeResponseLike): void {
  for (const name of res.getHeaderNames()) {
    if (OF_ANSWER.test(name)) res.removeHeader(name);
  }
  setStatus(res, 200);
}

/** Answers where the session could not be read or saved. */
export function serviceUnavailable(res: NodeResponseLike): void {
  res.statusCode = 503;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.setHeader("Cache-Control", "no-store");
  res.setHeader("Retry-After", "5");
  res.end("Service Unavailable");
}
