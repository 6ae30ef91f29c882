/**
 * What happens to a session in one request, the same in every framework: it is read, the handlers run, it is committed
 * once, its cookie is sent, and later changes throw.
 *
 * @module
 */
import { after, type Awaitable, isThenable } from "../../core/awaitable.ts";
import { type Cookie, isCookie } from "../../core/cookie.ts";
import { SessionError } from "../../core/errors.ts";
import { checkOptions, type OptionNames, typeOf } from "../../core/options.ts";
import { isSession, type Session, stateOf } from "../../core/session.ts";
import { bind } from "../../storage/sessions/bind.ts";
import { BoundStorage } from "../../storage/sessions/bound_storage.ts";
import type { SessionHeaders, SessionValues } from "../../storage/contract.ts";
import {
  checkCrossOrigin,
  type CrossOrigin,
  mustBeAllowed,
  type OriginRequestLike,
} from "./cross_origin.ts";
import type { Nesting } from "./nested.ts";

/** The session type of a storage. */
export type SessionOf<Storage> = Storage extends
  SessionHeaders<infer Data, infer FlashData> ? Session<Data, FlashData>
  : Storage extends SessionValues<infer Data, infer FlashData>
    ? Session<Data, FlashData>
  : never;

/**
 * The arguments of a middleware: a storage, or a cookie and a storage; then a handler, if it wraps one; then options.
 */
export type MountArguments<
  Data,
  FlashData,
  Options,
  Handler extends unknown[] = [],
> =
  | [
    storage: SessionHeaders<Data, FlashData>,
    ...handler: Handler,
    options?: Options | undefined,
  ]
  | [
    cookie: Cookie,
    storage: SessionValues<Data, FlashData>,
    ...handler: Handler,
    options?: Options | undefined,
  ];

/** A storage that is bound to a cookie, and the options of the middleware that uses it. */
export interface Mounted<Data, FlashData, Options> {
  readonly storage: SessionHeaders<Data, FlashData>;
  readonly options: Partial<Options>;
}

/**
 * Checks the arguments of a middleware.
 *
 * @param known The names of its options.
 * @throws {TypeError} If the storage is not a session storage, its cookie cannot be used, or an option is unknown.
 */
export function mount<Data, FlashData, Options extends object>(
  args: MountArguments<Data, FlashData, Options>,
  known: OptionNames<Options>,
): Mounted<Data, FlashData, Options> {
  const [storage, options = {}] = bound(args);
  checkMiddlewareOptions("mount session", options, known);
  return { storage, options };
}

/**
 * Checks the arguments of a wrapper around a handler.
 *
 * @param known The names of its options.
 * @throws {TypeError} As {@linkcode mount}, or if the handler is not a function.
 */
export function mountHandler<Data, FlashData, Handler, Options extends object>(
  args: MountArguments<Data, FlashData, Options, [handler: Handler]>,
  known: OptionNames<Options>,
): Mounted<Data, FlashData, Options> & { readonly handler: Handler } {
  const [storage, handler, options = {}] = bound(args);
  checkMiddlewareOptions("wrap handler", options, known);
  if (typeof handler !== "function") {
    throw new TypeError(
      `Cannot wrap handler: handler must be a function, received ${typeof handler}`,
    );
  }
  return { storage, handler, options };
}

function checkMiddlewareOptions(
  attempt: string,
  options: object,
  known: Readonly<Record<string, true>>,
): void {
  checkOptions(attempt, options, known);
  const { isFailure, crossOrigin } = options as Record<string, unknown>;
  checkCrossOrigin(attempt, crossOrigin);
  if (isFailure === undefined || typeof isFailure === "function") return;
  throw new TypeError(
    `Cannot ${attempt}: isFailure must be a function, received ${
      typeOf(isFailure)
    }; write (status) => status >= 500`,
  );
}

/** Binds the storage to the cookie before it, if there is one. */
function bound<
  Data,
  FlashData,
  Options,
  Handler extends unknown[],
