/**
 * The life of a session within one request, the same under every framework: read, let the handler work, commit once,
 * send the cookie, refuse late changes.
 *
 * @module
 */
import { type Cookie, isCookie } from "../../core/cookie.ts";
import { SessionError } from "../../core/errors.ts";
import { checkOptions, type OptionNames } from "../../core/options.ts";
import { isSession, type Session, stateOf } from "../../core/session.ts";
import { bind } from "../../storage/sessions/bind.ts";
import { BoundStorage } from "../../storage/sessions/bound_storage.ts";
import type { SessionHeaders, SessionValues } from "../../storage/contract.ts";

/** The session that a storage gives. */
export type SessionOf<Storage> = Storage extends
  SessionHeaders<infer Data, infer FlashData> ? Session<Data, FlashData>
  : Storage extends SessionValues<infer Data, infer FlashData>
    ? Session<Data, FlashData>
  : never;

/** A storage that is bound to a cookie, and the options of the middleware that uses it. */
export interface Mounted<Data, FlashData, Options> {
  readonly storage: SessionHeaders<Data, FlashData>;
  readonly options: Options;
}

/**
 * What `session(storage, options)` and `session(cookie, storage, options)` were given.
 *
 * @param known The names of the middleware's options.
 * @throws {TypeError} If there is no storage, its cookie cannot carry its sessions safely, or an option is unknown.
 */
export function mount<Data, FlashData, Options extends object>(
  first: Cookie | SessionHeaders<Data, FlashData>,
  second: SessionValues<Data, FlashData> | Options | undefined,
  third: Options | undefined,
  known: OptionNames<Options>,
): Mounted<Data, FlashData, Partial<Options>> {
  const [storage, options = {}] = isCookie(first)
    ? [boundStorage(second as SessionValues<Data, FlashData>, first), third]
    : [boundStorage(first), second as Options | undefined];
  checkOptions("mount session", options, known);
  return { storage, options };
}

/**
 * A storage bound to a cookie, however it was given.
 *
 * @throws {TypeError} If it is not a session storage, or its cookie cannot carry its sessions safely.
 */
export function boundStorage<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData> | SessionValues<Data, FlashData>,
  cookie?: Cookie,
): SessionHeaders<Data, FlashData> {
  const { getSession, commitSession, read, save } = Object(storage);
  const hasValues = typeof read === "function" && typeof save === "function";
  if (cookie && hasValues) {
    return bind(storage as SessionValues<Data, FlashData>, cookie);
  }
  if (
    !cookie && typeof getSession === "function" &&
    typeof commitSession === "function"
  ) {
    if (storage instanceof BoundStorage) storage.mustBeUsable();
    return storage as SessionHeaders<Data, FlashData>;
  }
  throw new TypeError(
    cookie
      ? "Cannot bind cookie: the storage after it must have read() and save(); pass such a storage, or leave the cookie out"
      : hasValues
      ? "Cannot use storage: it has only read() and save(), and no cookie; pass a cookie before it: session(cookie, storage)"
      : "Cannot use storage: it is not a session storage; create one, with createMemorySessionStorage() for example",
  );
}

/**
 * Refuses to replace the session of another middleware, because the changes to that one would no longer be possible.
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

/** Gives the answer, with the cookie on it unless that is `""`. */
export type Carrier<Answer> = (setCookie: string) => Answer;

/** One request, as a framework shows it to the lifecycle; `Answer` is what stands for its response. */
export interface Exchange<Data, FlashData, Answer> {
  /** The request's `Cookie` header. */
  readonly cookieHeader: string | null | undefined;
  /** Runs what comes after the middleware. */
  handle(session: Session<Data, FlashData>): Answer | Promise<Answer>;
  /** The answer that was thrown; `undefined` for an error. */
  thrown?(error: unknown): Answer | undefined;
  /** Whether the answer is what the framework made of an error. */
  failed?(answer: Answer): boolean;
  /** Readies an answer for a cookie; `undefined` where nothing can put one on it. */
  carrier(answer: Answer): Carrier<Answer> | undefined;
  /** Lets go of an answer that nobody will get. */
  discard(answer: Answer): void;
  /** Answers where the session could not be read or saved. */
  unavailable(error: SessionError): Answer | Promise<Answer>;
}

/**
 * Takes one request through its session's life.
 *
 * @returns The answer, with the cookie where there is one to send.
 * @throws {SessionError} If the session holds what cannot be saved (`unserializable`, `too-large`), or was changed and
 * the answer cannot carry its cookie (`late-change`). Nothing is committed then, nor when the handler throws.
 */
export async function exchange<Data, FlashData, Answer>(
  storage: SessionHeaders<Data, FlashData>,
  request: Exchange<Data, FlashData, Answer>,
): Promise<Answer> {
  let session: Session<Data, FlashData>;
  try {
    session = await storage.getSession(request.cookieHeader ?? null);
  } catch (error) {
    return await request.unavailable(storeError(error));
  }
  let answer: Answer;
  try {
    answer = await request.handle(session);
  } catch (error) {
    const thrown = request.thrown?.(error);
    if (thrown === undefined) {
      close(session);
      throw error;
    }
    answer = thrown;
  }
  if (request.failed?.(answer)) {
    close(session);
    return answer;
  }
  let carrier: Carrier<Answer> | undefined;
  let setCookie: string;
  try {
    if (session.dirty) {
      // First: a commit whose cookie then finds no way out would leave the visitor with an id that is over.
      carrier = request.carrier(answer);
      if (!carrier) refuse(session);
    }
    setCookie = await commitOnce(storage, session);
  } catch (error) {
    request.discard(answer);
    return await request.unavailable(storeError(error));
  }
  if (setCookie) carrier ??= request.carrier(answer);
  return carrier ? carrier(setCookie) : answer;
}

/**
 * Closes a session whose handler has finished to changes, and commits it.
 *
 * @returns The `Set-Cookie` header, or `""` where there is none to send.
 */
export async function commitOnce<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
  session: Session<Data, FlashData>,
): Promise<string> {
  // First, because a change made while the save runs would be in no save, and nobody would hear of it.
  stateOf(session)?.close();
  return await storage.commitSession(session, { renew: false });
}

/** Closes a session to changes: nothing would save them. */
export function close(session: unknown): void {
  stateOf(session)?.close();
}

/**
 * Closes a session whose cookie cannot be sent any more.
 *
 * @throws {SessionError} If it was changed: `late-change`.
 */
export function refuse<Data, FlashData>(
  session: Session<Data, FlashData>,
): void {
  const { dirty } = session;
  close(session);
  if (!dirty) return;
  throw new SessionError(
    "late-change",
    "Cannot save session: its response cannot carry the cookie; return a new Response, or send the Set-Cookie header of storage.commitSession(session) yourself",
  );
}

/** The error, if it is the store's or of too many others; what the application got wrong is thrown on. */
export function storeError(error: unknown): SessionError {
  if (
    error instanceof SessionError &&
    (error.code === "store-failed" || error.code === "conflict")
  ) return error;
  throw error;
}
