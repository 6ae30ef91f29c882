/**
 * ISO: visitors, objects and namespaces keep apart.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";
import { leaveNoTimer } from "./support/timers.ts";

export const isolation: readonly Rule[] = [
  must("ISO-01", {
    sentence: "Changing a value after it was saved does not change the store.",
    why:
      "What a handler does with an object later on would be stored by accident, on one engine and not on another.",
    async check(t) {
      const visitor = await t.visitor();
      const cart = { items: ["tea"] };
      const request = await visitor.visit((r) => r.set("cart", cart));
      cart.items.push("cup");
      const mine = request.get("cart") as Partial<typeof cart> | undefined;
      t.ok(Array.isArray(mine?.items), "a value that was set is changed");
      tryTo(() => mine?.items?.push("pot"));
      const next = await visitor.request();
      t.equal(
        next.get("cart"),
        { items: ["tea"] },
        "a change after the save is in the store",
      );
    },
  }),
  must("ISO-02", {
    sentence: "Changing a value that was read affects no other read.",
    why:
      "Two requests would see each other's half-done work, and a failed one would leave it behind.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("cart", { items: ["tea"] });
        r.flash("notice", { text: "Saved" });
      });
      const [one, before] = [await visitor.request(), await visitor.request()];
      const cart = one.get("cart");
      const notice = one.get("notice");
      t.equal(cart, { items: ["tea"] }, "a saved value comes back changed");
      tryTo(() => (cart as { items: string[] }).items.push("cup"));
      tryTo(() => (notice as { text: string }).text = "Lost");
      for (const other of [before, await visitor.request()]) {
        t.equal(
          other.get("cart"),
          { items: ["tea"] },
          "a value that another request changed is read",
        );
        // Whether a flash arrives at all is another rule's matter.
        if (notice === undefined) continue;
        t.equal(
          other.get("notice"),
          { text: "Saved" },
          "a flash that another request changed is read",
        );
      }
    },
  }),
  must("ISO-03", {
    sentence: "Sessions whose requests interleave never exchange data.",
    why: "One visitor is shown another's orders.",
    async check(t) {
      const storage = await t.open();
      const guests: Guest[] = [];
      for (let i = 0; i < 5; i++) {
        guests.push(new Guest(t, `guest ${i}`, await t.visitor(storage)));
      }
      for (let i = 0; i < 3 * t.runs; i++) await t.random.pick(guests).step();
      await Promise.all(guests.map((guest) => guest.leave()));
      await Promise.all(guests.map((guest) => guest.look()));
    },
  }),
  must("ISO-04", {
    capabilities: ["namespaces"],
    sentence:
      "No cookie reaches another namespace, not even where the name of one begins with the other's.",
    why:
      "Two sites on one database would let each other's visitors in, as user 7 of one is user 7 of the other.",
    async check(t) {
      const one = await t.open({});
      const two = await t.open({ namespace: `${one.namespace}x` });
      const [here, there] = [await t.visitor(one), await t.visitor(two)];
      await here.visit((r) => r.set("userId", "here"));
      await there.visit((r) => r.set("userId", "there"));
      const ways: [Visitor, Visitor, string][] = [
        [here, there, ""],
        [there, here, ""],
        // What the longer name has more than the other, at the head of the id.
        [there, here, "x"],
        [there, here, "x:"],
      ];
      for (const [from, to, head] of ways) {
        const stray = await t.visitor(to.storage);
        const request = await stray.request(moved(from, to, head));
        t.ok(!request.has("userId"), "a cookie reads in another namespace");
        request.set("userId", "stray");
        await request.save();
        await request.destroy();
        for (
          const [visitor, data] of [[here, "here"], [there, "there"]] as const
        ) {
          t.equal(
            (await visitor.request()).get("userId"),
            data,
            "a cookie reaches a session of another namespace",
          );
        }
      }
    },
  }),
  must("ISO-05", {
    sentence: "Ids match byte for byte.",
    why:
      "A database that compares loosely lets one guess stand for many ids, and one session answer to cookies that nobody revoked.",
    async check(t) {
      if (t.claims("selfContained")) {
        t.notApplicable(
          "the cookie is the session; nothing is looked up by id",
        );
      }
      const storage = await t.open();
      const visitor = await t.visitor(storage);
      await visitor.visit((r) => r.set("userId", "u1"));
      for (const [what, cookie] of twins(visitor)) {
        const other = await (await t.visitor(storage)).request(cookie);
        t.ok(!other.has("userId"), `the id ${what} reads as the same session`);
      }
      t.equal(
        (await visitor.request()).get("userId"),
        "u1",
        "looking up similar ids ended the session",
      );
    },
  }),
  must("ISO-06", {
    sentence:
      "Closing may be repeated: after use, before any, and at the same time; and what was closed leaves no timer running.",
    why:
      "Shutdowns arrive twice, and a second error hides the first one; a timer that runs on keeps a process from its end, or keeps what it works for from being forgotten. Counted are intervals, and timeouts that hold the process, if each instance leaves one; a timer that instances share is their client's.",
    async check(t) {
      await leaveNoTimer(t);
      const used = await t.open({});
      if (!used.raw.close) t.notApplicable("it has no close()");
      await (await t.visitor(used)).visit((r) => r.set("userId", "u1"));
      for (const storage of [used, await t.open({})]) {
        await Promise.all([storage.pause(), storage.pause()]);
        await storage.pause();
      }
    },
  }),
];

/** Changes a value in place; one that is frozen is as safe as a copy. */
function tryTo(change: () => void): void {
  try {
    change();
  } catch {
    // Whether it can be changed is another rule's matter.
  }
}

