/**
 * The frame around every page. Views turn plain values into HTML; they do not know about sessions.
 *
 * @module
 */
import { Html, html } from "../html.ts";

/** The values in the frame around every page. */
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

/** The part that differs from page to page. */
export interface Body {
  title: string;
  body: Html;
}

const CURRENT = new Html('aria-current="page"');
const PRESSED = new Html('aria-pressed="true"');

/** The shop's icon. */
export const icon: Html = new Html(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#8a4b22"/>${satchel()}</svg>`,
);

/** A page in its frame. */
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

/** A page for a request that could not be served. It does not use the session. */
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

function satchel(): string {
  return `<path d="M11 13v-2a5 4.5 0 0 1 10 0v2" fill="none" stroke="#f0c25c" stroke-width="2"/>
    <rect x="6" y="12.5" width="20" height="13.5" rx="2.5" fill="#e9b27e"/>
    <path d="M6 15a2.5 2.5 0 0 1 2.5-2.5h15A2.5 2.5 0 0 1 26 15v2.5c0 2.5-4.5 4-10 4s-10-1.5-10-4z" fill="#c98a4b"/>
    <path d="M10.5 18h2.5v4h-2.5zM19 18h2.5v4H19z" fill="#6b3a1e"/>`;
}
