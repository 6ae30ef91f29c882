/**
 * Signing in and out, here and everywhere else.
 *
 * @module
 */
import { users } from "./catalogue.ts";
import { field } from "./forms.ts";
import type { ShopOptions, ShopSession } from "./session.ts";

/** Signs a user in if the password is right, and returns the page to go to. */
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
    // Post/Redirect/Get: the next page shows the error once, and a reload does not post the form again.
    session.flash("error", "Wrong user name or password.");
    session.flash("userName", userName);
    return "/sign-in";
  }

  // A new id: an attacker who knew the old one must not be signed in with it.
  session.regenerateId();
  session.set("user", user.id);
  session.set("device", deviceOf(request));
  session.flash("notice", `Welcome, ${user.name}.`);
  if (form.has("remember")) {
    session.set("remembered", true);
    // This session keeps its own lifetime instead of the cookie's.
    session.setMaxAge(rememberFor);
  }
  return "/";
}

/** Destroys the session, and returns the page to go to. */
export function signOut(session: ShopSession): string {
  session.destroy();
  // A destroyed session cannot carry a flash, so the address carries the message.
  return "/sign-in?signed-out";
}

/** Revokes the user's other sessions, for example after a phone is lost. */
export async function signOutOthers(
  session: ShopSession,
  { storage }: ShopOptions,
): Promise<string> {
  const user = session.get("user");
  if (user === undefined) return "/sign-in";
  if (!storage.guarantees.revoke) {
    session.flash("error", "This storage cannot end sessions elsewhere.");
  } else {
    const ended = await storage.destroySessions(user, { except: session });
    const devices = ended === 1 ? "1 other device" : `${ended} other devices`;
    session.flash("notice", `Signed out of ${devices}.`);
  }
  return "/account";
}

/** The browser's name in a few words, so that users can recognise their own devices. */
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
