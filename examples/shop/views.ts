/**
 * The shop's pages. They are given plain values and give HTML; none knows of sessions.
 *
 * @module
 */
import type { OwnedSession, StorageGuarantees } from "@satchel/session";
import { type Product, products, users } from "./catalogue.ts";
import { Html, html } from "./html.ts";

/** What stands around every page. */
export interface Frame {
  path: string;
  theme: "light" | "dark" | undefined;
  /** The name of the user who is signed in. */
  user: string | undefined;
  /** How many things are in the cart. */
  count: number;
  notice: string | undefined;
  error: string | undefined;
}

/** A product in the cart. */
export interface Line {
  product: Product;
  quantity: number;
}

/** What the session page shows. Instants are in milliseconds, durations in seconds. */
export interface SessionFacts {
  storageName: string;
  guarantees: StorageGuarantees | undefined;
  /** Nothing for a visitor of whom nothing is stored. */
  stored: Stored | undefined;
  now: number;
}

/** What is stored of a visitor. */
export interface Stored {
  /** The session's id, shortened. */
  id: string;
  values: object;
  since: number;
  idleEnd: number;
  absoluteEnd: number;
  /** How long the browser keeps the cookie; `undefined` for until it is closed. */
  rememberFor: number | undefined;
}

const DAY = 24 * 60 * 60;
const euros = new Intl.NumberFormat("en", {
  style: "currency",
  currency: "EUR",
});

/** The shop's sign, as an image of its own. */
export const icon: Html = new Html(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#8a4b22"/>${satchel()}</svg>`,
);

// Frames ----------------------------------------------------------------------

/** A page with everything around it. */
export function page(frame: Frame, { title, body }: Body): Html {
  const { path, user, count, notice, error } = frame;
  const link = (to: string, label: Html | string) =>
    html`<a href="${to}" ${to === path && CURRENT}>${label}</a>`;
  return document(
    title,
    frame.theme,
    html`
      <a class="skip" href="#main">Skip to the content</a>
      <header>
        <a class="brand" href="/"><svg viewBox="0 0 32 32" aria-hidden="true">${new Html(
          satchel(),
        )}</svg>Satchel</a>
        <nav aria-label="Main">
          ${link("/", "Shop")}
          ${link(
            "/cart",
            html`Cart <span class="badge">${count}<span class="hidden"> in it</span></span>`,
          )}
          ${link("/session", "Session")}
          ${user === undefined && link("/sign-in", "Sign in")}
        </nav>
        ${user !== undefined && userForm(user)}
        ${themeForm(frame)}
      </header>
      <main id="main">
        <div class="flash" aria-live="polite">
          ${notice && html`<p class="notice" role="status">${notice}</p>`}
          ${error && html`<p class="error" role="alert">${error}</p>`}
        </div>
        ${body}
      </main>
      <footer>
        A demonstration of sessions. Nothing here is for sale, and no script runs.
      </footer>
    `,
  );
}

/** A page for a request that could not be served. It needs no session. */
export function plainPage(status: number, message: string): Html {
  return document(
    `Error ${status}`,
    undefined,
    html`
      <main id="main" class="plain">
        <h1><span>${status}</span> ${message}</h1>
        <p><a class="button" href="/">Back to the shop</a></p>
      </main>
    `,
  );
}

/** What one page has of its own. */
export interface Body {
  title: string;
  body: Html;
}

const CURRENT = new Html('aria-current="page"');
const DISABLED = new Html("disabled");
const PRESSED = new Html('aria-pressed="true"');

function document(
  title: string,
  theme: string | undefined,
  body: Html,
): Html {
  return html`
    <!DOCTYPE html>
    <html lang="en" data-theme="${theme ?? "auto"}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title} · Satchel</title>
        <link rel="icon" href="/icon.svg">
        <link rel="stylesheet" href="/style.css">
      </head>
      <body>${body}</body>
    </html>
  `;
}

function userForm(user: string): Html {
  return html`
    <form class="user" method="post" action="/sign-out">
      <span>Hello, <a href="/account">${user}</a></span>
      <button class="quiet">Sign out</button>
    </form>
  `;
}

function themeForm({ theme, path }: Frame): Html {
  const choice = (value: string, label: string) =>
    html`<button name="theme" value="${value}" ${
      value === (theme ?? "auto") && PRESSED
    }>${label}</button>`;
  return html`
    <form method="post" action="/theme">
      <input type="hidden" name="back" value="${path}">
      <div class="theme" role="group" aria-label="Theme">
        ${choice("auto", "Auto")}
        ${choice("light", "Light")}
        ${choice("dark", "Dark")}
      </div>
    </form>
  `;
}

