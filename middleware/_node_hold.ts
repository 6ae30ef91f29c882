/**
 * Holding back what a handler sends on Node: headers leave with the first byte, so the session is committed just before.
 *
 * @module
 */
import { type Session, stateOf } from "../core/session.ts";
import type { HttpSessionStorage } from "../storage/contract.ts";
import { close, commitOnce, refuse } from "./_lifecycle.ts";
import {
  abandon,
  addSetCookie,
  type Call,
  isValid,
  type NodeResponseLike,
  override,
  SENDING,
  statusOf,
  takeHeaders,
} from "./_node_response.ts";

const CHANGING = ["setHeader", "setHeaders", "appendHeader", "removeHeader"];

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
