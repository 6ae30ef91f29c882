/**
 * Responses: pages, redirects and errors.
 *
 * @module
 */
import { createCookie, SessionError } from "@satchel/session";
import { RequestError } from "./forms.ts";
import type { Html } from "./html.ts";
import { plainPage } from "./views/frame.ts";

/** Redirects the browser to a page, which it gets by GET. */
export function seeOther(path: string): Response {
  return new Response(null, { status: 303, headers: { Location: path } });
}

const signedOutCookie = createCookie("signed-out", { httpOnly: true });

/**
 * Redirects the browser after a logout, so that "back" does not show the pages of the account. Chromium keeps pages in
 * memory for "back", even with `no-store`. It drops them when an HttpOnly cookie is set, but not when one is only
 * cleared. So this sets one, and clears it at once.
 */
export async function signedOut(path: string): Promise<Response> {
  const response = seeOther(path);
  for (const maxAge of [60, 0]) {
    const setCookie = await signedOutCookie.serialize("1", { maxAge });
    response.headers.append("Set-Cookie", setCookie);
  }
  return response;
}

/** Sends a page. */
export function send(body: Html, status = 200): Response {
  return new Response(body.text, {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      // Each visitor sees different pages.
      "Cache-Control": "no-store",
      "Content-Security-Policy":
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      "Referrer-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

/** Answers with an error page, and logs the shop's own errors. */
export function explain(error: unknown): Response {
  if (error instanceof RequestError) {
    return send(plainPage(error.status, error.message), error.status);
  }
  const isOfSession = error instanceof SessionError;
  if (isOfSession && error.code === "cross-origin") {
    return send(plainPage(403, "This form was sent from another site."), 403);
  }
  // The storage failed, so nothing is known about the session: the visitor's cookie stays as it is.
  report(error);
  const status = isOfSession ? 503 : 500;
  return send(plainPage(status, "Please try again in a moment."), status);
}

function report(error: unknown): void {
  const { message, cause } = error instanceof Error
    ? error
    : { message: String(error), cause: undefined };
  const because = cause instanceof Error ? `: ${cause.message}` : "";
  // deno-lint-ignore no-console -- the server's log
  console.error(`${message}${because}`);
}
