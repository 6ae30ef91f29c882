/**
 * Requests that a handler makes to its own application, such as `event.fetch` of SvelteKit, share the session of the
 * browser's request.
 *
 * They cannot commit by themselves: their cookies would not reach the browser in every framework, and the outer request
 * would save the session again, from what it read before.
 *
 * @module
 */
import { type Awaitable, isThenable } from "../../core/awaitable.ts";
import { cookieValues } from "../../core/cookie.ts";
import { builtin } from "../../core/runtime.ts";
import type { Session } from "../../core/session.ts";
import type { SessionHeaders } from "../../storage/contract.ts";
import { BoundStorage } from "../../storage/sessions/bound_storage.ts";

/**
 * Which nested requests share the session: those with the same session cookie, or also those without any, if the
 * framework does not pass cookies on.
 */
export type Sharing = "same-cookie" | "same-cookie-or-none";

/** How `exchange` shares a session. Entries pass it on, so that the others do not contain this module. */
export interface Nesting {
  /** As {@linkcode outerSession}. */
  outer<Data, FlashData>(
    storage: SessionHeaders<Data, FlashData>,
    request: Requested,
  ): Session<Data, FlashData> | undefined;
  /** As {@linkcode shareSession}. */
  readonly share: typeof shareSession;
}

/** Lets nested requests share the session. */
export function nested(sharing: Sharing): Nesting {
  return {
    outer: (storage, request) => outerSession(storage, request, sharing),
    share: shareSession,
  };
}

/** A request. Two middlewares of one request pass the same object. */
export interface Requested {
  readonly headers: { get(name: string): string | null };
}

/** A session that is open while the handlers of its request run. */
interface Opened {
  readonly storage: object;
  readonly request: Requested;
  /** `undefined` when the handlers have ended: work in the background must not see it. */
  session: unknown;
  /** What an earlier middleware, or the request around this one, has opened. */
  readonly outer: Opened | undefined;
}

/** The part of Node's `AsyncLocalStorage` that is used. */
interface Context {
  run<T>(opened: Opened, use: () => T): T;
  getStore(): Opened | undefined;
}

interface AsyncHooks {
  readonly AsyncLocalStorage: new () => Context;
}

let context: Context | undefined;

/** The context of the running handlers; `undefined` on a runtime that does not have one. */
function contextOf(): Context | undefined {
  if (context) return context;
  const hooks = builtin<AsyncHooks>("node:async_hooks");
  return hooks && (context = new hooks.AsyncLocalStorage());
}

/**
 * The session that the browser's request has opened, if a handler of that request makes this one.
 *
 * @param mayShare Whether a request lets the requests of its handlers share the session.
 * @returns `undefined` for the browser's own request, for one of another visitor, and if the outer one has ended.
 */
export function outerSession<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
  request: Requested,
  sharing: Sharing,
  mayShare: (outer: Requested) => boolean = () => true,
): Session<Data, FlashData> | undefined {
  let opened = contextOf()?.getStore();
  for (; opened; opened = opened.outer) {
    if (opened.storage !== storage || opened.session === undefined) continue;
    if (!mayShare(opened.request)) return undefined;
    // The middleware is mounted twice.
    if (opened.request === request) return undefined;
    const cookie = cookieOf(storage, request);
    const isSame = cookie === cookieOf(storage, opened.request) ||
      cookie === undefined && sharing === "same-cookie-or-none";
    return isSame ? opened.session as Session<Data, FlashData> : undefined;
  }
  return undefined;
}

/** Runs the handlers of a request, so that requests they make share its session. */
export function shareSession<Data, FlashData, Answer>(
  storage: SessionHeaders<Data, FlashData>,
  request: Requested,
  session: Session<Data, FlashData>,
  handle: (session: Session<Data, FlashData>) => Awaitable<Answer>,
): Awaitable<Answer> {
  const context = contextOf();
  if (!context) return handle(session);
  const outer = context.getStore();
  const opened: Opened = { storage, request, session, outer };
  const end = () => opened.session = undefined;
  try {
    const handled = context.run(opened, () => handle(session));
    if (isThenable(handled)) return handled.finally(end);
    end();
    return handled;
  } catch (error) {
    end();
    throw error;
  }
}

/** The value of the session's cookie, or the whole header for a storage whose cookie is not known. */
function cookieOf(
  storage: object,
  { headers }: Requested,
): string | undefined {
  const header = headers.get("Cookie");
  if (header === null) return undefined;
  return storage instanceof BoundStorage
    ? cookieValues(header, storage.cookie.name)[0]
    : header;
}