>(
  [first, ...others]: MountArguments<Data, FlashData, Options, Handler>,
): [
  SessionHeaders<Data, FlashData>,
  ...handler: Handler,
  options?: Options | undefined,
] {
  type Rest = [...Handler, Options?];
  if (!isCookie(first)) return [usable(first), ...others as Rest];
  const [storage, ...rest] = others as [
    SessionValues<Data, FlashData>,
    ...Rest,
  ];
  if (hasMethods(storage, "read", "save")) {
    return [bind(storage, first), ...rest];
  }
  throw new TypeError(
    "Cannot bind cookie: the storage after it must have read() and save(); pass such a storage, or leave the cookie out",
  );
}

/** @throws {TypeError} If the storage cannot be used with its own cookie. */
function usable<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
): SessionHeaders<Data, FlashData> {
  if (hasMethods(storage, "getSession", "commitSession")) {
    if (storage instanceof BoundStorage) storage.mustBeUsable();
    return storage;
  }
  throw new TypeError(
    hasMethods(storage, "read", "save")
      ? "Cannot use storage: it has only read() and save(), and no cookie; pass a cookie before it: session(cookie, storage)"
      : "Cannot use storage: it is not a session storage; create one, with createMemorySessionStorage() for example",
  );
}

function hasMethods(value: unknown, ...names: string[]): boolean {
  const object = Object(value);
  return names.every((name) => typeof object[name] === "function");
}

/**
 * Refuses to replace the session of another middleware: the handlers could no longer reach that one.
 *
 * @param found The current value.
 * @param holder What holds it, for the error's message: `req.session`.
 * @param option The option that moves a session elsewhere.
 * @throws {TypeError} If the value is a session.
 */
export function mustBeFree(
  found: unknown,
  holder: string,
  option = "key",
): void {
  if (!isSession(found)) return;
  throw new TypeError(
    `Cannot mount session: ${holder} already holds a session; mount the middleware once, or pass another { ${option} }`,
  );
}

/**
 * Refuses what a handler has put in the place of the middleware's session: it would not be saved.
 *
 * @param found The current value.
 * @param holder What holds it, for the error's message.
 * @throws {TypeError} If the value is not the session.
 */
export function mustBeKept(
  found: unknown,
  session: unknown,
  holder: string,
): void {
  if (found === session) return;
  throw new TypeError(
    `Cannot save session: a handler has replaced the session in ${holder}; change that session instead: remove its values with clear(), call restart() for a login, or destroy() for a logout`,
  );
}

/** The part of a request that the lifecycle uses: a `Request`, for example. */
export type RequestInfo = OriginRequestLike;

/** Adds the cookie to an answer. An empty `Set-Cookie` adds nothing. */
export type Carrier<Answer> = (setCookie: string) => Answer;

/** One request, as a framework presents it to the lifecycle. `Answer` is the framework's response. */
export interface Exchange<Data, FlashData, Answer> {
  readonly request: RequestInfo;
  /** Whether a status means that the request failed. @default {500 and above} */
  readonly isFailure?: ((status: number) => boolean) | undefined;
  /** Which requests are refused. @default {none} */
  readonly crossOrigin?: CrossOrigin | undefined;
  /**
   * Lets requests that a handler makes to the application share this session: `nested("same-cookie")`. Such a request
   * does not read or commit: the browser's request does. It costs time on old versions of Node.
   */
  readonly nesting?: Nesting | undefined;
  /** Runs the handlers after the middleware. */
  handle(session: Session<Data, FlashData>): Answer | Promise<Answer>;
  /** The answer, if a handler threw one; `undefined` if it threw an error. */
  thrown?(error: unknown): Answer | undefined;
  /** The status of an answer; `undefined` if there is none. */
  statusOf(answer: Answer): number | undefined;
  /** Whether the framework made this answer from an error that is not one of its HTTP errors. */
  failed?(answer: Answer): boolean;
  /** The status that the framework answers to one of its HTTP errors, which it catches outside the middleware. */
  errorStatus?(error: unknown): number | undefined;
  /**
   * Prepares the framework's answer to an error for a cookie; `undefined` if it cannot carry one. The carrier returns
   * the error to throw.
   */
  errorCarrier?(error: unknown): Carrier<unknown> | undefined;
  /** Prepares an answer for a cookie; `undefined` if it cannot carry one. */
  carrier(answer: Answer): Carrier<Answer> | undefined;
  /** Releases an answer that will not be sent. */
  discard(answer: Answer): void;
  /** Makes the answer if the session could not be read or saved, or the request is refused. */
  unavailable(error: SessionError): Answer | Promise<Answer>;
}

