/**
 * The lifecycle for frameworks whose answer is a `Response`.
 *
 * @module
 */
import { isBun, isWorkerd } from "../../core/runtime.ts";
import type { SessionError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { SessionHeaders } from "../../storage/contract.ts";
import {
  privateCacheControl,
  SHARED_CACHE_HEADERS,
  variesByCookie,
} from "./cache.ts";
import type { CrossOrigin } from "./cross_origin.ts";
import {
  type Carrier,
  defaultAnswer,
  exchange,
  type RequestInfo,
} from "./lifecycle.ts";
import type { Nesting } from "./nested.ts";

/** One request, as a framework with the Fetch API presents it. */
export interface FetchExchange<Data, FlashData> {
  readonly request: RequestInfo;
  /** Whether a status means that the request failed. @default {500 and above} */
  readonly isFailure?: ((status: number) => boolean) | undefined;
  /** Which requests are refused. @default {none} */
  readonly crossOrigin?: CrossOrigin | undefined;
  /** Lets requests that a handler makes to the application share this session. */
  readonly nesting?: Nesting | undefined;
  /** Runs the handlers after the middleware. Returns `undefined` if they do not return a response. */
  handle(
    session: Session<Data, FlashData>,
  ): Response | undefined | Promise<Response | undefined>;
  /** Whether the framework made this response from an error that is not one of its HTTP errors. */
  failed?(response: Response | undefined): boolean;
  /** The status that the framework answers to one of its HTTP errors, which it catches outside the middleware. */
  errorStatus?(error: unknown): number | undefined;
  /** Prepares the framework's answer to an error for a cookie; `undefined` if it cannot carry one. */
  errorCarrier?(error: unknown): Carrier<unknown> | undefined;
  /** The answer, if a handler threw one. @default {a thrown Response} */
  thrown?(error: unknown): Response | undefined;
  /** Makes the answer if the session could not be read or saved, or the request is refused. @default {503 or 403} */
  unavailable?:
    | ((error: SessionError) => Response | Promise<Response>)
    | undefined;
}

/** Runs {@linkcode exchange} for answers that are a `Response`. A thrown `Response` counts as an answer. */
export function respond<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
  {
    unavailable = serviceUnavailable,
    thrown = responseIn,
    ...request
  }: FetchExchange<Data, FlashData>,
): Promise<Response | undefined> {
  return exchange<Data, FlashData, Response | undefined>(storage, {
    ...request,
    unavailable,
    statusOf: (response) => response?.status,
    thrown,
    carrier: responseCarrier,
    discard,
  });
}

function responseIn(error: unknown): Response | undefined {
  return error instanceof Response ? error : undefined;
}

/** The default answer if the session could not be read or saved, or the request is refused. */
export function serviceUnavailable(error: SessionError): Response {
  const { text, ...init } = defaultAnswer(error);
  return new Response(text, init);
}

/**
 * Prepares a response for a cookie. The cookie goes out on a copy: a handler may have made the response once, for all
 * visitors.
 *
 * @returns `undefined` if it cannot carry a cookie: it is not a response, its body was read already, or it cannot be
 * copied.
 */
export function responseCarrier(
  response: Response | undefined,
): Carrier<Response> | undefined {
  // Not `instanceof`, because some frameworks have a class of their own.
  if (typeof response?.headers?.append !== "function" || response.bodyUsed) {
    return undefined;
  }
  const copy = response.status === 101 ? upgrade(response) : copyOf(response);
  return copy && ((setCookie) => {
    addSetCookie(copy.headers, setCookie);
    return copy;
  });
}

/** The server recognizes an upgrade by its response object, which belongs to one visitor: it cannot be copied. */
function upgrade(response: Response): Response | undefined {
  try {
    response.headers.delete("X-Satchel-Probe");
    return response;
  } catch {
    return undefined;
  }
}

function copyOf(response: Response): Response | undefined {
  try {
    const copy = isBun() && !response.headers.has("Content-Type")
      ? cloneOf(response)
      : new Response(response.body, response);
    if (isDecoded(response)) {
      copy.headers.delete("Content-Encoding");
      copy.headers.delete("Content-Length");
    }
    return copy;
  } catch {
    // It is Response.error(), or its body is being read.
    return undefined;
  }
}

/** In Bun, a response knows the type of its text or form until its body is read, but not in its headers. */
function cloneOf(response: Response): Response {
  const copy = response.clone();
  // The copy would keep what the original has not read.
  response.body?.cancel().catch(() => {});
  return copy;
}

/**
 * Whether `fetch()` has decoded the body, so that the headers describe bytes that are gone. Workers encode it again, by
 * the same headers.
 */
export function isDecoded({ headers, url }: Response): boolean {
  if (url === "") return false;
  const encoding = headers.get("Content-Encoding");
  return !isWorkerd() && encoding !== null &&
    encoding.split(",").every((name) =>
      /^\s*(x-gzip|gzip|deflate|br)\s*$/i.test(name)
    );
}

/** Adds a session's cookie, if there is one, and keeps caches from giving it to other visitors. */
export function addSetCookie(headers: Headers, setCookie: string): void {
  if (!setCookie) return;
  headers.append("Set-Cookie", setCookie);
  if (!variesByCookie(headers.get("Vary"))) headers.append("Vary", "Cookie");
  headers.set(
    "Cache-Control",
    privateCacheControl(headers.get("Cache-Control")),
  );
  for (const name of SHARED_CACHE_HEADERS) headers.delete(name);
}

/** The same object, but with other headers. Its own stay as they are. */
export function withHeaders<T extends object>(value: T, headers: Headers): T {
  return new Proxy(value, {
    // Without the receiver: the getters of a class read private fields of the object itself.
    get: (target, name) =>
      name === "headers" ? headers : Reflect.get(target, name),
  });
}

/** Cancels the body of a response that will not be sent, so that its source can stop. */
export function discard(response: Response | undefined): void {
  // Not awaited: a body that is being read rejects, and a slow source would delay the answer.
  response?.body?.cancel().catch(() => {});
}
