/**
 * REGEN: a login gets a new id, and a client cannot choose it.
 *
 * @module
 */
import { blame } from "../trial/port.ts";
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Trial } from "../trial/trial.ts";
import { failWhileRenewing, readsEmpty, swap } from "./support/renewing.ts";
import { must, type Rule } from "./support/rule.ts";

export const regenerate: readonly Rule[] = [
  must("REGEN-01", {
    sentence:
      "A save after regenerateId alone changes the id and the cookie, and keeps the data.",
    why:
      "Otherwise an attacker who planted the old id in the visitor's browser is signed in too (session fixation).",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", ["tea"]));
      const old = visitor.cookie;
      const { id } = await visitor.request();
      const request = await visitor.visit((r) => r.regenerate());
      t.equal(request.sent.kind, "cookie", "no new cookie is sent");
      t.ok(visitor.cookie !== old, "the cookie stays the same");
      const next = await visitor.request();
      t.ok(next.id !== id, "the id stays the same");
      t.equal(next.get("cart"), ["tea"], "the data is lost");
    },
  }),
  must("REGEN-02", {
    capabilities: ["revoke"],
    sentence:
      "Once the new id is saved, reading the old cookie returns an empty session.",
    why:
      "Otherwise anybody who knew the old id shares the session after the login.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", ["tea"]));
      const old = visitor.cookie;
      await visitor.visit((r) => {
        r.set("userId", "u1");
        r.regenerate();
      });
      await readsEmpty(t, visitor, old, "the old cookie");
      t.equal(
        (await visitor.request()).get("userId"),
        "u1",
        "the data is lost",
      );
    },
  }),
  must("REGEN-03", {
    capabilities: ["revoke"],
    sentence:
      "After several new ids in one request, only the last one is valid.",
    why: "If two layers both renew the id, a planted id must not stay valid.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", ["tea"]));
      const old = visitor.cookie;
      const request = await visitor.request();
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) {
        request.regenerate();
        ids.push(request.id);
      }
      await request.save();
      await readsEmpty(t, visitor, old, "the first cookie");
      for (const id of ids.slice(0, -1)) {
        await readsEmpty(
          t,
          visitor,
          swap(visitor.cookie, request.id, id),
          "an id in between",
        );
      }
      t.equal(
        (await visitor.request()).get("cart"),
        ["tea"],
        "the data is lost",
      );
    },
  }),
  must("REGEN-04", {
    capabilities: ["revoke"],
    sentence: "After a new id and then destroy in one request, no id is valid.",
    why: "A logout that also renews the id must end the old one too.",
    async check(t) {
      for (const between of [false, true]) {
        const visitor = await t.visitor();
        await visitor.visit((r) => r.set("userId", "u1"));
        const old = visitor.cookie;
        const request = await visitor.request();
        const { id } = request;
        request.regenerate();
        if (between) await request.save();
        const late = between ? visitor.cookie : swap(old, id, request.id);
        const sent = await request.destroy();
        t.equal(sent.kind, "clear", "destroy does not clear the cookie");
        await readsEmpty(t, visitor, old, "the old cookie");
        await readsEmpty(t, visitor, late, "the new cookie");
      }
    },
  }),
  must("REGEN-05", {
    sentence:
      "An id that is unknown, destroyed or malformed is never adopted. EXPIRY-02 says the same of an expired one.",
    why:
      "Otherwise an attacker plants an id, waits for the login, and has the session.",
    async check(t) {
      const storage = await t.open();
      const planted = await madeUp(t, storage);
      if (t.claims("revoke")) {
        const left = await t.visitor(storage);
        await left.visit((r) => r.set("userId", "u0"));
        planted.push(["a destroyed id", left.cookie]);
        await (await left.request()).destroy();
        await t.settle();
      }
      for (const [what, cookie] of planted) {
        const victim = await t.visitor(storage);
        victim.cookie = cookie;
        const request = await victim.request();
        t.ok(
          !request.has("userId"),
          `${what} reads the session of another visitor`,
        );
        request.set("userId", "u1");
        await request.save();
        await t.settle();
        const attacker = await (await t.visitor(storage)).request(cookie);
        t.ok(!attacker.has("userId"), `${what} is adopted`);
        t.equal(
          (await victim.request()).get("userId"),
          "u1",
          `a visitor with ${what} cannot sign in`,
        );
      }
    },
  }),
  must("REGEN-06", {
    capabilities: ["revoke", "faults"],
    sentence:
      "If the new record cannot be written, the old one stays readable. Once a later save succeeds, only one id is valid.",
    why:
      "A short failure of the engine during a login must not lose the visitor's cart.",
    async check(t) {
      // The engine fails before the save, then at each step of it: this shows what the save writes first.
      for (const steps of t.cases(16)) {
        await failWhileRenewing(t, steps, (r) => {
          r.set("userId", "u1");
          r.regenerate();
        });
      }
    },
  }),
  must("REGEN-07", {
    session: true,
    sentence:
      "Ids have at least 128 random bits, use characters that are allowed in a cookie, and do not repeat.",
    why:
      "An attacker who guesses an id has the session. A character that is not allowed breaks the cookie.",
    async check(t) {
      const ids = await collectIds(t);
      t.ok(new Set(ids).size === ids.length, "an id repeats");
      // RFC 6265, section 4.1.1: cookie-octet.
      const safe = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/;
      t.ok(
        ids.every((id) => safe.test(id)),
        "an id has a character that is not allowed in a cookie",
      );
      const bits = Math.floor(randomBits(ids));
      // The estimate has a margin: it accepts 128 bits in any alphabet, but not a version 4 UUID.
      t.ok(
        bits >= 124,
        `ids have about ${bits} random bits; 128 are required` +
          (isUuid(ids) ? "; a version 4 UUID has 122" : ""),
      );
    },
  }),
  must("REGEN-08", {
    capabilities: ["revoke"],
    sentence:
      "After a new id and a save, and another new id and a save, neither earlier id is valid.",
    why:
      "If a login has two steps that each renew the id, the ids before and between must not stay valid.",
    async check(t) {
      for (const sameRequest of [true, false]) {
        const visitor = await t.visitor();
        await visitor.visit((r) => r.set("cart", ["tea"]));
        const cookies = [visitor.cookie];
        let request = await visitor.request();
        for (let i = 0; i < 2; i++) {
          if (!sameRequest) request = await visitor.request();
          request.regenerate();
          await request.save();
          cookies.push(visitor.cookie);
        }
        await readsEmpty(t, visitor, cookies[0] ?? null, "the first cookie");
        await readsEmpty(t, visitor, cookies[1] ?? null, "the second cookie");
        t.equal(
          (await visitor.request()).get("cart"),
          ["tea"],
          "the data is lost",
        );
      }
    },
  }),
];

