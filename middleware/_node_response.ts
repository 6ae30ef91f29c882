/**
 * Node's responses: their headers leave when a handler writes, so the session is committed just before.
 *
 * @module
 */
import { type Session, stateOf } from "../core/session.ts";
import type { HttpSessionStorage } from "../storage/contract.ts";
import { close, commitOnce, refuse } from "./_lifecycle.ts";
import { variesByCookie } from "./_response.ts";

/** What is used of a request of `node:http`. */
export interface NodeRequestLike {
  /** The headers, by their lower-case names. */
  readonly headers: { readonly cookie?: string | undefined };
}

/** What is used of a response of `node:http`. */
export interface NodeResponseLike {
  /** The status. */
  statusCode: number;
  /** Its text. */
  statusMessage: string;
  /** Whether the headers have left. */
  readonly headersSent: boolean;
  /** Whether `end` was called. */
  readonly writableEnded: boolean;
  /** Whether the connection has gone. */
  readonly destroyed: boolean;
  /** Gives a header. */
  getHeader(name: string): number | string | string[] | undefined;
  /** The names of all headers. */
  getHeaderNames(): string[];
  /** Sets a header. */
  setHeader(name: string, value: number | string | readonly string[]): unknown;
  /** Removes a header. */
  removeHeader(name: string): void;
  /** Sends the headers. */
  // deno-lint-ignore no-explicit-any -- of many forms, all of which are handed on
  writeHead(...args: any[]): unknown;
  /** Sends a part of the body. */
  // deno-lint-ignore no-explicit-any -- as above
  write(...args: any[]): boolean;
  /** Sends the last part. */
  // deno-lint-ignore no-explicit-any -- as above
  end(...args: any[]): unknown;
  /** Sends the headers. */
  flushHeaders(): void;
  /** Cuts the connection. */
  destroy(): unknown;
  /** Adds a listener. */
  // deno-lint-ignore no-explicit-any -- each event has its own arguments
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** Tells listeners. */
  emit(event: string): boolean;
}

/** One call that a handler made while its session was being saved. */
interface Call {
  readonly name: "writeHead" | "write" | "end" | "flushHeaders";
  readonly args: unknown[];
}

const SENDING = ["writeHead", "write", "end", "flushHeaders"] as const;
const CHANGING = ["setHeader", "setHeaders", "appendHeader", "removeHeader"];

/** What belongs to an answer that is not sent after all. */
const OF_ANSWER =
  /^(content-.*|transfer-encoding|set-cookie|location|etag|last-modified|expires|cache-control)$/;

/** What to do with a response whose session is in its care. */
export interface Held<Data, FlashData> {
  readonly storage: HttpSessionStorage<Data, FlashData>;
  readonly session: Session<Data, FlashData>;
  /** Whether a status is what the framework made of an error, so that nothing is committed. */
  failed?(status: number): boolean;
  /** Answers where the session could not be saved; the response is as new. */
  unsaved(error: unknown): void;
}

/**
 * Commits a session once, when its handler first sends something: the calls wait until the session is saved, and are
 * then made. To the handler the response looks sent at once.
 *
 * What other middlewares wrap around the response, before or after, stays where it is.
 *
 * @throws {SessionError} From the call that sends, if the session was changed and the headers have left already:
 * `late-change`.
 */
