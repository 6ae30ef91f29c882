/** A site with hono-sessions, and its visitors. */
import assert from "node:assert/strict";

/** A session of hono-sessions. */
export interface Session {
  // deno-lint-ignore no-explicit-any -- an application's values
  get(key: string): any;
  set(key: string, value: unknown): void;
  forget(key: string): void;
  flash(key: string, value: unknown): void;
  deleteSession(): void;
  getCache(): { _id?: string | undefined };
}

/** The context of a page. */
export interface PageContext {
  set(name: "session_key_rotation", value: boolean): void;
}

/** A page; it can wait for other requests. */
export type Page = (session: Session, context: PageContext) => unknown;

/** A site. */
export interface Site {
  /** Sends a request. Returns the cookie that the browser then has. */
  visit(
    cookie: string | null,
    page?: Page,
  ): Promise<{ cookie: string; header: string; status: number }>;
  /** A site with the same store and key, and with other options of the middleware. */
  with(options: object): Site;
}

/** Signs a new visitor in. Returns their cookie. */
export async function signIn(site: Site, values: object = {}): Promise<string> {
  const all = Object.entries({ userId: "u1", ...values });
  return (await site.visit(null, (session) => {
    for (const [key, value] of all) session.set(key, value);
  })).cookie;
}

/** The value under a key. */
export async function read(
  site: Site,
  cookie: string,
  key: string,
): Promise<unknown> {
  let value: unknown;
  const { status } = await site.visit(cookie, (session) => {
    value = session.get(key);
  });
  assert.equal(status, 200, "the request fails");
  return value;
}

/** The page of a logout. */
export function logOut(session: Session): void {
  session.deleteSession();
}
/** The page that renews the id. */
export function renew(_: Session, context: PageContext): void {
  context.set("session_key_rotation", true);
}

/** Whether a `Set-Cookie` header tells the browser to forget the cookie. */
export function clears(header: string): boolean {
  return /=;|max-age=0|expires=Thu, 01 Jan 1970/i.test(header);
}