// Pages -----------------------------------------------------------------------

/** Everything that is sold. It is the same for everybody, and so rendered once. */
export const productsPage: Body = {
  title: "Shop",
  body: html`
    <h1>For the way there and back</h1>
    <p class="lead">Small things that go well in a bag. Your cart comes along.</p>
    <ul class="shelf">${products.map(productCard)}</ul>
  `,
};

function productCard(product: Product): Html {
  const { id, name, blurb, price, tint, picture } = product;
  return html`
    <li class="card" id="${id}">
      <div class="picture ${tint}">${picture}</div>
      <h2>${name}</h2>
      <p>${blurb}</p>
      <form method="post" action="/cart/add">
        <input type="hidden" name="product" value="${id}">
        <span class="price">${money(price)}</span>
        <button>Add<span class="hidden"> ${name}</span> to cart</button>
      </form>
    </li>
  `;
}

/** The cart. */
export function cartPage(lines: Line[]): Body {
  const total = lines.reduce(
    (sum, { product, quantity }) => sum + product.price * quantity,
    0,
  );
  const body = lines.length === 0
    ? html`
      <h1>Your cart</h1>
      <p class="lead">It is empty.</p>
      <p><a class="button" href="/">Look around</a></p>
    `
    : html`
      <h1>Your cart</h1>
      <ul class="lines">${lines.map(cartLine)}</ul>
      <div class="total">
        <p>Total <strong>${money(total)}</strong></p>
        <form method="post" action="/checkout"><button>Check out</button></form>
      </div>
    `;
  return { title: "Cart", body };
}

function cartLine({ product, quantity }: Line): Html {
  const { id, name, price, tint, picture } = product;
  return html`
    <li>
      <div class="picture ${tint}">${picture}</div>
      <div class="what">
        <h2>${name}</h2>
        <p>${money(price)} each</p>
      </div>
      <form class="quantity" method="post" action="/cart/quantity">
        <input type="hidden" name="product" value="${id}">
        <label class="hidden"
          for="quantity-${id}">Quantity of ${name}</label>
        <input id="quantity-${id}" name="quantity" type="number" min="0"
          max="20" value="${quantity}" required>
        <button
          class="quiet">Update<span class="hidden"> ${name}</span></button>
      </form>
      <form method="post" action="/cart/remove">
        <input type="hidden" name="product" value="${id}">
        <button
          class="quiet">Remove<span class="hidden"> ${name}</span></button>
      </form>
      <strong class="price">${money(price * quantity)}</strong>
    </li>
  `;
}

/** Where visitors sign in. */
export function signInPage(
  user: string | undefined,
  userName: string | undefined,
): Body {
  const body = user !== undefined
    ? html`
      <h1>You are signed in</h1>
      <p class="lead">Hello, ${user}. Your cart came along.</p>
      <p><a class="button" href="/">To the shop</a></p>
    `
    : html`
      <h1>Sign in</h1>
      <div class="columns">
        <form class="panel" method="post" action="/sign-in">
          <label for="user">User name</label>
          <input id="user" name="user" value="${userName}" autocomplete="username"
            autocapitalize="none" maxlength="50" required>
          <label for="password">Password</label>
          <input id="password" name="password" type="password"
            autocomplete="current-password" maxlength="100" required>
          <label class="check">
            <input type="checkbox" name="remember">
            Remember me when the browser is closed
          </label>
          <button>Sign in</button>
        </form>
        <section aria-labelledby="accounts">
          <h2 id="accounts">Accounts to try</h2>
          <table>
            <thead>
              <tr>
                <th scope="col">User name</th>
                <th scope="col">Password</th>
              </tr>
            </thead>
            <tbody>${users.map(({ id, password }) =>
              html`
                <tr>
                  <td><code>${id}</code></td>
                  <td><code>${password}</code></td>
                </tr>
              `
            )}</tbody>
          </table>
          <p>Signing in gives your session a new id. Your cart comes along.</p>
        </section>
      </div>
    `;
  return { title: "Sign in", body };
}

/** Where a user is signed in. */
export function accountPage(
  devices: OwnedSession<{ device: string }>[] | undefined,
  now: number,
): Body {
  const others = devices?.filter(({ current }) => !current).length ?? 0;
  const body = html`
    <h1>Your account</h1>
    <h2>Where you are signed in</h2>
    ${devices === undefined
      ? html`
        <p>Your session is in your cookie, and the shop keeps no list of those.</p>
      `
      : html`
        <ul class="devices">${devices.map((device) =>
          deviceItem(device, now)
        )}</ul>
        <form method="post" action="/account/sign-out-others">
          <p>Somebody else’s, or lost? Signing out there is immediate.</p>
          <button ${others === 0 && DISABLED}>Sign out everywhere else</button>
        </form>
      `}
  `;
  return { title: "Account", body };
}

