/**
 * COOKIE: the cookies of a storage that reads and writes HTTP headers.
 *
 * @module
 */
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Sent } from "../trial/port.ts";
import type { Trial } from "../trial/trial.ts";
import type { Visitor } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";

export const cookie: readonly Rule[] = [
  must("COOKIE-01", {
    since: "2026.2",
    moves: true,
    sentence:
      "If a browser sends several cookies of the session's name, the first that leads to a live session is used.",
    why:
      "After a cookie's domain or path was changed, browsers send the old cookie in front of the new one. If the old one hides the new one, nobody can sign in.",
    async check(t) {
      const expires = t.claims("idle") && t.movesTime;
      const storage = await openBound(
        t,
        expires ? { idleTimeout: t.lifetime } : {},
      );
      for (const [what, dead] of await deadCookies(t, storage, expires)) {
        const visitor = await signedIn(t, storage);
        const live = visitor.cookie ?? "";
        await t.settle();
        for (const cookies of [[...dead, live], [live, ...dead]]) {
          const request = await visitor.request(cookies.join("; "));
          t.equal(
            request.get("userId"),
            "u1",
            `a cookie that ${what} hides the live one`,
          );
        }
        const request = await visitor.request([...dead, live].join("; "));
        request.set("theme", "dark");
        await request.save();
        await t.settle();
        const next = await visitor.request();
        t.equal(
          next.get("theme"),
          "dark",
          `with a cookie that ${what}, a change is not saved in the live session`,
        );
      }
    },
  }),
  must("COOKIE-02", {
    since: "2026.2",
    sentence:
      "A cookie is cleared with the name and the attributes that it was set with, its lifetime excepted.",
    why:
      "A browser keeps a cookie that is cleared for another path or domain. The visitor would then send it with every request, and without revoking would still be signed in.",
    async check(t) {
      const storage = await openBound(t);
      const ways = ["destroySession()", "commitSession() after destroy()"];
      for (const way of ways) {
        const visitor = await t.visitor(storage);
        const first = await visitor.visit((r) => r.set("userId", "u1"));
        await t.settle();
        const leaving = await visitor.request();
        if (way === "destroySession()") await leaving.destroy();
        else {
          if (typeof leaving.session.destroy !== "function") return;
          leaving.session.destroy();
          await leaving.save();
        }
        t.equal(leaving.sent.kind, "clear", `${way} does not clear the cookie`);
        t.equal(
          attributesOf(leaving.sent),
          attributesOf(first.sent),
          `${way} clears another cookie than the one that was set`,
        );
      }
    },
  }),
  must("COOKIE-03", {
    since: "2026.2",
    capabilities: ["revoke"],
    sentence:
      "If a browser sends several cookies of the session's name, a logout and a regenerated id end the sessions of all of them.",
    why:
      "The browser keeps sending the other cookies. After a logout, one of them would sign the visitor in again; after a login, it would hide the new session.",
    async check(t) {
      const storage = await openBound(t);
      const cookies = await signedInThrice(t, storage);
      const visitor = await t.visitor(storage);
      const leaving = await visitor.request(cookies.join("; "));
      await leaving.destroy();
      await t.settle();
      for (const [index, cookie] of cookies.entries()) {
        const request = await visitor.request(cookie);
        t.equal(
          request.get("userId"),
          undefined,
          `after the logout, the session of cookie ${index + 1} of 3 is live`,
        );
      }
      const others = await signedInThrice(t, storage);
      const login = await visitor.request(others.join("; "));
      login.regenerate();
      login.set("userId", "u2");
      await login.save();
      await t.settle();
      for (const other of others.slice(1)) {
        const next = await visitor.request(`${other}; ${visitor.cookie}`);
        t.equal(
          next.get("userId"),
          "u2",
          "another cookie's session hides the one with the regenerated id",
        );
      }
    },
  }),
];

/** Opens a storage that reads `Cookie` headers; ends the trial if it does not. */
async function openBound(
  t: Trial,
  options: { idleTimeout?: number } = {},
): Promise<OpenStorage> {
  const storage = await t.open(options);
  if (storage.port.http) return storage;
  t.notApplicable("it reads values, and not the Cookie header");
}

async function signedIn(t: Trial, storage: OpenStorage): Promise<Visitor> {
  const visitor = await t.visitor(storage);
  await visitor.visit((r) => r.set("userId", "u1"));
  return visitor;
}

/** The cookies of three live sessions. */
async function signedInThrice(
  t: Trial,
  storage: OpenStorage,
): Promise<string[]> {
  const cookies: string[] = [];
  for (let i = 0; i < 3; i++) {
    cookies.push((await signedIn(t, storage)).cookie ?? "");
  }
  await t.settle();
  return cookies;
}

/** Cookies that do not lead to a live session, one or two at a time. */
async function deadCookies(
  t: Trial,
  storage: OpenStorage,
  expires: boolean,
): Promise<[what: string, cookies: string[]][]> {
  const { cookie } = await signedIn(t, storage);
  const name = cookie?.split("=", 1)[0];
  const all: [string, string[]][] = [["was damaged", [`${name}=damaged`]]];
  if (t.claims("revoke")) {
    const destroyed: string[] = [];
    for (let i = 0; i < 2; i++) {
      const visitor = await signedIn(t, storage);
      destroyed.push(visitor.cookie ?? "");
      await (await visitor.request()).destroy();
    }
    all.push(
      ["was destroyed", destroyed.slice(0, 1)],
      ["was destroyed, like the one after it,", destroyed],
    );
  }
  if (expires && cookie !== null) {
    await t.advance(t.lifetime * 1000 + t.slack + 1);
    all.push(["has expired", [cookie]]);
  }
  return all;
}

/** The name and the attributes in a `Set-Cookie` header, except for the lifetime. */
function attributesOf(sent: Sent): Record<string, string> {
  const header = sent.kind === "nothing" ? "" : sent.header ?? "";
  const [pair = "", ...attributes] = header.split(";");
  const found: Record<string, string> = { name: pair.split("=", 1)[0] ?? "" };
  for (const attribute of attributes.sort()) {
    const [name = "", value = ""] = attribute.trim().split("=");
    if (/^(max-age|expires)$/i.test(name)) continue;
    found[name.toLowerCase()] = value;
  }
  return found;
}
