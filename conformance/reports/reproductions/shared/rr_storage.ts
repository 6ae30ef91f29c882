/** What the reproductions for storages of React Router and Remix 1–2 have in common. */
import { createHmac } from "node:crypto";

/** A session, as far as the reproductions need it. */
export interface Session {
  readonly id: string;
  has(name: string): boolean;
  // deno-lint-ignore no-explicit-any -- as in these libraries
  get(name: string): any;
  set(name: string, value: unknown): void;
  unset(name: string): void;
  flash(name: string, value: unknown): void;
}

/** A storage, and what a reproduction does to its database. */
export interface Storage {
  getSession(cookie?: string | null): Promise<Session>;
  // deno-lint-ignore no-explicit-any -- sessions of two libraries
  commitSession(session: any, options?: { expires: Date }): Promise<string>;
  // deno-lint-ignore no-explicit-any -- sessions of two libraries
  destroySession(session: any): Promise<string>;
  /** Damages a session's record. */
  damage?(id: string): void | Promise<void>;
  /** Lets time pass for the database, if the reproduction cannot wait. */
  age?(ms: number): void | Promise<void>;
}

/** The secrets of the cookies. */
export const secrets: string[] = ["s3cr3t"];
/** The session's cookie. */
export const cookie: { name: string; secrets: string[] } = {
  name: "__session",
  secrets,
};

/** The `Cookie` header that a browser sends for a `Set-Cookie` header. */
export function sent(header: string): string {
  return header.split(";")[0] ?? "";
}

/** A cookie as these libraries sign it. */
export function signed(name: string, value: unknown, secret: string): string {
  const body = btoa(JSON.stringify(value));
  const mac = createHmac("sha256", secret).update(body).digest("base64");
  return `${name}=${encodeURIComponent(`${body}.${mac.replace(/=+$/, "")}`)}`;
}

/** Signs a new visitor in. Returns their cookie. */
export async function signIn(
  { getSession, commitSession }: Storage,
  options?: { expires: Date },
): Promise<string> {
  const session = await getSession();
  session.set("userId", "u1");
  return sent(await commitSession(session, options));
}

/** How long a session lasts that has to expire, in milliseconds. */
export function lifetimeOf({ age }: Storage): number {
  return age ? 3_600_000 : 100;
}

/** Signs a new visitor in, and begins a page of theirs before the session expires. */
export async function beginPage(
  storage: Storage,
  lifetime: number = lifetimeOf(storage),
): Promise<{ browser: string; page: Session; expires: Date }> {
  const expires = new Date(Date.now() + lifetime);
  const browser = await signIn(storage, { expires });
  const page = await storage.getSession(browser);
  if (page.has("userId")) return { browser, page, expires };
  // On a busy machine, the session expired before the page began.
  if (lifetime > 100_000) throw new Error("the new session is absent");
  return await beginPage(storage, 2 * lifetime);
}

/** Lets time pass, until after a moment. */
export async function pass({ age }: Storage, moment: Date): Promise<void> {
  const ms = moment.getTime() - Date.now() + 20;
  if (age) await age(ms + 1000);
  else await new Promise((resolve) => setTimeout(resolve, ms));
}
