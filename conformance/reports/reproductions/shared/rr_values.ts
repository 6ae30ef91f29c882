/** Cookies, values and records of React Router and Remix 1–2: a few lines of their own API for each rule. */
import assert from "node:assert/strict";
import { sent, signed, signIn, type Storage } from "./rr_storage.ts";
import type { Show } from "../run.ts";

/** The reproductions, by rule. */
export const valueShows: Readonly<Record<string, Show<Storage>>> = {
  "COOKIE-01": {
    visitor:
      "After the cookie's path and secret were changed, the browser sends the old cookie in front of the new one, and the visitor cannot sign in.",
    async show(storage) {
      const old = signed("__session", "old", "older");
      const session = await storage.getSession(
        `${old}; ${await signIn(storage)}`,
      );
      assert(session.has("userId"), "the old cookie hides the new one");
    },
  },
  "COOKIE-03": {
    visitor:
      "A browser has two session cookies, for two paths. The visitor logs out, and the other cookie signs the visitor in again.",
    async show(storage) {
      const cookies = [await signIn(storage), await signIn(storage)];
      const session = await storage.getSession(cookies.join("; "));
      await storage.destroySession(session);
      const next = await storage.getSession(cookies[1]);
      assert(!next.has("userId"), "the other cookie's session is live");
    },
  },
  "HOSTILE-01": {
    visitor: "A visitor with a damaged cookie gets an error on every page.",
    async show({ getSession }) {
      await assert.doesNotReject(
        getSession("__session=AAAA.a"),
        "a made-up cookie rejects",
      );
    },
  },
  "HOSTILE-03": {
    visitor:
      "A value under the key constructor or __proto__, such as a field of a form, fails the save or is lost.",
    async show({ getSession, commitSession }) {
      for (const key of ["constructor", "__proto__"]) {
        const session = await getSession();
        session.set(key, "acme");
        const header = await commitSession(session).catch(() => "");
        assert(header, `a session with the key ${key} cannot be saved`);
        const next = await getSession(sent(header));
        assert.equal(next.get(key), "acme", `${key} is lost`);
      }
    },
  },
  "HOSTILE-04": {
    visitor:
      "If a visitor's record is damaged, for example by a full disk, every request fails until the visitor deletes the cookie.",
    async show(storage) {
      const browser = await signIn(storage);
      const { id } = await storage.getSession(browser);
      await storage.damage?.(id);
      await assert.doesNotReject(
        storage.getSession(browser),
        "a damaged record rejects",
      );
    },
  },
  "HOSTILE-05": {
    visitor:
      "A value that the site signed for another cookie with the same secret is read as a session: a visitor who can choose the content of a signed cookie can be any user.",
    async show({ getSession }) {
      const [, value] = signed("preferences", { userId: "u1" }, "s3cr3t")
        .split("preferences=");
      const session = await getSession(`__session=${value}`);
      assert(!session.has("userId"), "another cookie's value is a session");
    },
  },
  "HOSTILE-07": {
    visitor: "An error that is logged contains the value of a session.",
    async show({ getSession, commitSession }) {
      const session = await getSession();
      session.set("card", new URL("https://bank.example/?card=4111"));
      const { message = "" } = await commitSession(session)
        .then(() => new Error(), (error: Error) => error);
      assert(!message.includes("4111"), "the error contains the value");
    },
  },
  "SERIAL-01": {
    visitor: "A page that saves a large number fails.",
    async show({ getSession, commitSession }) {
      const session = await getSession();
      session.set("total", 1e300);
      await assert.doesNotReject(
        commitSession(session),
        "a number above 2^53 rejects",
      );
    },
  },
  "SERIAL-03": {
    visitor:
      "A date is returned as text, NaN as null and, from a table, a BigInt as a number. The page that uses them fails, far from the code that stored them.",
    async show({ getSession, commitSession }) {
      for (const value of [new Date(0), NaN, 10n]) {
        const session = await getSession();
        session.set("value", value);
        // To reject it is right.
        const header = await commitSession(session).catch(() => undefined);
        if (header === undefined) continue;
        const next = await getSession(sent(header));
        assert.deepEqual(
          next.get("value"),
          value,
          "the value that is read differs from the saved one",
        );
      }
    },
  },
  "SERIAL-05": {
    visitor:
      "A value that has the key constructor inside, such as a form's fields, fails the save.",
    async show({ getSession, commitSession }) {
      const session = await getSession();
      session.set("form", { constructor: "acme" });
      await assert.doesNotReject(
        commitSession(session),
        "an object with the key constructor rejects",
      );
    },
  },
};
