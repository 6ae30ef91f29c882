/**
 * REGEN: who signs in gets a new id, and nobody can bring one along.
 *
 * @module
 */
import { blame } from "../trial/port.ts";
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Trial } from "../trial/trial.ts";
import type { Visitor } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";

export const regenerate: readonly Rule[] = [
  must("REGEN-01", {
    sentence:
      "Regenerating the id, and nothing else, is saved: the id and the cookie change, the data stays.",
    why:
      "Whoever planted the old id in the visitor's browser would be signed in with it (session fixation).",
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
    sentence: "Once a new id is saved, the old cookie reads as empty.",
    why: "Whoever knew the old id would share the session from the sign-in on.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", ["tea"]));
      const old = visitor.cookie;
      await visitor.visit((r) => {
        r.set("userId", "u1");
        r.regenerate();
      });
      await over(t, visitor, old, "the old cookie");
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
      "After several new ids in one request, only the last of them lives.",
    why: "Two layers that both renew the id would leave the planted one alive.",
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
      await over(t, visitor, old, "the first cookie");
      for (const id of ids.slice(0, -1)) {
        await over(
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
    sentence: "After a new id and then destroy in one request, no id lives.",
    why: "A logout that also renews the id would leave the old one signed in.",
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
        await over(t, visitor, old, "the old cookie");
        await over(t, visitor, late, "the new cookie");
      }
    },
  }),
  must("REGEN-05", {
    sentence:
      "An id that is unknown, destroyed or malformed is never adopted; nor is one that has expired, as EXPIRY-02 says.",
    why:
      "An attacker plants an id of their own making, waits for the sign-in, and has the session.",
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
        t.ok(!request.has("userId"), `${what} reads as somebody's session`);
        request.set("userId", "u1");
        await request.save();
        await t.settle();
        const attacker = await (await t.visitor(storage)).request(cookie);
        t.ok(!attacker.has("userId"), `${what} is adopted`);
        t.equal(
          (await victim.request()).get("userId"),
          "u1",
          `whoever comes with ${what} cannot sign in`,
        );
      }
    },
  }),
  must("REGEN-06", {
    capabilities: ["revoke", "faults"],
    sentence:
      "If the new record cannot be written, the old one stays readable, and saving again later leaves one living id.",
    why:
      "A short failure of the engine at sign-in would throw away the visitor's cart.",
    async check(t) {
      // The failure comes before the save, and at each of its steps: what it does first shows by what is left then.
      for (let steps = 0; steps < 16; steps++) {
        await failWhileRenewing(t, steps);
      }
    },
  }),
  must("REGEN-07", {
    session: true,
    sentence:
      "Ids carry at least 128 random bits, are safe in a cookie and do not repeat.",
    why:
      "An id that can be guessed is somebody's session; one that breaks the cookie is nobody's.",
    async check(t) {
      const ids = await collectIds(t);
      t.ok(new Set(ids).size === ids.length, "an id repeats");
      // RFC 6265, section 4.1.1: cookie-octet.
      const safe = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/;
      t.ok(ids.every((id) => safe.test(id)), "an id is not safe in a cookie");
      const bits = Math.floor(randomBits(ids));
      // The estimate is a little unsure: it spares 128 bits in an odd alphabet, but no UUID of version 4.
      t.ok(
        bits >= 124,
        `ids carry about ${bits} random bits, and 128 are asked for` +
          (isUuid(ids) ? "; a UUID of version 4 carries 122" : ""),
      );
    },
  }),
  must("REGEN-08", {
    capabilities: ["revoke"],
    sentence:
      "After a new id, a save, another new id and another save, neither earlier id lives.",
    why:
      "Of two steps of a sign-in, each with a new id, one would stay open to whoever knew it.",
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
        await over(t, visitor, cookies[0] ?? null, "the first cookie");
        await over(t, visitor, cookies[1] ?? null, "the second cookie");
        t.equal(
          (await visitor.request()).get("cart"),
          ["tea"],
          "the data is lost",
        );
      }
    },
  }),
];

/** Lets all writes fail some steps after a save with a new id has begun, and heals them again. */
async function failWhileRenewing(t: Trial, steps: number): Promise<void> {
  const visitor = await t.visitor();
  await visitor.visit((r) => r.set("cart", ["tea"]));
  const old = visitor.cookie;
  const request = await visitor.request();
  request.set("userId", "u1");
  request.regenerate();
  const first = request.id;
  const { faults } = visitor.storage;
  if (steps === 0) await faults.fail({ writes: true });
  const saving = t.refuses(() => request.save());
  for (let i = 1; i < steps; i++) await Promise.resolve();
  if (steps > 0) await faults.fail({ writes: true });
  const refused = await saving;
  t.ok(refused || steps > 0, "a save resolves although no write does");
  if (refused) {
    const meanwhile = await visitor.request(old);
    t.equal(meanwhile.get("cart"), ["tea"], "the old session is lost");
    t.ok(!meanwhile.has("userId"), "half a save is stored");
  }
  await faults.heal();
  if (refused) {
    const sent = await request.save();
    t.equal(sent.kind, "cookie", "saving again sends no cookie");
  }
  const next = await visitor.request();
  t.equal(next.get("userId"), "u1", "saving again loses the change");
  t.equal(next.get("cart"), ["tea"], "saving again loses the data");
  await over(t, visitor, old, "after saving again, the old cookie");
  if (first !== request.id) {
    const other = swap(visitor.cookie, request.id, first);
    await over(t, visitor, other, "the id of the save that failed");
  }
}

/** Fails if a cookie that is over still reads as its session. */
async function over(
  t: Trial,
  visitor: Visitor,
  cookie: string | null,
  what: string,
): Promise<void> {
  await t.settle();
  const request = await visitor.request(cookie);
  const { id } = await visitor.request();
  t.ok(
    !request.has("userId") && !request.has("cart"),
    `${what} still has the data`,
  );
  t.anotherId("REGEN-02", request, id, `${what} still has the id`);
}

/** A cookie with another id in it, where ids stand in cookies as they are; else no cookie. */
function swap(cookie: string | null, id: string, other: string): string | null {
  if (!cookie || id === "" || !cookie.includes(id)) return null;
  return cookie.replace(id, () => other);
}

/** Cookies that no storage has sent, of the right shape and of wrong ones. */
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
  // Bare values that hold the session itself are protected by a cookie, which is not there to refuse them.
  const bare = t.claims("selfContained") && !storage.port.http;
  for (let i = 0; i < 3 && !bare; i++) {
    const value = blend();
    // Where ids are short and counted, a made-up one may be real.
    if (values.includes(value)) continue;
    out.push(["an id of the right shape", name + value]);
  }
  for (const value of ["1", "admin", "a".repeat(24), "A1".repeat(16)]) {
    out.push([`the id ${value}`, name + value]);
  }
  return out;
}

/** Ids as visitors get them: from sessions that are stored, if only then they are made. */
async function collectIds(t: Trial): Promise<string[]> {
  const storage = await t.open();
  const probe = await t.visitor(storage);
  const first = await probe.request();
  const before = first.id;
  first.set("userId", "u1");
  await first.save();
  const after = (await probe.request()).id;
  if (after === "") t.notApplicable("its sessions have no id");
  t.note("200 visitors come");
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

/** About how many random bits ids carry, judged by how many letters each of their places takes. */
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
    // Half of the letters that so many ids can be expected to show stand for the whole alphabet.
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
