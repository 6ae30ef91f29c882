/**
 * Signing in and out, here and everywhere else.
 *
 * @module
 */
import { users } from "./catalogue.ts";
import { field } from "./forms.ts";
import type { ShopOptions, ShopSession } from "./session.ts";

/** Signs a user in, if the password is right; gives the page to go to. */
export function signIn(
  session: ShopSession,
  form: URLSearchParams,
  request: Request,
  { rememberFor }: ShopOptions,
): string {
  const userName = field(form, "user").trim().slice(0, 50).toWellFormed();
  const password = field(form, "password");
  const user = users.find(({ id }) => id === userName.toLowerCase());
  if (!user || user.password !== password) {
    // Post/Redirect/Get: the next page says it, once, and a reload posts nothing again.
    session.flash("error", "That name and password do not go together.");
    session.flash("userName", userName);
    return "/sign-in";
  }

  // Whoever knew this session's id before must not be signed in with it.
  session.regenerateId();
  session.set("user", user.id);
  session.set("device", deviceOf(request));
  session.flash("notice", `Welcome, ${user.name}.`);
  if (form.has("remember")) {
    session.set("remembered", true);
    // A lifetime that stays with this session, whatever the cookie's own.
    session.setMaxAge(rememberFor);
  }
  return "/";
}

/** Ends the session; gives the page to go to. */
export function signOut(session: ShopSession): string {
  session.destroy();
  // A destroyed session carries no flash, so the address says it.
  return "/sign-in?signed-out";
}

/** Ends the user's sessions everywhere else: what to press when a telephone is lost. */
export async function signOutOthers(
  session: ShopSession,
  { storage }: ShopOptions,
): Promise<string> {
  const user = session.get("user");
  if (user === undefined) return "/sign-in";
  const ended = await storage.destroySessions?.(user, { except: session });
  if (ended === undefined) {
    session.flash("error", "This storage cannot end sessions elsewhere.");
  } else {
    const devices = ended === 1 ? "1 other device" : `${ended} other devices`;
    session.flash("notice", `Signed out of ${devices}.`);
  }
  return "/account";
}

/** What a browser calls itself, in a few words; good enough to tell one's own devices apart. */
function deviceOf({ headers }: Request): string {
  const agent = headers.get("User-Agent") ?? "";
  const pick = (names: Record<string, RegExp>, otherwise: string) =>
    Object.entries(names).find(([, sign]) => sign.test(agent))?.[0] ??
      otherwise;
  const browser = pick({
    Edge: /Edg/,
    Firefox: /Firefox|FxiOS/,
    Chrome: /Chrom|CriOS/,
    Safari: /Safari/,
  }, "A browser");
  const system = pick({
    Android: /Android/,
    "an iPhone": /iPhone/,
    "an iPad": /iPad/,
    Windows: /Windows/,
    macOS: /Mac OS/,
    Linux: /Linux/,
  }, "an unknown system");
  return `${browser} on ${system}`;
}
