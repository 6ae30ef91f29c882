/**
 * CSRF tokens that live in the session (OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Synchronizer Token
 * Pattern").
 *
 * Each token has a key of its own. So if two requests of one session ask for the first token at the same time, the
 * session has both after it was merged, and both forms work.
 *
 * @module
 */
import { toBase64Url } from "./bytes.ts";
import { isToken, TOKEN } from "./changes.ts";
import { areEqual } from "./keys.ts";
import { typeOf } from "./options.ts";
import { randomBytes } from "./runtime.ts";
import { isSession, type Session, type SessionData } from "./session.ts";

/** Where {@linkcode verifyCsrfToken} looks for the token. */
export interface CsrfTokenOptions {
  /** The name of the form's field. @default {"csrfToken"} */
  field?: string | undefined;
  /** The name of the header, for requests that scripts make. @default {"X-CSRF-Token"} */
  header?: string | undefined;
}

/** The parts of a `FormData` or `URLSearchParams` that are used. */
export interface FormLike {
  /** Returns the value of a field. */
  get(name: string): unknown;
}

/** The parts of a `Request` that are used. */
export interface FormRequestLike {
  /** The headers. */
  readonly headers: {
    /** Returns the value of a header, or `null`. */
    get(name: string): string | null;
  };
  /** Whether the body was read. */
  readonly bodyUsed: boolean;
  /** Returns a copy, with a body of its own. */
  clone(): {
    /** Reads the body as a form. */
    formData(): Promise<FormLike>;
  };
}

/** The bytes of a token: more than the 128 bits that OWASP asks for. */
const TOKEN_BYTES = 18;

/** How much of a token is in its key. */
const NAMED = 6;

/**
 * Returns the session's CSRF token, for a form or a `<meta>` element. The first call creates it, which starts a session
 * for a visitor without one. So call it only where a form is shown.
 *
 * The token stays for the session: the back button and several tabs work. `restart()` and `regenerateId()` end it, so that
 * nobody knows the token of a login from before; the next call returns a new one.
 *
 * If you do not serve old browsers, the option `crossOrigin: "refuse"` of a middleware needs no tokens.
 *
 * @param session The session.
 * @returns The token: 24 letters, digits, `-` and `_`.
 * @throws {SessionError} If a token must be created, and the session was destroyed (`destroyed`) or its response was
 * already sent (`late-change`).
 * @throws {TypeError} If `session` is not a session of this library.
 *
 * @example A form and its check
 * ```ts
 * import {
 *   createMemorySessionStorage,
 *   csrfToken,
 *   verifyCsrfToken,
 *   withSession,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage();
 * const handler = withSession(storage, async (request, session) => {
 *   if (request.method === "GET") {
 *     return new Response(
 *       `<form method="post">
 *         <input type="hidden" name="csrfToken" value="${csrfToken(session)}">
 *         <button>Order</button>
 *       </form>`,
 *       { headers: { "Content-Type": "text/html" } },
 *     );
 *   }
 *   if (!await verifyCsrfToken(session, request)) {
 *     return new Response("Please reload the form", { status: 403 });
 *   }
 *   return new Response("Ordered");
 * });
 *
 * const page = await handler(new Request("https://example.com/"));
 * const [cookie = ""] = page.headers.getSetCookie()[0]!.split(";");
 * const [, value = ""] = (await page.text()).match(/value="(.+)"/)!;
 * const order = (csrfToken: string) =>
 *   handler(
 *     new Request("https://example.com/", {
 *       method: "POST",
 *       headers: { cookie },
 *       body: new URLSearchParams({ csrfToken }),
 *     }),
 *   );
 * assertEquals((await order(value)).status, 200);
 * assertEquals((await order("forged")).status, 403);
 * ```
 */
export function csrfToken<Data, FlashData>(
  session: Session<Data, FlashData>,
): string {
  const [known] = tokensOf(session);
  if (known !== undefined) return known;
  const token = toBase64Url(randomBytes(TOKEN_BYTES));
  // Its key is not among those of Data.
  const untyped = session as unknown as Session<SessionData>;
  untyped.set(TOKEN + token.slice(0, NAMED), token);
  return token;
}

/**
 * Whether a request comes with a CSRF token of the session: in its header, or in the field of its form. Compares in
 * constant time. Never creates a token.
 *
 * The body is read from a copy of the request, so that you can read it too. A copy keeps the whole body in memory: for
 * an upload, send the token in the header, or pass the field of the form that you have parsed.
 *
 * @param session The session.
 * @param from The request, its parsed form, or the token itself, as in `req.body.csrfToken`.
 * @param options The names of the field and the header.
 * @returns `true` if the token is right.
 * @throws {TypeError} If the token is not in the request's header, and its body was already read. Or if `from` is
 * something else.
 *
 * @example Check a form that was already parsed
 * ```ts
 * import { createSession, csrfToken, verifyCsrfToken } from "@satchel/session";
 * import { assert, assertFalse } from "@std/assert";
 *
 * const session = createSession();
 * const form = new FormData();
 * form.set("csrfToken", csrfToken(session));
 *
 * assert(await verifyCsrfToken(session, form));
 * assertFalse(await verifyCsrfToken(session, "forged"));
 * ```
 */
export async function verifyCsrfToken<Data, FlashData>(
  session: Session<Data, FlashData>,
  from: FormRequestLike | FormLike | string | null | undefined,
  options: CsrfTokenOptions = {},
): Promise<boolean> {
  const given = await tokenIn(from, options);
  if (typeof given !== "string") return false;
  let matches = false;
  // All of them, so that the time does not tell which one is similar.
  for (const token of tokensOf(session)) {
    matches = areEqual(token, given) || matches;
  }
  return matches;
}

async function tokenIn(
  from: FormRequestLike | FormLike | string | null | undefined,
  { field = "csrfToken", header = "X-CSRF-Token" }: CsrfTokenOptions,
): Promise<unknown> {
  if (from === undefined || from === null || typeof from === "string") {
    return from;
  }
  if (typeof from === "object" && "headers" in from) {
    if (typeof from.headers.get === "function") {
      return from.headers.get(header) ?? await fieldOf(from, field);
    }
  } else if (typeof from.get === "function") return from.get(field);
  throw new TypeError(
    `Cannot verify CSRF token: pass a Request, a FormData or the token, received ${
      typeOf(from)
    }; in Express, write req.body.csrfToken or req.get("X-CSRF-Token")`,
  );
}

const FORM = /^\s*(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

async function fieldOf(
  request: FormRequestLike,
  field: string,
): Promise<unknown> {
  if (!FORM.test(request.headers.get("Content-Type") ?? "")) return undefined;
  if (request.bodyUsed) {
    throw new TypeError(
      "Cannot verify CSRF token: the request's body was already read; call verifyCsrfToken(session, request) before that, or pass the form",
    );
  }
  const copy = request.clone();
  try {
    return (await copy.formData()).get(field);
  } catch {
    // The client has sent something that is not a form.
    return undefined;
  }
}

function tokensOf<Data, FlashData>(
  session: Session<Data, FlashData>,
): string[] {
  if (!isSession(session)) {
    throw new TypeError(
      `Cannot use CSRF tokens: session must be a Session, received ${
        typeOf(session)
      }; where Express is mounted with properties: true, use csrf-sync`,
    );
  }
  return Object.entries(session.data)
    .flatMap(([key, value]) =>
      isToken(key) && typeof value === "string" ? [value] : []
    );
}
