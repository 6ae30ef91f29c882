/**
 * Requires a value of a session, so that what follows can rely on it.
 *
 * @module
 */
import type { Session } from "./session.ts";

/** A value that is there: `undefined`, `null`, `false` and `""` count as missing. */
export type PresentValue<Value> = Exclude<NonNullable<Value>, false | "">;

/**
 * Returns a value of a session. If it is missing, throws what answers the request: by default a response with the status
 * 401. So it is one line to require a login.
 *
 * A thrown `Response` is an answer in `withSession`, Remix, React Router, Astro, Hono, Elysia, Fresh and h3, and in
 * Next's route handlers and TanStack Start's server routes. Elsewhere, pass a function that makes the framework's error.
 *
 * @param session The session.
 * @param key The key of the value, such as `userId`.
 * @param otherwise Where to redirect the visitor (303), or a function that returns what to throw.
 * @default {a response with the status 401}
 * @returns The value. `undefined`, `null`, `false` and `""` count as missing.
 * @throws {Response} If the value is missing, unless `otherwise` returns something else.
 *
 * @example Require a login
 * ```ts
 * import {
 *   createMemorySessionStorage,
 *   requireKey,
 *   withSession,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage<{ userId: string }>();
 * const handler = withSession(storage, (_request, session) => {
 *   const userId: string = requireKey(session, "userId", "/login");
 *   return new Response(`Hello ${userId}`);
 * });
 *
 * const response = await handler(new Request("https://example.com/account"));
 * assertEquals(response.status, 303);
 * assertEquals(response.headers.get("Location"), "/login");
 * ```
 */
export function requireKey<Data, FlashData, Key extends keyof Data & string>(
  session: Session<Data, FlashData>,
  key: Key,
  otherwise?: string | (() => unknown),
): PresentValue<Data[Key]> {
  const value = session.get(key) as Data[Key] | undefined;
  if (
    value !== undefined && value !== null && value !== false && value !== ""
  ) return value as PresentValue<Data[Key]>;
  throw typeof otherwise === "function" ? otherwise() : refusal(otherwise);
}

function refusal(location: string | undefined): Response {
  return location === undefined
    ? new Response("Unauthorized", { status: 401 })
    : new Response(null, { status: 303, headers: { Location: location } });
}