/** The default answer to an error for `onUnavailable`. */
export interface DefaultAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What to answer to an error for `onUnavailable`, by default. */
export function defaultAnswer({ code }: SessionError): DefaultAnswer {
  const headers = { "Cache-Control": "no-store" };
  return code === "cross-origin"
    ? { status: 403, text: "Forbidden", headers }
    : {
      status: 503,
      text: "Service Unavailable",
      headers: { ...headers, "Retry-After": "5" },
    };
}

/** Whether a request failed, if the middleware was not told otherwise. */
export function isServerError(status: number): boolean {
  return status >= 500;
}

/**
 * Reads the session, runs the handlers, commits the session, and adds its cookie to the answer.
 *
 * A failed request commits nothing but a logout: a handler threw an error, or the answer's status means failure.
 *
 * @returns The answer, with the cookie if there is one to send.
 * @throws {SessionError} If the session cannot be saved because of its values (`unserializable`, `too-large`), or it
 * was changed and the answer cannot carry its cookie (`late-change`). Nothing is committed then, but a logout.
 */
export async function exchange<Data, FlashData, Answer>(
  storage: SessionHeaders<Data, FlashData>,
  exchange: Exchange<Data, FlashData, Answer>,
): Promise<Answer> {
  const { request, isFailure = isServerError, nesting, crossOrigin } = exchange;
  const outer = nesting?.outer(storage, request);
  if (outer) return await answerNested(exchange, outer);
  let session: Session<Data, FlashData>;
  try {
    const opened = openSession(storage, request, crossOrigin);
    session = isThenable(opened) ? await opened : opened;
  } catch (error) {
    return await exchange.unavailable(unavailableError(error));
  }
  let answer: Answer;
  try {
    const handled = nesting
      ? nesting.share(
        storage,
        request,
        session,
        (session) => exchange.handle(session),
      )
      : exchange.handle(session);
    answer = isThenable(handled) ? await handled : handled;
  } catch (error) {
    const thrown = exchange.thrown?.(error);
    if (thrown === undefined) {
      return await commitError(storage, exchange, session, error);
    }
    answer = thrown;
  }
  const status = exchange.statusOf(answer);
  const failed = status !== undefined && isFailure(status) ||
    exchange.failed?.(answer) === true;
  if (failed && !session.destroyed) {
    close(session);
    return answer;
  }
  // What changes from here on is late. So the values that the handler holds need not be compared again.
  close(session);
  let carrier: Carrier<Answer> | undefined;
  let setCookie: string;
  try {
    if (session.dirty && !session.destroyed) {
      // Before the commit: if the commit replaced the id and no cookie could be sent, the visitor would be logged out.
      carrier = exchange.carrier(answer);
      if (!carrier) closeWithoutCookie(session);
    }
    const committed = commitOnce(storage, session);
    setCookie = isThenable(committed) ? await committed : committed;
  } catch (error) {
    // The storage has reported its failure. The handler's own failure is the answer.
    if (failed) return answer;
    exchange.discard(answer);
    return await exchange.unavailable(unavailableError(error));
  }
  if (!setCookie) return carrier ? carrier("") : answer;
  carrier ??= exchange.carrier(answer);
  if (carrier) return carrier(setCookie);
  if (failed) return answer;
  throw cookieless();
}