export function hold<Data, FlashData>(
  res: NodeResponseLike,
  { storage, session, failed, unsaved }: Held<Data, FlashData>,
): void {
  let phase: "open" | "announced" | "saving" | "sent" | "abandoned" = "open";
  const calls: Call[] = [];
  const inner = methodsOf(res);
  override(res, values((name) => (...args) => send({ name, args })));
  const sources = new Set<{ unpipe(to: unknown): unknown }>();
  res.on("pipe", (source) => sources.add(source));
  res.on("close", () => {
    if (phase !== "open") return;
    // The visitor has gone: nobody would get a cookie. A logout needs none, and holds; onEvent hears where it cannot.
    if (session.destroyed) commitOnce(storage, session).catch(() => {});
    else close(session);
  });

  function send(call: Call): unknown {
    switch (phase) {
      case "open":
        return first(call);
      case "announced":
        return taken(call);
      case "saving":
        return later(call);
      case "sent":
        return inner[call.name](...call.args);
      case "abandoned":
        return taken(call);
    }
  }

  function first(call: Call): unknown {
    const status = call.name === "writeHead"
      ? Number(call.args[0])
      : res.statusCode;
    if (!isValid(res, status, call)) return refused(call);
    const state = stateOf(session);
    const idle = state && !state.origin && !session.dirty;
    if (state?.closed || idle || failed?.(status) || res.destroyed) {
      phase = "sent";
      close(session);
      return inner[call.name](...call.args);
    }
    if (res.headersSent || res.writableEnded) {
      phase = "sent";
      refuse(session);
      return inner[call.name](...call.args);
    }
    if (call.name === "writeHead") takeHeaders(res, call);
    else announce(status);
    phase = "saving";
    calls.push(call);
    void save();
    return taken(call);
  }

  /** What Node throws on: the handler may then send something else. */
  function refused(call: Call): unknown {
    phase = "sent";
    try {
      return inner[call.name](...call.args);
    } finally {
      if (res.headersSent) close(session);
      else phase = "open";
    }
  }

  /** Lets others set their headers, as Node does when a body begins; it calls `writeHead` once more when they leave. */
  function announce(status: number): void {
    phase = "announced";
    try {
      res.writeHead(status);
    } finally {
      phase = "open";
    }
  }

  function later(call: Call): unknown {
    if (call.name === "writeHead") tooLate();
    // What Node does after the end, save that it tells the callback and everybody else, too.
    if (!calls.some(({ name }) => name === "end")) calls.push(call);
    return taken(call);
  }

  /** What a call gives whose time has not come, or never will. */
  function taken({ name }: Call): unknown {
    return name === "write" ? false : res;
  }

  async function save(): Promise<void> {
    const status = statusOf(res);
    const release = lookSent(res, calls);
    let setCookie: string;
    try {
      setCookie = await commitOnce(storage, session);
    } catch (error) {
      release();
      phase = "abandoned";
      for (const source of sources) source.unpipe(res);
      // Past whatever has wrapped the response for the answer that is not sent: compression, say.
      override(res, values((name) => inner[name]));
      abandon(res, calls, error);
      unsaved(error);
      return;
    }
    release();
    phase = "sent";
    Object.assign(res, status);
    try {
      if (setCookie) addSetCookie(res, setCookie);
      for (const { name, args } of calls) inner[name](...args);
      if (!res.writableEnded) res.emit("drain");
    } catch {
      // A later part of the body that Node refuses, after the handler was told that it was taken.
      res.destroy();
    }
  }
}

type Method = (...args: unknown[]) => unknown;

/** The methods by which a response is sent, as they are now. */
function methodsOf(res: NodeResponseLike): Record<Call["name"], Method> {
  const methods = SENDING.map((name) => [name, res[name].bind(res)]);
  return Object.fromEntries(methods);
}

/** A property for each of these methods. */
function values(method: (name: Call["name"]) => Method): PropertyDescriptorMap {
  return Object.fromEntries(
    SENDING.map((name) => [name, { value: method(name) }]),
  );
}

/** The status, and its text where one was set: to ask HTTP/2 for it is a warning. */
function statusOf(res: NodeResponseLike): Partial<NodeResponseLike> {
  const { statusCode } = res;
  return Object.hasOwn(res, "statusMessage")
    ? { statusCode, statusMessage: res.statusMessage }
    : { statusCode };
}

/** Replaces properties of an object; gives what puts the old ones back. */
function override(
  target: object,
  properties: PropertyDescriptorMap,
): () => void {
  const before = Object.keys(properties).map((name) =>
    [name, Object.getOwnPropertyDescriptor(target, name)] as const
  );
  for (const [name, property] of Object.entries(properties)) {
    Object.defineProperty(target, name, {
      ...property,
      configurable: true,
      ...("value" in property && { writable: true }),
    });
  }
  return () => {
    for (const [name, property] of before) {
      if (property) Object.defineProperty(target, name, property);
      else delete (target as Record<string, unknown>)[name];
    }
  };
}

