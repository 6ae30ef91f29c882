/**
 * The shop: what each page shows, and what each form does to the visitor's session.
 *
 * @module
 */
import {
  type HttpSessionStorage,
  type Session,
  SessionError,
  withSession,
} from "@satchel/session";
import { findProduct, type Product, products, users } from "./catalogue.ts";
import { field, readForm, RequestError } from "./forms.ts";
import type { Html } from "./html.ts";
import style from "./style.css" with { type: "text" };
import {
  accountPage,
  cartPage,
  type Frame,
  icon,
  type Line,
  page,
  plainPage,
  productsPage,
  sessionPage,
  signInPage,
} from "./views.ts";

/** What a session keeps. */
export interface Data {
  /** When it began, in milliseconds. */
  since: number;
  /** The id of the user who is signed in. */
  user: string;
  /** Where the user has signed in. */
  device: string;
  /** Whether the user asked to stay signed in. */
  remembered: boolean;
  theme: "light" | "dark";
  /**
   * How many of a product are in the cart. A key for each: parallel requests are merged key by key, and a cart under one
   * key would lose what another tab has just put in.
   */
  [inCart: `cart:${string}`]: number;
}

/** What a session says once. */
export interface Flash {
  notice: string;
  error: string;
  /** The name typed into a sign-in that failed. */
  userName: string;
}

type ShopSession = Session<Data, Flash>;
type ShopStorage = HttpSessionStorage<Data, Flash>;

/** What the shop needs to know. Durations are in seconds. */
export interface ShopOptions {
  /** Where sessions live, bound to their cookie. */
  storage: ShopStorage;
  /** How people call that. */
  storageName: string;
  /** After how long without a visit a session ends; given to the storage too. */
  idleTimeout: number;
  /** After how long every session ends; given to the storage too. */
  absoluteTimeout: number;
  /** For how long a browser remembers a visitor who asks for it. */
  rememberFor: number;
  /** The clock, in milliseconds; given to the storage too. @default {Date.now} */
  now?: () => number;
}

const MAX_QUANTITY = 20;
const PAGES = ["/", "/account", "/cart", "/sign-in", "/session"];
const FORMS = [
  "/account/sign-out-others",
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
    return seeOther(await act(session, url.pathname, form, request, options));
  }, { onUnavailable: explain });

  return async (request) => {
    try {
      return fixed(request) ?? await serve(request);
    } catch (error) {
      return explain(error);
    }
  };
}

/** What needs no session: files, and requests for what is not there. */
function fixed(request: Request): Response | undefined {
  const path = URL.parse(request.url)?.pathname;
  if (path === undefined) throw new RequestError(400, "That is no address.");
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
      new RequestError(405, "This page cannot be used that way."),
    );
    response.headers.set("Allow", allowed.join(", "));
    return response;
  }
  return file && new Response(file.body, {
    headers: { "Content-Type": file.type, "Cache-Control": "max-age=300" },
  });
}

// Pages -----------------------------------------------------------------------

