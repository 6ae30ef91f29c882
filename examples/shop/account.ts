/**
 * Signing in and out, here and on other devices.
 *
 * @module
 */
import type { OwnedSession } from "@satchel/session";
import { products, users } from "./catalogue.ts";
import { field } from "./forms.ts";
import type { Data, ShopOptions, ShopSession } from "./session.ts";

/** How old a login may be, in seconds, for signing out other devices without the password. */
const FRESH = 5 * 60;

/** The value of the field `device` for all other devices. */
export const OTHERS = "others";

/** What stays when somebody signs in: it belongs to the browser. All else can be an earlier user's. */
const KEPT: (keyof Data)[] = [
  "theme",
  ...products.map(({ id }) => `cart:${id}` as const),
];

/** Signs a user in if the password is right, and returns the page to go to. */
export function signIn(
  session: ShopSession,
  form: URLSearchParams,
  request: Request,
  { rememberFor, now = Date.now }: ShopOptions,
): string {
  const userName = field(form, "user").trim().slice(0, 50).toWellFormed();
  const user = users.find(({ id }) => id === userName.toLowerCase());
  if (!user || user.password !== field(form, "password")) {
    // Post/Redirect/Get: the next page shows the error once, and a reload does not post the form again.
    session.flash("error", "Wrong user name or password.");
    session.flash("userName", userName);
    return "/sign-in";
  }

  // A new id and a new lifetime: nobody inherits an id that somebody knew, nor the "remember me" of an earlier user.
  session.restart({ keep: KEPT });
  session.set("since", now());
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

/** The user's other devices that a field `device` names. */
export async function otherDevices(
  session: ShopSession,
  user: string,
  device: string,
  { storage }: ShopOptions,
): Promise<OwnedSession<Data>[]> {
  // A cookie storage cannot list a user's other sessions.
  if (!storage.guarantees.revoke) return [];
  // The list has only this user's sessions, so an id of somebody else's finds nothing.
  const sessions = await storage.listSessions(user, { current: session });
  return sessions.filter(({ id, current }) =>
    !current && (device === OTHERS || device === id)
  );
}

/** Revokes one of the user's other sessions or all of them, and returns the page to go to. */
export async function signOutDevice(
  session: ShopSession,
  form: URLSearchParams,
  options: ShopOptions,
): Promise<string> {
  const { storage, now = Date.now } = options;
  const user = session.get("user");
  if (user === undefined) return "/sign-in?account";
  const device = field(form, "device");
  const [first] = await otherDevices(session, user, device, options);
  if (!first) {
    session.flash("error", "That device is not signed in.");
    return "/account";
  }

  // Whoever finds this browser unattended must not lock the user out (OWASP ASVS 5, 7.5.3).
  const { authenticatedAt = -Infinity } = session;
  if (now() - authenticatedAt > FRESH * 1000) {
    const password = form.get("password");
    if (password === null || password !== passwordOf(user)) {
      if (password !== null) session.flash("error", "Wrong password.");
      return `/account/confirm?device=${device}`;
    }
    session.restart({ keep: "all" });
    session.set("since", now());
  }

  const ended = await storage.destroySessions(
    user,
    device === OTHERS ? { except: session } : { only: first.id },
  );
  const devices = device !== OTHERS
    ? first.data.device ?? "that device"
    : ended === 1
    ? "1 other device"
    : `${ended} other devices`;
  session.flash("notice", `Signed out of ${devices}.`);
  return "/account";
}

function passwordOf(user: string): string | undefined {
  return users.find(({ id }) => id === user)?.password;
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
