/**
 * The pages, and what each shows from the visitor's session.
 *
 * @module
 */
import { otherDevices, OTHERS } from "./account.ts";
import { linesOf } from "./cart.ts";
import { users } from "./catalogue.ts";
import { seeOther, send } from "./responses.ts";
import type { ShopOptions, ShopSession } from "./session.ts";
import { accountPage, confirmPage, signInPage } from "./views/account.ts";
import { cartPage } from "./views/cart.ts";
import { type Frame, page } from "./views/frame.ts";
import { sessionPage } from "./views/session.ts";
import { productsPage } from "./views/shelf.ts";

/** Shows a page. */
export async function show(
  session: ShopSession,
  { pathname, searchParams }: URL,
  options: ShopOptions,
): Promise<Response> {
  const now = (options.now ?? Date.now)();
  const userId = session.get("user");
  if (pathname.startsWith("/account") && userId === undefined) {
    return seeOther("/sign-in?account");
  }
  const device = searchParams.get("device") ?? "";
  const leaving = pathname === "/account/confirm" && userId !== undefined
    ? await otherDevices(session, userId, device, options)
    : [];
  if (pathname === "/account/confirm" && leaving.length === 0) {
    return seeOther("/account");
  }
  const lines = linesOf(session);
  const frame: Frame = {
    path: pathname,
    theme: session.get("theme"),
    user: users.find(({ id }) => id === userId)?.name,
    count: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    // Reading a flash consumes it: the next page does not show it.
    notice: searchParams.has("signed-out") && userId === undefined
      ? "You are signed out."
      : session.get("notice"),
    error: searchParams.has("account") && userId === undefined
      ? "Sign in to see your account."
      : session.get("error"),
  };
  if (pathname === "/account" && userId !== undefined) {
    // A cookie storage cannot list a user's other sessions.
    const { storage } = options;
    const devices = storage.guarantees.revoke
      ? await storage.listSessions(userId, { current: session })
      : undefined;
    return send(page(frame, accountPage(devices, now)));
  }
  if (pathname === "/account/confirm") {
    const what = device === OTHERS ? undefined : leaving[0]?.data.device;
    return send(page(frame, confirmPage(device, what)));
  }
  if (pathname === "/cart") return send(page(frame, cartPage(lines)));
  if (pathname === "/sign-in") {
    const userName = session.get("userName");
    return send(page(frame, signInPage(frame.user, userName)));
  }
  if (pathname === "/session") {
    const since = session.get("since");
    return send(page(
      frame,
      sessionPage({
        storageName: options.storageName,
        guarantees: options.storage.guarantees,
        stored: since === undefined ? undefined : {
          // Never the whole id: someone who sees the screen could use it.
          id: `${session.id.slice(0, 4)}…`,
          values: session.data,
          since,
          idleEnd: now + options.idleTimeout * 1000,
          absoluteEnd: since + options.absoluteTimeout * 1000,
          rememberFor: session.get("remembered")
            ? options.rememberFor
            : undefined,
        },
        now,
      }),
    ));
  }
  return send(page(frame, productsPage));
}
