/**
 * The lifecycle for frameworks whose answer is a `Response`.
 *
 * @module
 */
import type { SessionError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { SessionHeaders } from "../../storage/contract.ts";
import { type Carrier, exchange } from "./lifecycle.ts";

/** One request, as a framework with the Fetch API presents it. */
export interface FetchExchange<Data, FlashData> {
  /** The request's headers. */
  readonly headers: { get(name: string): string | null };
  /** Runs the handlers after the middleware. Returns `undefined` if they do not return a response. */
  handle(
    session: Session<Data, FlashData>,
  ): Response | undefined | Promise<Response | undefined>;
  /** Whether the framework made this response from an error. */
  failed?(response: Response | undefined): boolean;
  /** Makes the answer if the session could not be read or saved. @default {503} */
  unavailable?(error: SessionError): Response | Promise<Response>;
}

/** Runs {@linkcode exchange} for answers that are a `Response`. A thrown `Response` counts as an answer. */
export function respond<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
  { headers, unavailable = serviceUnavailable, ...request }: FetchExchange<
    Data,
    FlashData
  >,
): Promise<Response | undefined> {
  return exchange<Data, FlashData, Response | undefined>(storage, {
    ...request,
    cookieHeader: headers.get("Cookie"),
    unavailable,
    thrown: (error) => error instanceof Response ? error : undefined,
    carrier: responseCarrier,
    discard,
  });
}

/** The default answer if the session could not be read or saved. */
export function serviceUnavailable(): Response {
  return new Response("Service Unavailable", {
    status: 503,
    headers: { "Cache-Control": "no-store", "Retry-After": "5" },
  });
}

/**
 * Prepares a response for a cookie.
 *
 * @param asItIs Whether the response must not be copied.
 * @returns `undefined` if it cannot carry a cookie: it is not a response, its body was read already, it is the server's
 * own upgrade, or it cannot be copied.
 */
export function responseCarrier(
  response: Response | undefined,
  { asItIs = false }: { asItIs?: boolean } = {},
): Carrier<Response> | undefined {
  // Not `instanceof`, because some frameworks have a class of their own.
  if (typeof response?.headers?.append !== "function" || response.bodyUsed) {
    return undefined;
  }
  const sent = isMutable(response.headers)
    ? response
    : asItIs
    ? undefined
    : copyOf(response);
  return sent && ((setCookie) => {
    addSetCookie(sent.headers, setCookie);
    return sent;
  });
}

function isMutable(headers: Headers): boolean {
  try {
    headers.delete("X-Satchel-Probe");
    return true;
  } catch {
    return false;
  }
}

/** A copy with mutable headers. Those of `Response.redirect()` and `fetch()` are immutable. */
function copyOf(response: Response): Response | undefined {
  // The server recognizes an upgrade by its response object, so a copy would not work.
  if (response.status === 101) return undefined;
  try {
    return new Response(response.body, response);
  } catch {
    // It is Response.error(), or its body is being read.
    return undefined;
  }
}

/** Adds a session's cookie, if there is one. Caches must not send it to other visitors (RFC 9111, section 7.3). */
export function addSetCookie(headers: Headers, setCookie: string): void {
  if (!setCookie) return;
  headers.append("Set-Cookie", setCookie);
  if (!variesByCookie(headers.get("Vary"))) headers.append("Vary", "Cookie");
  if (!headers.has("Cache-Control")) {
    headers.set("Cache-Control", "private, no-store");
  }
}

/** Whether a `Vary` header already covers `Cookie`. */
export function variesByCookie(vary: string | null | undefined): boolean {
  return vary?.split(",").some((name) => /^\s*(\*|cookie)\s*$/i.test(name)) ??
    false;
}

/** Cancels the body of a response that will not be sent, so that its source can stop. */
export function discard(response: Response | undefined): void {
  // Not awaited: a body that is being read rejects, and a slow source would delay the answer.
  response?.body?.cancel().catch(() => {});
}