/** A visitor who remembers what their session should hold. */
class Guest {
  readonly #t: Trial;
  readonly #name: string;
  readonly #visitor: Visitor;
  readonly #data: Map<string, string> = new Map();
  #request: VisitorRequest | undefined;
  #steps = 0;

  constructor(t: Trial, name: string, visitor: Visitor) {
    this.#t = t;
    this.#name = name;
    this.#visitor = visitor;
  }

  /** Begins a request, goes on with it, or ends it. */
  async step(): Promise<void> {
    const { random } = this.#t;
    if (!this.#request) this.#request = await this.look();
    else if (random.int(3) === 0) await this.leave();
    else {
      const key = random.pick(["a", "b", "c"]);
      const value = `${this.#name}, ${this.#steps++}`;
      this.#data.set(key, value);
      this.#request.set(key, value);
    }
  }

  /** Ends the request under way. */
  async leave(): Promise<void> {
    const request = this.#request;
    this.#request = undefined;
    await request?.save();
  }

  /** Begins a request, and compares. */
  async look(): Promise<VisitorRequest> {
    const request = await this.#visitor.request();
    for (const key of ["a", "b", "c"]) {
      this.#t.equal(
        request.get(key),
        this.#data.get(key),
        `${this.#name} reads what is not theirs, or not what is`,
      );
    }
    return request;
  }
}

/** A visitor's cookie as it would be in another namespace. */
function moved(from: Visitor, to: Visitor, head: string): string {
  const name = nameOf(to);
  return name + head + (from.cookie ?? "").slice(nameOf(from).length);
}

/** The cookie's name and equals sign, where it has one. */
function nameOf({ storage, cookie }: Visitor): string {
  return storage.port.http && cookie ? cookie.replace(/=.*/s, "=") : "";
}

/** Cookies that differ from a visitor's by as little as databases and servers are known to overlook. */
function twins(visitor: Visitor): [what: string, cookie: string][] {
  const name = nameOf(visitor);
  const id = (visitor.cookie ?? "").slice(name.length);
  const swapped = id.replace(
    /[a-z]/gi,
    (c) => c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase(),
  );
  const all: [string, string][] = [
    ["in small letters", id.toLowerCase()],
    ["in capitals", id.toUpperCase()],
    ["with small letters and capitals swapped", swapped],
    ["without its last letter", id.slice(0, -1)],
  ];
  // A Cookie header has its own spaces and escapes, which are no part of the value.
  if (!visitor.storage.port.http) {
    const escape = (c: string) =>
      `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
    all.push(
      ["with a space after it", `${id} `],
      ["with a space before it", ` ${id}`],
      ["with a line feed after it", `${id}\n`],
      ["with a NUL after it", `${id}\0`],
      ["with more after a NUL", `${id}\0x`],
      ["percent-encoded", escape(id) + id.slice(1)],
      ["percent-encoded throughout", id.replace(/./gs, escape)],
      ["in full-width letters", id.normalize("NFKC").replace(/[a-z]/gi, wide)],
    );
  }
  return all.filter(([, value]) => value !== id && value !== "")
    .map(([what, value]) => [what, name + value]);
}

/** The full-width form of a letter, which loose comparisons take for the letter itself. */
function wide(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
}