function deviceItem(
  { data, created, lastSeen, expires, current }: OwnedSession<
    { device: string }
  >,
  now: number,
): Html {
  return html`
    <li>
      <h3>${data.device ?? "A browser"} ${current &&
        html`<span class="badge">this one</span>`}</h3>
      <p>Session begun ${distance(created - now)}, last used ${distance(
        lastSeen - now,
      )}, ends ${distance(expires - now)}</p>
    </li>
  `;
}

/** What is stored of the visitor, where, and until when. */
export function sessionPage(facts: SessionFacts): Body {
  const { storageName, guarantees, stored, now } = facts;
  const body = html`
    <h1>Your session</h1>
    ${stored === undefined ? nothingStored() : storedFacts(stored, now)}
    <h2>Where</h2>
    <p>In the storage <code>${storageName}</code>.</p>
    ${guarantees && promises(guarantees)}
  `;
  return { title: "Session", body };
}

function nothingStored(): Html {
  return html`
    <p class="lead">Nothing is stored of you. Fill your cart, or choose a theme.</p>
  `;
}

function storedFacts(stored: Stored, now: number): Html {
  const { id, since, idleEnd, absoluteEnd, rememberFor, values } = stored;
  return html`
    <dl>
      <dt>Id</dt>
      <dd><code>${id}</code> <small>in short: it works like a key</small></dd>
      <dt>Began</dt>
      <dd>${time(since, now)}</dd>
      <dt>Ends, unless you come back</dt>
      <dd>${time(idleEnd, now)} <small>each visit moves it</small></dd>
      <dt>Ends, whatever happens</dt>
      <dd>${time(absoluteEnd, now)}</dd>
      <dt>Your browser keeps the cookie</dt>
      <dd>${rememberFor
        ? `for ${rememberFor / DAY} days`
        : "until it is closed"}</dd>
    </dl>
    <h2>What is stored</h2>
    <dl>${Object.entries(values).map(storedValue)}</dl>
  `;
}

function storedValue([key, value]: [string, unknown]): Html {
  return html`
    <dt><code>${key}</code></dt>
    <dd><code>${JSON.stringify(value)}</code></dd>
  `;
}

/** Each guarantee of a storage, in words: kept, and not kept. */
const PROMISES: [keyof StorageGuarantees, kept: string, notKept: string][] = [
  [
    "durable",
    "Sessions survive a restart.",
    "A restart forgets all sessions.",
  ],
  [
    "revoke",
    "After a sign-out, an old cookie is worthless at once.",
    "A cookie copied before a sign-out works until its deadline.",
  ],
  [
    "compareAndSet",
    "Of two requests at once, neither undoes the other’s changes.",
    "Of two requests at once, the later one wins.",
  ],
  [
    "shared",
    "Several processes see the same sessions.",
    "Only one process sees them.",
  ],
];

function promises(guarantees: StorageGuarantees): Html {
  const items = PROMISES.map(([name, kept, notKept]) =>
    guarantees[name]
      ? html`<li class="yes">${kept}</li>`
      : html`<li class="no">${notKept}</li>`
  );
  return html`<ul class="promises">${items}</ul>`;
}

// Words -----------------------------------------------------------------------

const dates = new Intl.DateTimeFormat("en", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});
const distances = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function money(cents: number): string {
  return euros.format(cents / 100);
}

function time(instant: number, now: number): Html {
  return html`<time datetime="${new Date(instant).toISOString()}">${
    dates.format(instant)
  } UTC</time> <small>(${distance(instant - now)})</small>`;
}

function distance(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (Math.abs(minutes) < 120) return distances.format(minutes, "minute");
  const hours = Math.round(minutes / 60);
  if (Math.abs(hours) < 48) return distances.format(hours, "hour");
  return distances.format(Math.round(hours / 24), "day");
}

function satchel(): string {
  return `<path d="M11 13v-2a5 4.5 0 0 1 10 0v2" fill="none" stroke="#f0c25c" stroke-width="2"/>
    <rect x="6" y="12.5" width="20" height="13.5" rx="2.5" fill="#e9b27e"/>
    <path d="M6 15a2.5 2.5 0 0 1 2.5-2.5h15A2.5 2.5 0 0 1 26 15v2.5c0 2.5-4.5 4-10 4s-10-1.5-10-4z" fill="#c98a4b"/>
    <path d="M10.5 18h2.5v4h-2.5zM19 18h2.5v4H19z" fill="#6b3a1e"/>`;
}
