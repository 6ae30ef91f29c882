/**
 * Signs a visitor in for a test.
 *
 * @module
 */
import { type Cookie, isCookie } from "../core/cookie.ts";
import { typeOf } from "../core/options.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import { BoundStorage } from "../storage/sessions/bound_storage.ts";
import {
  mount,
  type MountArguments,
} from "../middleware/lifecycle/lifecycle.ts";

/**
 * Stores a session as a login does, and returns the `Cookie` header of its visitor. So a test of a page behind the login
 * need not go through the form.
 *
 * @param storage The session storage of the application.
 * @param data What the login sets, such as `{ userId: "ann" }`.
 * @returns The header's value, for `fetch`, `app.request`, `app.inject` or supertest's `set("Cookie", …)`.
 * @throws {TypeError} If `storage` is not a session storage, or needs a cookie; if `data` is empty; or if the session
 * cannot be read again, because `data` does not fit the storage's `schema`.
 * @throws {SessionError} If the session cannot be saved.
 *
 * @example Sign in
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { signIn } from "@satchel/session/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage<{ userId: string }>();
 * const cookie = await signIn(storage, { userId: "ann" });
 *
 * const session = await storage.getSession(cookie);
 * assertEquals(session.get("userId"), "ann");
 * ```
 */
export function signIn<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
  data: Partial<Data>,
): Promise<string>;
/**
 * The same, for a storage that a middleware uses with another cookie than its own.
 *
 * @param cookie The cookie.
 * @param storage The session storage of the application.
 * @param data What the login sets, such as `{ userId: "ann" }`.
 * @returns The header's value.
 * @throws {TypeError} As above.
 * @throws {SessionError} If the session cannot be saved.
 */
export function signIn<Data, FlashData>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  data: Partial<Data>,
): Promise<string>;
export async function signIn<Data, FlashData>(
  ...args:
    | [storage: SessionHeaders<Data, FlashData>, data: Partial<Data>]
    | [
      cookie: Cookie,
      storage: SessionValues<Data, FlashData>,
      data: Partial<Data>,
    ]
): Promise<string> {
  const data: unknown = args.at(-1);
  const [first, second] = args;
  const mounted =
    (isCookie(first) ? [first, second] : [first]) as MountArguments<
      Data,
      FlashData,
      object
    >;
  const { storage } = mount(mounted, {});
  if (
    typeof data !== "object" || data === null || Object.keys(data).length === 0
  ) {
    throw new TypeError(
      `Cannot sign in: data must be an object with what your login sets, received ${
        typeOf(data)
      }; write signIn(storage, { userId: "ann" })`,
    );
  }
  const session = await storage.getSession(null);
  session.restart();
  for (const [key, value] of Object.entries(data)) {
    session.set(key as keyof Data & string, value);
  }
  const setCookie = await storage.commitSession(session);
  const cookie = setCookie.split(";")[0] ?? "";
  const lags = storage instanceof BoundStorage &&
    storage.guarantees.reads === "eventual";
  if (!lags && (await storage.getSession(cookie)).size === 0) {
    throw new TypeError(
      "Cannot sign in: the storage does not return the session; pass data that fits its schema, and that its timeouts do not end at once",
    );
  }
  return cookie;
}
