/**
 * Records of many sizes, which a storage returns whole or refuses.
 *
 * @module
 */
import { Violation } from "../../trial/port.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";

/**
 * Sizes of a text, in characters or bytes. Small ones are first, then each limit that engines are known to have: columns
 * of 255, 1,000, 4,000 and 65,535; cookies and pages of 4 KB and 8 KB; messages of 256 KB; items of 400 KB.
 */
export const SIZES: readonly number[] = [
  1_048_576,
  65_536,
  4_000,
  1_000,
  256,
  100_000,
  4_096,
  262_144,
  16_384,
  8_192,
  409_600,
  255,
  257,
  999,
  1_001,
  1_024,
  3_999,
  4_001,
  65_534,
  65_535,
  65_537,
];

/** Something that is put into a session, and how it is found again. */
export interface Load {
  /** What it is, as a reason says it. */
  readonly what: string;
  /** Puts it into a session. */
  put(request: VisitorRequest): void;
  /** What is wrong with it in a later request; `undefined` if it is whole. */
  fault(request: VisitorRequest): string | undefined;
}

/** Saves a load in a session that was stored before. It must be returned whole, or refused whole. Returns whether it was refused. */
export async function keepsOrRefuses(t: Trial, load: Load): Promise<boolean> {
  const visitor = await t.visitor();
  await visitor.visit((r) => r.set("userId", "u1"));
  const { cookie } = visitor;
  const request = await visitor.request();
  t.note(`${request.name} puts ${load.what} into the session`);
  const refused = await t.refuses(async () => {
    load.put(request);
    await request.save();
  });
  await t.settle();
  if (refused) {
    await leftAlone(t, visitor, cookie, load.what);
    return true;
  }
  fitsBrowsers(t, visitor, load.what);
  const next = await visitor.request();
  const fault = load.fault(next);
  t.ok(fault === undefined, `${load.what}: the save resolves, but ${fault}`);
  t.equal(
    next.get("userId"),
    "u1",
    `${load.what}: the save resolves, but another value is lost`,
  );
  return false;
}

/** Fails unless the session that was stored before is whole after a refused save. */
async function leftAlone(
  t: Trial,
  visitor: Visitor,
  cookie: string | null,
  what: string,
): Promise<void> {
  t.ok(
    visitor.cookie === cookie,
    `${what}: the save is refused, but sends a cookie`,
  );
  const next = await visitor.request();
  t.equal(
    next.get("userId"),
    "u1",
    `${what}: the save is refused, but the session that was stored before is lost`,
  );
  t.ok(!next.has("text"), `${what}: the save is refused, but stored in part`);
}

/** Fails if browsers would drop the cookie. */
function fitsBrowsers(
  t: Trial,
  { cookie, storage }: Visitor,
  what: string,
): void {
  if (cookie === null) return;
  const bytes = new TextEncoder().encode(cookie).length;
  // RFC 6265bis, section 5.6: a name and a value of more than 4,096 bytes are ignored; the sign between them is not counted.
  const most = storage.port.http ? 4097 : 4096;
  t.ok(
    bytes <= most,
    `${what}: the save resolves, but its cookie has more than 4,096 bytes, so browsers drop it`,
  );
}

/** One text, as a value or a flash. */
export function textLoad(
  kind: "value" | "flash",
  text: string,
  size: string,
): Load {
  return {
    what: `a ${kind} of ${size}`,
    put: (r) => kind === "value" ? r.set("text", text) : r.flash("text", text),
    fault(r) {
      if (!r.has("text")) return "it is lost";
      const got = r.get("text");
      if (got === text) return undefined;
      if (typeof got !== "string") return "it comes back as another type";
      return text.startsWith(got)
        ? `it is cut to ${inWords(got.length)} characters`
        : "it comes back changed";
    },
  };
}

/** Many small entries. */
export function manyLoad(count: number): Load {
  const keys = Array.from({ length: count }, (_, i) => `key${i}`);
  return {
    what: `${inWords(count)} keys`,
    // By the session itself: the trace does not need a line for each.
    put({ session }) {
      try {
        for (const [i, key] of keys.entries()) session.set(key, i);
      } catch (cause) {
        throw new Violation("set threw", undefined, cause);
      }
    },
    fault({ session }) {
      const lost = keys.filter((key, i) => session.get(key) !== i).length;
      return lost === 0 ? undefined : `${inWords(lost)} of them are lost`;
    },
  };
}

/** A load that the storage refuses; `undefined` if it stores 1 MB. */
export async function findRefused(
  t: Trial,
  kind: "value" | "flash",
): Promise<Load | undefined> {
  for (const size of [5_000, 70_000, 500_000, 1_048_576]) {
    const text = t.random.word(size);
    const load = textLoad(kind, text, `${inWords(size)} characters`);
    const visitor = await t.visitor();
    await visitor.visit((r) => r.set("userId", "u1"));
    if (await t.refuses(() => visitor.visit(load.put))) return load;
  }
  return undefined;
}

/** Fails if a request after a refused save cannot be saved. */
export async function savesAgain(t: Trial, load: Load): Promise<void> {
  const visitor = await t.visitor();
  await visitor.visit((r) => r.set("userId", "u1"));
  const { cookie } = visitor;
  const records = await visitor.storage.records();
  const request = await visitor.request();
  await t.rejects(async () => {
    load.put(request);
    await request.save();
  }, `${load.what} is not refused this time`);
  await t.settle();
  await leftAlone(t, visitor, cookie, load.what);
  const after = await visitor.storage.records();
  for (const [key, text] of records ?? []) {
    if (after?.get(key) === text) continue;
    throw new Violation(
      `${load.what}: the save is refused, but changed the stored record`,
    );
  }
  await visitor.visit((r) => r.set("visits", 2));
  await t.settle();
  const next = await visitor.request();
  t.equal(
    [next.get("userId"), next.get("visits")],
    ["u1", 2],
    `after ${load.what} was refused, the session cannot be saved`,
  );
  const fresh = await t.visitor();
  const first = await fresh.request();
  const refused = await t.refuses(async () => {
    load.put(first);
    await first.save();
  });
  t.ok(
    !refused || fresh.cookie === null,
    `${load.what}: the save of a new session is refused, but sends a cookie`,
  );
}

/** A number with commas. */
export function inWords(number: number): string {
  return number.toLocaleString("en");
}