/** Runs the handlers of a nested request. The browser's request commits what they change, even if this one fails. */
async function answerNested<Data, FlashData, Answer>(
  exchange: Exchange<Data, FlashData, Answer>,
  session: Session<Data, FlashData>,
): Promise<Answer> {
  try {
    return await exchange.handle(session);
  } catch (error) {
    const thrown = exchange.thrown?.(error);
    if (thrown === undefined) throw error;
    return thrown;
  }
}

/** Commits after a handler threw an error that is not an answer, as far as {@linkcode exchange} says. */
async function commitError<Data, FlashData, Answer>(
  storage: SessionHeaders<Data, FlashData>,
  exchange: Exchange<Data, FlashData, Answer>,
  session: Session<Data, FlashData>,
  error: unknown,
): Promise<Answer> {
  const { isFailure = isServerError } = exchange;
  const status = exchange.errorStatus?.(error);
  const failed = status === undefined || isFailure(status);
  const carrier = exchange.errorCarrier?.(error);
  if (!session.destroyed && (failed || !carrier)) {
    close(session);
    throw error;
  }
  let setCookie: string;
  try {
    setCookie = await commitOnce(storage, session);
  } catch (cause) {
    if (failed) throw error;
    return await exchange.unavailable(unavailableError(cause));
  }
  throw setCookie && carrier ? carrier(setCookie) : error;
}

/** The header of a request that a browser makes for a page that it may never show. */
const SPECULATIVE = /\b(?:prefetch|prerender)\b/i;

/**
 * Reads the session of a request. A HEAD request does not consume flashes, and a speculative request does not see them:
 * its page may be shown later, or never.
 *
 * @throws {SessionError} If the engine fails (`store-failed`), or the request is refused (`cross-origin`).
 */
export function openSession<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
  request: RequestInfo,
  crossOrigin?: CrossOrigin,
): Awaitable<Session<Data, FlashData>> {
  mustBeAllowed(request, crossOrigin);
  const { method, headers } = request;
  const header = headers.get("Cookie");
  const opened = storage instanceof BoundStorage && storage.isOriginal
    ? storage.open(header)
    : Promise.resolve(storage.getSession(header));
  return after(opened, (session) => {
    const state = stateOf(session);
    if (state?.stored) {
      const purpose = headers.get("Sec-Purpose");
      if (purpose !== null && SPECULATIVE.test(purpose)) state.hideFlashes();
      else if (method === "HEAD") state.keepFlashes();
    }
    return session;
  });
}

/**
 * Closes a session to further changes, and commits it.
 *
 * @returns The `Set-Cookie` header, or `""` if there is nothing to send.
 */
export function commitOnce<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
  session: Session<Data, FlashData>,
): Awaitable<string> {
  // Before the save: a change made while it runs would be lost silently.
  close(session);
  return storage instanceof BoundStorage && storage.isOriginal
    ? storage.commit(session, { renew: false })
    : Promise.resolve(storage.commitSession(session, { renew: false }));
}

/** Closes a session to further changes, because nothing will save them. */
export function close(session: unknown): void {
  stateOf(session)?.close();
}

/**
 * Closes a session whose cookie can no longer be sent.
 *
 * @throws {SessionError} If it was changed: `late-change`.
 */
export function closeWithoutCookie<Data, FlashData>(
  session: Session<Data, FlashData>,
): void {
  const { dirty } = session;
  close(session);
  if (dirty) throw cookieless();
}

function cookieless(): SessionError {
  return new SessionError(
    "late-change",
    "Cannot save session: its response cannot carry the cookie; return a new Response, or send the Set-Cookie header of storage.commitSession(session) yourself",
  );
}

/**
 * The error to answer with `onUnavailable`: the engine failed, other requests kept changing the session, or the request
 * is refused.
 *
 * @throws Any other error, because the application caused it.
 */
export function unavailableError(error: unknown): SessionError {
  if (
    error instanceof SessionError &&
    ["store-failed", "conflict", "cross-origin"].includes(error.code)
  ) return error;
  throw error;
}
