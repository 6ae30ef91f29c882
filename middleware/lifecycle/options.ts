/**
 * The options that the middlewares have in common.
 *
 * @module
 */
import type { SessionError } from "../../core/errors.ts";
import type { OptionNames } from "../../core/options.ts";
import type { CrossOriginOptions } from "./cross_origin.ts";

/**
 * Options of every middleware.
 *
 * @typeParam Args What `onUnavailable` receives after the error: what the framework gives a handler.
 * @typeParam Answer What `onUnavailable` returns: an answer, or anything where it sends the answer itself.
 */
export interface MiddlewareOptions<Args extends unknown[], Answer>
  extends CrossOriginOptions {
  /** Whether an answer of this status means that the request failed, so that only a logout is committed. @default {500 and above} */
  isFailure?: ((status: number) => boolean) | undefined;
  /**
   * Answers if the session could not be read or saved: the engine failed (`store-failed`), or other requests kept
   * changing the session (`conflict`). Also if `crossOrigin` refuses the request (`cross-origin`). No cookie is set or
   * cleared then.
   *
   * @default {503 Service Unavailable, or 403 Forbidden for `cross-origin`}
   */
  onUnavailable?:
    // A method's, so that it may name the framework's own types, of which the entries know the parts that they use.
    | { answer(error: SessionError, ...args: Args): Answer }["answer"]
    | undefined;
}

/** Options of a middleware that puts the session where the framework keeps values of a request. */
export interface KeyOptions<Args extends unknown[], Answer>
  extends MiddlewareOptions<Args, Answer> {
  /** The name under which the session is there. Each session of a request needs its own. @default {"session"} */
  key?: string | undefined;
}

/** Options of a middleware whose framework has libraries that were written for sessions with properties. */
export interface PropertiesOptions<Args extends unknown[], Answer>
  extends KeyOptions<Args, Answer> {
  /**
   * Whether the session that handlers receive is an object with properties and callbacks, as in express-session,
   * @fastify/session and koa-session, for what was written for it: Passport, connect-flash, csrf-sync.
   *
   * @default {false}
   */
  properties?: boolean | undefined;
}

/** The names of {@linkcode MiddlewareOptions}. */
export const MIDDLEWARE_OPTIONS: OptionNames<MiddlewareOptions<[], unknown>> = {
  crossOrigin: true,
  isFailure: true,
  onUnavailable: true,
};

/** The names of {@linkcode KeyOptions}. */
export const KEY_OPTIONS: OptionNames<KeyOptions<[], unknown>> = {
  crossOrigin: true,
  isFailure: true,
  onUnavailable: true,
  key: true,
};

/** The names of {@linkcode PropertiesOptions}. No spread: a bundler would keep it where it is not used. */
export const PROPERTIES_OPTIONS: OptionNames<PropertiesOptions<[], unknown>> = {
  crossOrigin: true,
  isFailure: true,
  onUnavailable: true,
  key: true,
  properties: true,
};
