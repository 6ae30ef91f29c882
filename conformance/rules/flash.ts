/**
 * FLASH: a message is shown once, and it is shown.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";

export const flash: readonly Rule[] = [
  must("FLASH-01", {
    sentence: "A flash is readable in the next request.",
    why:
      "It is how a visitor learns, after a redirect, that something worked or failed.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      const next = await visitor.request();
      t.equal(next.get("notice"), "Saved", "the flash is not there");
    },
  }),
  must("FLASH-02", {
    session: true,
    sentence:
      "The first get returns a flash; a second get in that request does not.",
    why: "Two components that ask for the message would both show it.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      const next = await visitor.request();
      t.equal(next.get("notice"), "Saved", "the first get does not return it");
      t.equal(next.get("notice"), undefined, "a second get returns it again");
    },
  }),
  must("FLASH-03", {
    sentence:
      "Once the request that read a flash is saved, the flash is gone for good.",
    why:
      "A message that comes back on reload tells of something that did not happen again.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("userId", "u1");
        r.flash("notice", "Saved");
      });
      await visitor.visit((r) => void r.get("notice"));
      const next = await visitor.request();
      t.ok(!next.has("notice"), "the flash is still there");
      t.equal(next.get("notice"), undefined, "the flash is read twice");
      t.equal(next.get("userId"), "u1", "the flash took a value with it");
    },
  }),
  must("FLASH-04", {
    session: true,
    sentence: "Unread, a flash survives requests that are saved.",
    why:
      "A request for something else in between must not swallow the message.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      await visitor.visit((r) => r.set("visits", 1));
      await visitor.visit((r) => r.set("visits", 2));
      const next = await visitor.request();
      t.equal(
        next.get("notice"),
        "Saved",
        "the flash is gone before it was read",
      );
    },
  }),
  must("FLASH-05", {
    session: true,
    sentence: "has reports a flash without consuming it.",
    why: "A layout that asks whether there is a message must not eat it.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      await visitor.visit((r) => {
        t.ok(r.has("notice"), "has() does not see the flash");
      });
      const next = await visitor.request();
      t.ok(next.has("notice"), "has() consumed the flash");
      t.equal(next.get("notice"), "Saved", "has() consumed the flash");
    },
  }),
  must("FLASH-06", {
    sentence: "Reading a flash without saving consumes nothing in the store.",
    why: "A page that fails after reading the message would lose it.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      (await visitor.request()).get("notice");
      const next = await visitor.request();
      t.equal(next.get("notice"), "Saved", "an unsaved request consumed it");
    },
  }),
  must("FLASH-07", {
    sentence: "A flash survives regenerating the id in the same request.",
    why: "Signing in sets a welcome message and a new id at once.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", [1]));
      await visitor.visit((r) => {
        r.flash("notice", "Welcome");
        r.regenerate();
      });
      const next = await visitor.request();
      t.equal(next.get("notice"), "Welcome", "the flash is lost");
    },
  }),
  must("FLASH-08", {
    sentence: "A value and a flash under one key leave each other intact.",
    why:
      "A message named like a value must neither hide for ever nor destroy it.",
    async check(t) {
      const value = "ada@example.org";
      const works: ((r: VisitorRequest, text: string) => void)[] = [
        (r, text) => {
          r.set("email", value);
          r.flash("email", text);
        },
        (r, text) => {
          r.flash("email", text);
          r.set("email", value);
        },
      ];
      for (const work of works) {
        // No other text contains them.
        const [text, alone] = [t.random.word(40), t.random.word(40)];
        const visitor = await t.visitor();
        await visitor.visit((r) => {
          work(r, text);
          r.flash("alone", alone);
        });
        await holdsBoth(t, visitor, text, alone);
        const next = await visitor.request();
        t.equal(next.get("email"), value, "the flash hides the value");
        await next.save();
        const last = await visitor.request();
        t.equal(last.get("email"), value, "the value is lost");
        if (t.profile !== "react-router") continue;
        // There unset() removes the value alone.
        last.unset("email");
        t.equal(last.get("email"), text, "the flash is lost");
      }
    },
  }),
  must("FLASH-09", {
    sentence: "Falsy values arrive unchanged in a flash.",
    why: "A count of 0 or an empty list is a result, not the absence of one.",
    async check(t) {
      const falsy = [false, 0, "", null, []];
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        falsy.forEach((value, index) => r.flash(`f${index}`, value));
      });
      const next = await visitor.request();
      falsy.forEach((value, index) => {
        t.ok(next.has(`f${index}`), "has() does not see a falsy flash");
        t.equal(next.get(`f${index}`), value, "a falsy flash is changed");
      });
    },
  }),
  must("FLASH-10", {
    capabilities: ["revoke"],
    sentence:
      "Once consumed, a flash never reappears, not through a concurrent save either.",
    why: "A message that comes back makes the visitor act on it twice.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("visits", 0);
        r.flash("notice", "Paid");
      });
      const other = await visitor.request();
      await visitor.visit((r) => void r.get("notice"));
      other.set("visits", 1);
      await other.save();
      const next = await visitor.request();
      t.ok(
        !next.has("notice"),
        "a save that overlapped brought the flash back",
      );
    },
  }),
  must("FLASH-11", {
    sentence:
      "A session with nothing but a flash is stored and gets a cookie; a destroyed one delivers nothing.",
    why:
      "The message after a failed login is often all that a visitor carries.",
    async check(t) {
      const visitor = await t.visitor();
      const first = await visitor.visit((r) =>
        r.flash("error", "Wrong password")
      );
      t.equal(
        first.sent.kind,
        "cookie",
        "a session with only a flash gets no cookie",
      );
      t.equal(
        (await visitor.request()).get("error"),
        "Wrong password",
        "the flash is not stored",
      );
      const last = await visitor.request();
      last.flash("notice", "Bye");
      const sent = await last.destroy();
      t.equal(
        sent.kind,
        "clear",
        "a destroyed session with a flash keeps its cookie",
      );
      t.ok(
        !(await visitor.request()).has("notice"),
        "a destroyed session delivers a flash",
      );
    },
  }),
  must("FLASH-12", {
    session: true,
    sentence:
      "A flash can be read in the request that sets it, and is then not seen again.",
    why: "A page that answers without a redirect shows its own message.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("visits", 1);
        r.flash("notice", "Saved");
        t.equal(r.get("notice"), "Saved", "the flash is not there yet");
      });
      t.ok(!(await visitor.request()).has("notice"), "it is seen again");
    },
  }),
];

/** Looks for a flash in what is stored, where flashes can be seen there at all: while there is a value, get gives that. */
async function holdsBoth(
  t: Trial,
  { storage }: Visitor,
  text: string,
  alone: string,
): Promise<void> {
  const texts = [...(await storage.records())?.values() ?? []];
  const holds = (text: string) => texts.some((t) => t.includes(text));
  t.ok(!holds(alone) || holds(text), "the flash is not in the store");
}