async function show(
  session: ShopSession,
  { pathname, searchParams }: URL,
  options: ShopOptions,
): Promise<Response> {
  const now = (options.now ?? Date.now)();
  const userId = session.get("user");
  if (pathname === "/account" && userId === undefined) {
    return seeOther("/sign-in?account");
  }
  const lines = linesOf(session);
  const frame: Frame = {
    path: pathname,
    theme: session.get("theme"),
    user: users.find(({ id }) => id === userId)?.name,
    count: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    // Reading a flash consumes it: the next page has none.
    notice: searchParams.has("signed-out")
      ? "You are signed out."
      : session.get("notice"),
    error: searchParams.has("account") && userId === undefined
      ? "Sign in to see your account."
      : session.get("error"),
  };
  if (pathname === "/account" && userId !== undefined) {
    // A storage whose sessions travel in their cookies cannot say who else is signed in.
    const devices = await options.storage.listSessions?.(userId, {
      current: session,
    });
    return send(page(frame, accountPage(devices, now)));
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
          // Never in full: whoever reads an id over a shoulder could use it.
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

/** The cart, in the order of the shelf. */
function linesOf(session: ShopSession): Line[] {
  return products.flatMap((product) => {
    const quantity = session.get(`cart:${product.id}`);
    return quantity ? [{ product, quantity }] : [];
  });
}

// Forms -----------------------------------------------------------------------

/** Does what a form asks for, and gives the page to go to. */
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
    case "/account/sign-out-others":
      return await signOutOthers(session, options);
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

function addToCart(session: ShopSession, { id, name }: Product): string {
  const quantity = (session.get(`cart:${id}`) ?? 0) + 1;
  session.set(`cart:${id}`, Math.min(quantity, MAX_QUANTITY));
  session.flash("notice", `${name}: added to your cart.`);
  return `/#${id}`;
}

function setQuantity(
  session: ShopSession,
  { id, name }: Product,
  quantity: number,
): string {
  if (!session.has(`cart:${id}`)) {
    session.flash("error", `${name}: not in your cart.`);
  } else if (quantity > 0) {
    session.set(`cart:${id}`, quantity);
    session.flash("notice", `${name}: now ${quantity} in your cart.`);
  } else {
    session.unset(`cart:${id}`);
    session.flash("notice", `${name}: taken out of your cart.`);
  }
  return "/cart";
}

function checkOut(session: ShopSession): string {
  const lines = linesOf(session);
  if (lines.length === 0) {
    session.flash("error", "There is nothing in your cart yet.");
    return "/cart";
  }
  for (const { product } of lines) session.unset(`cart:${product.id}`);
  session.flash("notice", "Thank you! Your order is on its way, or would be.");
  return "/";
}

function setTheme(session: ShopSession, form: URLSearchParams): string {
  const theme = field(form, "theme");
  if (theme === "light" || theme === "dark") session.set("theme", theme);
  else if (theme === "auto") session.unset("theme");
  else throw new RequestError(400, "There is no such theme.");
  const back = form.get("back") ?? "/";
  return PAGES.includes(back) ? back : "/";
}

function signIn(
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

/** Ends the user's sessions everywhere else: what to press when a telephone is lost. */
async function signOutOthers(
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

function signOut(session: ShopSession): string {
  session.destroy();
  // A destroyed session carries no flash, so the address says it.
  return "/sign-in?signed-out";
}

function productOf(form: URLSearchParams): Product {
  const product = findProduct(field(form, "product"));
  if (!product) throw new RequestError(400, "There is no such product.");
  return product;
}

function quantityOf(form: URLSearchParams): number {
  const text = field(form, "quantity");
  const quantity = Number(text);
  if (!/^\d{1,2}$/.test(text) || quantity > MAX_QUANTITY) {
    throw new RequestError(
      400,
      `A quantity is a whole number from 0 to ${MAX_QUANTITY}.`,
    );
  }
  return quantity;
}

// Responses -------------------------------------------------------------------

function seeOther(path: string): Response {
  return new Response(null, { status: 303, headers: { Location: path } });
}

function send(body: Html, status = 200): Response {
  return new Response(body.text, {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      // Pages differ from visitor to visitor.
      "Cache-Control": "no-store",
      "Content-Security-Policy":
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      "Referrer-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

function explain(error: unknown): Response {
  if (error instanceof RequestError) {
    return send(plainPage(error.status, error.message), error.status);
  }
  // A storage that fails is not "no session": the visitor's cookie stays as it is.
  const storeFailed = error instanceof SessionError;
  report(error);
  const status = storeFailed ? 503 : 500;
  return send(plainPage(status, "Please try again in a moment."), status);
}

function report(error: unknown): void {
  const { message, cause } = error instanceof Error
    ? error
    : { message: String(error), cause: undefined };
  const because = cause instanceof Error ? `: ${cause.message}` : "";
  // deno-lint-ignore no-console -- the server's log
  console.error(`${message}${because}`);
}
