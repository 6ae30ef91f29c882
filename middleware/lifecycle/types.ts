/**
 * The types that every middleware entry exports, so that its documentation is complete.
 *
 * @module
 */
export type { CookieAttributes } from "../../core/attributes.ts";
export type {
  Cookie,
  CookieParseOptions,
  CookieSerializeOptions,
} from "../../core/cookie.ts";
export type { SessionError, SessionErrorCode } from "../../core/errors.ts";
export type { Lifetime } from "../../core/lifetime.ts";
export type {
  FlashSessionData,
  Session,
  SessionData,
  SessionEntry,
  SessionKey,
} from "../../core/session.ts";
export type {
  CommitOptions,
  CookieParts,
  DestroySessionsOptions,
  HeadersLike,
  ListSessionsOptions,
  OwnedSession,
  RequestLike,
  SaveOptions,
  SessionHeaders,
  SessionLike,
  SessionStorage,
  SessionValues,
  StorageGuarantees,
} from "../../storage/contract.ts";
export type { CrossOrigin, CrossOriginOptions } from "./cross_origin.ts";
export type {
  KeyOptions,
  MiddlewareOptions,
  PropertiesOptions,
} from "./options.ts";
