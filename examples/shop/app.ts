/**
 * The shop: its addresses, and the page or action for each.
 *
 * @module
 */
import { withSession } from "@satchel/session";
import { signIn, signOut, signOutDevice } from "./account.ts";
import {
  addToCart,
  checkOut,
  productOf,
  quantityOf,
  setQuantity,
} from "./cart.ts";
import { field, readForm, RequestError } from "./forms.ts";
import { show } from "./pages.ts";
import { explain, seeOther, signedOut } from "./responses.ts";
import type { Data, Flash, ShopOptions, ShopSession } from "./session.ts";
import style from "./style.css" with { type: "text" };
import { icon } from "./views/frame.ts";

export type { ShopOptions } from "./session.ts";

const PAGES = [
  "/",
  "/account",
  "/account/confirm",
  "/cart",
  "/sign-in",
  "/session",
];
const FORMS = [
  "/account/sign-out",
  "/cart/add",
  "/cart/quantity",
  "/cart/remove",
  "/checkout",
  "/sign-in",
  "/sign-out",
  "/theme",
];

/** Creates the shop's handler for `Deno.serve`. */
export function createShop(
  options: ShopOptions,
): (request: Request) => Promise<Response> {
  const { storage, now = Date.now } = options;

  const serve = withSession<Data, Flash>(storage, async (request, session) => {
    const url = new URL(request.url);
    if (request.method !== "POST") return await show(session, url, options);

    const form = await readForm(request);
    if (!session.has("since")) session.set("since", now());
    const to = await act(session, url.pathname, form, request, options);
    return session.destroyed ? await signedOut(to) : seeOther(to);
  }, { crossOrigin: "refuse", onUnavailable: explain });

  return async (request) => {
    try {
      return fixed(request) ?? await serve(request);
    } catch (error) {
      return explain(error);
    }
  };
}

/** Answers requests that do not need a session: files, and unknown addresses. */
function fixed(request: Request): Response | undefined {
  const path = URL.parse(request.url)?.pathname;
  if (path === undefined) {
    throw new RequestError(400, "This address is not valid.");
  }
  const isPage = PAGES.includes(path);
  const isForm = FORMS.includes(path);
  const file = path === "/style.css"
    ? { body: style, type: "text/css; charset=utf-8" }
    : path === "/icon.svg"
    ? { body: icon.text, type: "image/svg+xml" }
    : undefined;
  if (!isPage && !isForm && !file) {
    throw new RequestError(404, "There is no such page in this shop.");
  }
  const allowed = [
    ...(isPage || file ? ["GET", "HEAD"] : []),
    ...(isForm ? ["POST"] : []),
  ];
  if (!allowed.includes(request.method)) {
    const response = explain(
      new RequestError(405, "This page does not accept this request method."),
    );
    response.headers.set("Allow", allowed.join(", "));
    return response;
  }
  return file && new Response(file.body, {
    headers: { "Content-Type": file.type, "Cache-Control": "max-age=300" },
  });
}

/** Performs a form's action, and returns the page to go to. */
async function act(
  session: ShopSession,
  path: string,
  form: URLSearchParams,
  request: Request,
  options: ShopOptions,
): Promise<string> {
  switch (path) {
    case "/sign-in":
      return signIn(session, form, request, options);
    case "/account/sign-out":
      return await signOutDevice(session, form, options);
    case "/cart/add":
      return addToCart(session, productOf(form));
    case "/cart/quantity":
      return setQuantity(session, productOf(form), quantityOf(form));
    case "/cart/remove":
      return setQuantity(session, productOf(form), 0);
    case "/checkout":
      return checkOut(session);
    case "/theme":
      return setTheme(session, form);
    default:
      return signOut(session);
  }
}

function setTheme(session: ShopSession, form: URLSearchParams): string {
  const theme = field(form, "theme");
  if (theme === "light" || theme === "dark") session.set("theme", theme);
  else if (theme === "auto") session.unset("theme");
  else throw new RequestError(400, "There is no such theme.");
  const back = form.get("back") ?? "/";
  return PAGES.includes(back) ? back : "/";
}
