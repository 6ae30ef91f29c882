/**
 * The page to sign in, and the page that lists a user's devices.
 *
 * @module
 */
import type { OwnedSession } from "@satchel/session";
import { users } from "../catalogue.ts";
import { type Html, html } from "../html.ts";
import type { Body } from "./frame.ts";
import { distance } from "./words.ts";

/** The page to sign in. */
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

/** The page that lists a user's devices. */
export function accountPage(
  devices: OwnedSession<{ device: string }>[] | undefined,
  now: number,
): Body {
  const body = html`
    <h1>Your account</h1>
    <h2>Where you are signed in</h2>
    ${devices === undefined
      ? html`
        <p>Your session is in your cookie, so the shop cannot list your other sessions.</p>
      `
      : html`
        <ul class="devices">${devices.map((device) =>
          deviceItem(device, now)
        )}</ul>
        ${devices.length > 1 && signOutOthersForm}
      `}
  `;
  return { title: "Account", body };
}

/** The page that asks for the password before other devices are signed out. */
export function confirmPage(
  device: string,
  name: string | undefined,
): Body {
  const body = html`
    <h1>Is it you?</h1>
    <form class="panel" method="post" action="/account/sign-out">
      <p>You signed in a while ago. Enter your password to sign out of ${name ??
        "all other devices"}.</p>
      <input type="hidden" name="device" value="${device}">
      <label for="password">Password</label>
      <input id="password" name="password" type="password"
        autocomplete="current-password" maxlength="100" required>
      <button>Sign out there</button>
      <p><a href="/account">Back to your account</a></p>
    </form>
  `;
  return { title: "Confirm", body };
}

const signOutOthersForm = html`
  <form method="post" action="/account/sign-out">
    <input type="hidden" name="device" value="others">
    <p>Somebody else’s, or lost? Signing out there is immediate.</p>
    <button>Sign out everywhere else</button>
  </form>
`;

function deviceItem(
  { id, data, created, lastSeen, expires, current }: OwnedSession<
    { device: string }
  >,
  now: number,
): Html {
  const name = data.device ?? "A browser";
  return html`
    <li>
      <div>
        <h3>${name} ${current &&
          html`<span class="badge">this one</span>`}</h3>
        <p>Signed in ${distance(created - now)}, last used ${distance(
          lastSeen - now,
        )}, ends ${distance(expires - now)}</p>
      </div>
      ${!current && html`
        <form method="post" action="/account/sign-out">
          <input type="hidden" name="device" value="${id}">
          <button
            class="quiet">Sign out<span class="hidden"> of ${name}</span></button>
        </form>
      `}
    </li>
  `;
}
