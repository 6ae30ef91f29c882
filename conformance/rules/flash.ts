/**
 * FLASH: a message is shown exactly once.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";

export const flash: readonly Rule[] = [
  must("FLASH-01", {
    sentence: "The next request can read a flash.",
    why:
      "After a redirect, the visitor learns from it whether something worked or failed.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      const next = await visitor.request();
      t.equal(next.get("notice"), "Saved", "the flash is missing");
    },
  }),
  must("FLASH-02", {
    session: true,
    sentence:
      "The first get returns a flash; a second get in the same request does not.",
    why: "Two components that ask for the message would both show it.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      const next = await visitor.request();
      t.equal(
        next.get("notice"),
        "Saved",
        "the first get does not return the flash",
      );
      t.equal(
        next.get("notice"),
        undefined,
        "a second get returns the flash again",
      );
    },
  }),
  must("FLASH-03", {
    sentence:
      "Once the request that read a flash is saved, the flash is removed.",
    why:
      "After a reload, the message would report something that did not happen again.",
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
      t.equal(next.get("userId"), "u1", "consuming the flash removed a value");
    },
  }),
  must("FLASH-04", {
    session: true,
    sentence: "A flash that was not read survives later saves.",
    why: "Another request before the next page must not remove the message.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      await visitor.visit((r) => r.set("visits", 1));
      await visitor.visit((r) => r.set("visits", 2));
      const next = await visitor.request();
      t.equal(
        next.get("notice"),
        "Saved",
        "the flash was removed before it was read",
      );
    },
  }),
  must("FLASH-05", {
    session: true,
    sentence: "has returns true for a flash and does not consume it.",
    why: "A layout that checks for a message must not consume it.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      await visitor.visit((r) => {
        t.ok(r.has("notice"), "has() returns false for a flash");
      });
      const next = await visitor.request();
      t.ok(next.has("notice"), "has() consumed the flash");
      t.equal(next.get("notice"), "Saved", "has() consumed the flash");
    },
  }),
  must("FLASH-06", {
    sentence:
      "Reading a flash without saving does not remove it from the engine.",
    why:
      "If a page fails after reading the message, the next page must still show it.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.flash("notice", "Saved"));
      (await visitor.request()).get("notice");
      const next = await visitor.request();
      t.equal(
        next.get("notice"),
        "Saved",
        "a request that was not saved consumed the flash",
      );
    },
  }),
  must("FLASH-07", {
    sentence: "A flash survives regenerating the id in the same request.",
    why: "A login sets a welcome message and a new id in one request.",
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
    sentence:
      "A value and a flash under the same key do not affect each other.",
    why: "A message must not hide or remove a value that has the same key.",
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
        // Long enough that no other text contains them.
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
      }
    },
  }),
  must("FLASH-09", {
    sentence: "A flash returns falsy values unchanged.",
    why: "A count of 0 and an empty list are results too.",
    async check(t) {
      const falsy = [false, 0, "", null, []];
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        falsy.forEach((value, index) => r.flash(`f${index}`, value));
      });
      const next = await visitor.request();
      falsy.forEach((value, index) => {
        t.ok(next.has(`f${index}`), "has() returns false for a falsy flash");
        t.equal(next.get(`f${index}`), value, "a falsy flash is changed");
      });
    },
  }),
  must("FLASH-10", {
    capabilities: ["revoke"],
    sentence: "A consumed flash never reappears, even after a concurrent save.",
    why: "A visitor who sees a message twice may act on it twice.",
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
        "a concurrent save restored the flash",
      );
    },
  }),
  must("FLASH-11", {
    sentence:
      "A session that holds only a flash is stored and sends a cookie. A destroyed session does not keep a flash.",
    why:
      "The message after a failed login is often the only content of a session.",
    async check(t) {
      const visitor = await t.visitor();
      const first = await visitor.visit((r) =>
        r.flash("error", "Wrong password")
      );
      t.equal(
        first.sent.kind,
        "cookie",
        "no cookie is sent for a session that holds only a flash",
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
        "the cookie of a destroyed session with a flash is not cleared",
      );
      t.ok(
        !(await visitor.request()).has("notice"),
        "a destroyed session keeps a flash",
      );
    },
  }),
  must("FLASH-12", {
    session: true,
    sentence:
      "A request can read the flash that it sets; the flash is then not stored.",
    why: "A page that answers without a redirect shows its own message.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("visits", 1);
        r.flash("notice", "Saved");
        t.equal(
          r.get("notice"),
          "Saved",
          "the request that sets a flash cannot read it",
        );
      });
      t.ok(
        !(await visitor.request()).has("notice"),
        "a later request reads the flash again",
      );
    },
  }),
  must("FLASH-13", {
    since: "2026.2",
    capabilities: ["merge"],
    sentence:
      "If a flash is set again, with the same text, while another request reads the first one, the second one is shown too.",
    why:
      "A visitor who saves twice must be told twice; otherwise the second save seems to have failed.",
    async check(t) {
      for (const readerFirst of [false, true]) {
        const visitor = await t.visitor();
        await visitor.visit((r) => r.flash("notice", "Saved"));
        const reader = await visitor.request();
        t.equal(reader.get("notice"), "Saved", "the flash is missing");
        const writer = await visitor.request();
        writer.flash("notice", "Saved");
        const saves = [writer, reader];
        for (const r of readerFirst ? saves.reverse() : saves) await r.save();
        await t.settle();
        const next = await visitor.request();
        t.equal(next.get("notice"), "Saved", "the second flash is lost");
        await next.save();
        await t.settle();
        t.ok(
          !(await visitor.request()).has("notice"),
          "the flash is read twice",
        );
      }
    },
  }),
];

/** Checks that a flash is stored, if stored flashes are readable. `get` cannot show it: it returns the value. */
async function holdsBoth(
  t: Trial,
  { storage }: Visitor,
  text: string,
  alone: string,
): Promise<void> {
  const texts = [...(await storage.records())?.values() ?? []];
  const holds = (text: string) => texts.some((t) => t.includes(text));
  t.ok(!holds(alone) || holds(text), "the flash is not stored");
}
