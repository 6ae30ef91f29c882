/**
 * The lifecycle's answers where they are a `Response`: every framework of the Fetch API shares them.
 *
 * @module
 */
import type { SessionError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { SessionHeaders } from "../../storage/contract.ts";
import { type Carrier, exchange } from "./lifecycle.ts";

/** What a framework of the Fetch API tells of one request. */
export interface FetchExchange<Data, FlashData> {
  /** The request's headers. */
  readonly headers: { get(name: string): string | null };
  /** Runs what comes after the middleware; `undefined` where that gives no response. */
  handle(
    session: Session<Data, FlashData>,
  ): Response | undefined | Promise<Response | undefined>;
  /** Whether the response is what the framework made of an error. */
  failed?(response: Response | undefined): boolean;
  /** Answers where the session could not be read or saved. @default {503} */
  unavailable?(error: SessionError): Response | Promise<Response>;
}

/** Takes one request through its session's life. A thrown `Response` is an answer, as a returned one is. */
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

/** What a visitor gets while sessions cannot be read or saved. */
export function serviceUnavailable(): Response {
  return new Response("Service Unavailable", {
    status: 503,
    headers: { "Cache-Control": "no-store", "Retry-After": "5" },
  });
}

/**
 * Readies a response for a cookie.
 *
 * @param asItIs Whether the response must stay the very object that it is.
 * @returns `undefined` where it can take none: it is no response, its body was read already, it is an upgrade of the
 * server's own, or it may not be copied.
 */
export function responseCarrier(
  response: Response | undefined,
  { asItIs = false }: { asItIs?: boolean } = {},
): Carrier<Response> | undefined {
  // Not by its class: some frameworks bring one of their own.
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

/** A copy whose headers can be changed: those that Response.redirect() and fetch() give cannot. */
function copyOf(response: Response): Response | undefined {
  // An upgrade cannot be copied: what the server recognises it by would be lost.
  if (response.status === 101) return undefined;
  try {
    return new Response(response.body, response);
  } catch {
    // Response.error(), or a body that somebody else reads.
    return undefined;
  }
}

/** Adds a session's cookie, if there is one, and keeps caches from handing it to others (RFC 9111, section 7.3). */
export function addSetCookie(headers: Headers, setCookie: string): void {
  if (!setCookie) return;
  headers.append("Set-Cookie", setCookie);
  if (!variesByCookie(headers.get("Vary"))) headers.append("Vary", "Cookie");
  if (!headers.has("Cache-Control")) {
    headers.set("Cache-Control", "private, no-store");
  }
}

/** Whether a `Vary` header names `Cookie` already. */
export function variesByCookie(vary: string | null | undefined): boolean {
  return vary?.split(",").some((name) => /^\s*(\*|cookie)\s*$/i.test(name)) ??
    false;
}

/** Lets go of a response that nobody will get, so that what feeds its body knows. */
export function discard(response: Response | undefined): void {
  // Not awaited: a body that somebody else reads rejects, and one that does not end would hold up the answer.
  response?.body?.cancel().catch(() => {});
}