function tooLate(): never {
  throw Object.assign(
    new Error("Cannot change headers after they are sent to the client"),
    { code: "ERR_HTTP_HEADERS_SENT" },
  );
}

/** Refuses what a handler could not do to a response that has left. */
function lookSent(res: NodeResponseLike, calls: readonly Call[]): () => void {
  return override(res, {
    ...Object.fromEntries(CHANGING.map((name) => [name, { value: tooLate }])),
    headersSent: { get: () => true },
    // Node's own sign of it, which express-session looks for.
    ...("_header" in res && { _header: { get: () => "sent" } }),
    writableEnded: { get: () => calls.some(({ name }) => name === "end") },
  });
}

/** What Node sends beside the status. */
const STATUS_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const ENCODING =
  /^(utf-?8|ucs-?2|utf-?16le|latin1|binary|ascii|hex|base64|base64url|buffer)$/i;

/** Whether Node will take a call; if not, it throws, and the handler should hear of it before anything is saved. */
function isValid(
  res: NodeResponseLike,
  status: number,
  { name, args: [chunk, encoding] }: Call,
): boolean {
  if (!(Number.isInteger(status) && status >= 100 && status <= 999)) {
    return false;
  }
  const { statusMessage } = statusOf(res);
  if (statusMessage && !STATUS_TEXT.test(statusMessage)) return false;
  if (name === "writeHead" || name === "flushHeaders") return true;
  if (typeof chunk === "string") {
    return typeof encoding !== "string" || ENCODING.test(encoding);
  }
  return chunk instanceof Uint8Array ||
    name === "end" &&
      (chunk === undefined || chunk === null || typeof chunk === "function");
}

/** Moves the headers of a call of `writeHead` to the response, where they meet the cookie. */
function takeHeaders(res: NodeResponseLike, { args }: Call): void {
  const headers = args.at(-1);
  if (typeof headers !== "object" || !headers) return;
  args.pop();
  const pairs = !Array.isArray(headers)
    ? Object.entries(headers)
    : Array.isArray(headers[0])
    ? headers
    : headers.flatMap((value, i) => i % 2 ? [] : [[value, headers[i + 1]]]);
  const given = new Map<string, string | string[]>();
  for (const [key, value] of pairs as [string, string | string[]][]) {
    const name = key.toLowerCase();
    const before = given.get(name);
    given.set(
      name,
      before === undefined ? value : [before, value].flat().map(String),
    );
  }
  for (const [name, value] of given) {
    if (value !== undefined) res.setHeader(name, value);
  }
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

/** Takes from a response what belongs to an answer that is not sent after all. */
export function clear(res: NodeResponseLike): void {
  for (const name of res.getHeaderNames()) {
    if (OF_ANSWER.test(name)) res.removeHeader(name);
  }
  res.statusCode = 200;
  if (Object.hasOwn(res, "statusMessage")) res.statusMessage = "";
}

/** Lets go of an answer that nobody will get. */
function abandon(
  res: NodeResponseLike,
  calls: readonly Call[],
  error: unknown,
): void {
  for (const { args } of calls) {
    const callback = args.at(-1);
    if (typeof callback === "function") queueMicrotask(() => callback(error));
  }
  clear(res);
  if (calls.some(({ name }) => name === "end")) return;
  // The handler may go on writing its answer, in the midst of, or after, the one that replaces it.
  const { write, end } = res;
  override(res, {
    write: {
      value: (...args: unknown[]) =>
        res.writableEnded ? false : write.apply(res, args),
    },
    end: {
      value: (...args: unknown[]) =>
        res.writableEnded ? res : end.apply(res, args),
    },
  });
}

/** Answers where the session could not be read or saved. */
export function serviceUnavailable(res: NodeResponseLike): void {
  res.statusCode = 503;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.setHeader("Cache-Control", "no-store");
  res.setHeader("Retry-After", "5");
  res.end("Service Unavailable");
}
