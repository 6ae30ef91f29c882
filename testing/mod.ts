/**
 * Helpers for the tests of an application: sign a visitor in without a login form, and keep cookies as a browser does.
 *
 * @example Test a page that requires a login
 * ```ts
 * import {
 *   createMemorySessionStorage,
 *   requireKey,
 *   withSession,
 * } from "@satchel/session";
 * import { signIn } from "@satchel/session/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage<{ userId: string }>();
 * const handler = withSession(storage, (_request, session) =>
 *   new Response(`Hello ${requireKey(session, "userId", "/login")}`));
 *
 * const cookie = await signIn(storage, { userId: "ann" });
 * const page = await handler(
 *   new Request("http://localhost/", { headers: { cookie } }),
 * );
 * assertEquals(await page.text(), "Hello ann");
 * ```
 *
 * @module
 */
export {
  type AnswerLike,
  CookieJar,
  type CookieJarOptions,
} from "./cookie_jar.ts";
export { signIn } from "./sign_in.ts";
export type * from "../middleware/lifecycle/types.ts";
