/**
 * ISO: visitors, objects and namespaces do not affect each other.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";
import { leaveNoTimer } from "./support/timers.ts";

export const isolation: readonly Rule[] = [
  must("ISO-01", {
    sentence:
      "Changing an object after it was saved does not change the stored value.",
    why:
      "Otherwise later changes to the object are stored by accident, on some engines only.",
    async check(t) {
      const visitor = await t.visitor();
      const cart = { items: ["tea"] };
      const request = await visitor.visit((r) => r.set("cart", cart));
      cart.items.push("cup");
      const mine = request.get("cart") as Partial<typeof cart> | undefined;
      t.ok(Array.isArray(mine?.items), "set() changed the object");
      tryTo(() => mine?.items?.push("pot"));
      const next = await visitor.request();
      t.equal(
        next.get("cart"),
        { items: ["tea"] },
        "a change after the save is stored",
      );
    },
  }),
  must("ISO-02", {
    sentence: "Changing a value that was read does not affect other reads.",
    why:
      "Otherwise two requests see each other's unfinished changes, and those of a request that fails.",
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
          "a request reads a value that another request changed and did not save",
        );
        // FLASH-01 checks that a flash can be read at all.
        if (notice === undefined) continue;
        t.equal(
          other.get("notice"),
          { text: "Saved" },
          "a request reads a flash that another request changed and did not save",
        );
      }
    },
  }),
  must("ISO-03", {
    sentence:
      "When requests of several sessions interleave, each session keeps its own data.",
    why: "Otherwise a visitor sees the orders of another one.",
    async check(t) {
      const storage = await t.open();
      const guests: Guest[] = [];
      for (let i = 0; i < 5; i++) {
        guests.push(new Guest(t, `guest ${i}`, await t.visitor(storage)));
      }
      for (const _ of t.cases(3 * t.runs)) await t.random.pick(guests).step();
      await Promise.all(guests.map((guest) => guest.leave()));
      await Promise.all(guests.map((guest) => guest.look()));
    },
  }),
  must("ISO-04", {
    capabilities: ["namespaces"],
    sentence:
      "A cookie cannot reach another namespace, even if the name of one begins with the name of the other.",
    why:
      "Otherwise two sites that share a database sign in each other's visitors: user 7 of one becomes user 7 of the other.",
    async check(t) {
      const one = await t.open({});
      const two = await t.open({ namespace: `${one.namespace}x` });
      const [here, there] = [await t.visitor(one), await t.visitor(two)];
      await here.visit((r) => r.set("userId", "here"));
      await there.visit((r) => r.set("userId", "there"));
      const ways: [Visitor, Visitor, string][] = [
        [here, there, ""],
        [there, here, ""],
        // The part that only the longer name has, at the start of the id.
        [there, here, "x"],
        [there, here, "x:"],
      ];
      for (const [from, to, head] of ways) {
        const stray = await t.visitor(to.storage);
        const request = await stray.request(moved(from, to, head));
        t.ok(
          !request.has("userId"),
          "a cookie can be read in another namespace",
        );
        request.set("userId", "stray");
        await request.save();
        await request.destroy();
        for (
          const [visitor, data] of [[here, "here"], [there, "there"]] as const
        ) {
          t.equal(
            (await visitor.request()).get("userId"),
            data,
            "a cookie changed a session of another namespace",
          );
        }
      }
    },
  }),
  must("ISO-05", {
    sentence: "Ids are compared byte by byte.",
    why:
      "If a database ignores case or spaces, one guess matches many ids, and a session can be reached by ids that were never issued.",
    async check(t) {
      if (t.claims("selfContained")) {
        t.notApplicable(
          "the cookie holds the session; ids are not looked up",
        );
      }
      const storage = await t.open();
      const visitor = await t.visitor(storage);
      await visitor.visit((r) => r.set("userId", "u1"));
      for (const [what, cookie] of twins(visitor)) {
        const other = await (await t.visitor(storage)).request(cookie);
        t.ok(!other.has("userId"), `the id ${what} reads the same session`);
      }
      t.equal(
        (await visitor.request()).get("userId"),
        "u1",
        "reading similar ids ended the session",
      );
    },
  }),
  must("ISO-06", {
    sentence:
      "close can be called again, after use, before any use, and twice at the same time. A closed storage does not leave a timer running.",
    why:
      "A process can be asked twice to shut down, and a second error would hide the first. A timer that keeps running stops the process from exiting, or leaks memory. The rule counts intervals, and timeouts that keep the process alive, if each instance leaves one; a timer that instances share belongs to their client.",
    async check(t) {
      await leaveNoTimer(t);
      const used = await t.open({});
      if (!used.raw.close) t.notApplicable("it does not have close()");
      await (await t.visitor(used)).visit((r) => r.set("userId", "u1"));
      for (const storage of [used, await t.open({})]) {
        await Promise.all([storage.pause(), storage.pause()]);
        await storage.pause();
      }
    },
  }),
];

/** Changes a value in place; a frozen value is as safe as a copy. */
function tryTo(change: () => void): void {
  try {
    change();
  } catch {
    // PERSIST-10 checks that values can be changed in place.
  }
}

/** A visitor, and what their session should hold. */
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

  /** Begins a request, continues it, or ends it. */
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

  /** Ends the request in progress. */
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
        `${this.#name} does not read the data of their own session`,
      );
    }
    return request;
  }
}

/** A visitor's cookie, changed for another namespace. */
function moved(from: Visitor, to: Visitor, head: string): string {
  const name = nameOf(to);
  return name + head + (from.cookie ?? "").slice(nameOf(from).length);
}

/** The cookie's name and equals sign, if it has a name. */
function nameOf({ storage, cookie }: Visitor): string {
  return storage.port.http && cookie ? cookie.replace(/=.*/s, "=") : "";
}

/** Cookies that differ from a visitor's by details that databases and servers are known to ignore. */
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
  // In a Cookie header, spaces around a value and escapes are not part of the value.
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

/** The full-width form of a letter, which some comparisons treat as the same letter. */
function wide(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
}