/** Cookies that the storage never sent, well-formed and malformed. */
async function madeUp(
  t: Trial,
  storage: OpenStorage,
): Promise<[what: string, cookie: string | null][]> {
  const real: string[] = [];
  for (let i = 0; i < 4; i++) {
    const visitor = await t.visitor(storage);
    await visitor.visit((r) => r.set("userId", `real${i}`));
    if (visitor.cookie !== null) real.push(visitor.cookie);
  }
  const name = storage.port.http ? `${real[0]?.split("=")[0]}=` : "";
  const values = real.map((cookie) => cookie.slice(name.length));
  const length = Math.min(...values.map((value) => value.length));
  const blend = () =>
    Array.from({ length }, (_, i) => t.random.pick(values).charAt(i)).join("");
  const out: [string, string | null][] = [];
  // A bare value that holds the whole session is protected by its signed cookie, which is missing here.
  const bare = t.claims("selfContained") && !storage.port.http;
  for (let i = 0; i < 3 && !bare; i++) {
    const value = blend();
    // If ids are short and sequential, a made-up one may exist.
    if (values.includes(value)) continue;
    out.push(["an id of the right shape", name + value]);
  }
  for (const value of ["1", "admin", "a".repeat(24), "A1".repeat(16)]) {
    out.push([`the id ${value}`, name + value]);
  }
  return out;
}

/** Ids of new sessions; of stored ones if ids are only made on saving. */
async function collectIds(t: Trial): Promise<string[]> {
  const storage = await t.open();
  const probe = await t.visitor(storage);
  const first = await probe.request();
  const before = first.id;
  first.set("userId", "u1");
  await first.save();
  const after = (await probe.request()).id;
  if (after === "") t.notApplicable("its sessions do not have an id");
  t.note("200 new visitors");
  const ids = [after];
  while (ids.length < 200) {
    const { port } = storage;
    const session = await blame("reading a session", () => port.read(null));
    if (before !== after) {
      session.set("userId", "u1");
      const sent = await blame("saving a session", () => port.save(session));
      const cookie = sent.kind === "cookie" ? sent.cookie : null;
      const { id } = await blame("reading a session", () => port.read(cookie));
      ids.push(String(id));
    } else ids.push(String(session.id));
  }
  return ids;
}

/** About how many random bits ids have, estimated from the number of letters seen at each position. */
function randomBits(ids: readonly string[]): number {
  const longest = Math.max(...ids.map((id) => id.length));
  const places = Array.from({ length: longest }, (_, i) => {
    const letters = ids.map((id) => id.charAt(i)).filter((c) => c !== "");
    return { count: letters.length, letters: new Set(letters) };
  });
  const varying = places.filter(({ letters }) => letters.size > 1);
  const alphabet = new Set(varying.flatMap((p) => [...p.letters])).size;
  let bits = 0;
  for (const { count, letters } of varying) {
    // If half of the letters of an alphabet that so many ids would show are seen, the whole alphabet counts.
    const expected = alphabet * (1 - (1 - 1 / alphabet) ** count);
    const size = letters.size * 2 >= expected ? alphabet : letters.size;
    bits += Math.log2(size) * count / ids.length;
  }
  return bits;
}

function isUuid(ids: readonly string[]): boolean {
  return ids.every((id) =>
    /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)
  );
}
