/**
 * How a rule presents an id of its own choice to a storage whose cookie may be signed.
 *
 * A cookie with a changed id does not have a valid signature, so the storage rejects it before it looks for the id. A
 * rule that sends it learns nothing about how ids are looked up.
 *
 * @module
 */
import { HarnessError } from "../../trial/port.ts";
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";
import { encode } from "./forgeries.ts";

/** A way to present any id. */
export interface Door {
  /** The storage that the ids are presented to. It shares its sessions with the storage that the door was made for. */
  readonly storage: OpenStorage;
  /** What a visitor would send to present an id. */
  cookieOf(id: string): Promise<string>;
  /** The id by which a visitor's stored session is found. */
  idOf(visitor: Visitor): Promise<string>;
}

/** What an author adds so that ids can be tried. */
export const NO_DOOR: string =
  "its cookie is signed or holds more than the id, so a changed id is rejected before it is looked up; return cookieFor from open(), which makes the Cookie header for an id as the site signs it";

const doors = new WeakMap<OpenStorage, Promise<Door | undefined>>();

/** The way to present ids to a storage; `undefined` if there is none. The first call stores two sessions. */
export function doorOf(
  t: Trial,
  storage: OpenStorage,
): Promise<Door | undefined> {
  const known = doors.get(storage) ?? findDoor(t, storage);
  doors.set(storage, known);
  return known;
}

async function findDoor(
  t: Trial,
  storage: OpenStorage,
): Promise<Door | undefined> {
  // The cookie is the session: no id is looked up.
  if (t.claims("selfContained")) return undefined;
  const { bare, cookieFor } = storage;
  if (bare) return await plainDoor(t, bare);
  return cookieFor
    ? await signingDoor(t, storage, cookieFor)
    : await plainDoor(t, storage);
}

/** By the target's own hook. */
async function signingDoor(
  t: Trial,
  storage: OpenStorage,
  cookieOf: Door["cookieOf"],
): Promise<Door | undefined> {
  const visitor = await stored(t, storage);
  const { id } = await visitor.request();
  if (id === "") t.notApplicable("its sessions do not have an id");
  const cookie = await cookieOf(id);
  if (!(await visitor.request(cookie)).has("theme")) {
    throw new HarnessError(
      "cookieFor() returned a header that does not read the session of that id; it must return the Cookie header that the site would receive",
    );
  }
  return { storage, cookieOf, idOf: async (v) => (await v.request()).id };
}

/** By a cookie that holds the id and nothing that depends on it, as the cookies of two visitors show. */
async function plainDoor(
  t: Trial,
  storage: OpenStorage,
): Promise<Door | undefined> {
  const idOf = async (visitor: Visitor) => (await visitor.request()).id;
  const visitors = [await stored(t, storage), await stored(t, storage)];
  const [one, two] = visitors;
  if (!one || !two) return undefined;
  const [idOne, idTwo] = [await idOf(one), await idOf(two)];
  const { http } = storage.port;
  if (!http && (idOne === "" || !one.cookie?.includes(idOne))) {
    // The value is all that the storage is given to find the session by.
    return {
      storage,
      cookieOf: (id) => Promise.resolve(id),
      idOf: (visitor) => Promise.resolve(visitor.cookie ?? ""),
    };
  }
  if (idOne === "" || idTwo === "") return undefined;
  for (const write of http ? WRITINGS : [(id: string) => id]) {
    const [around, same] = [
      surroundings(one, write(idOne)),
      surroundings(two, write(idTwo)),
    ];
    if (!around || !same || around.join("\0") !== same.join("\0")) continue;
    const [before, after] = around;
    const cookieOf = (id: string) =>
      Promise.resolve(before + write(id) + after);
    return { storage, cookieOf, idOf };
  }
  return undefined;
}

/** How cookies write an id: as it is, as JSON in base64 (React Router, Remix), and in base64url behind a letter (Satchel). */
const WRITINGS: readonly ((id: string) => string)[] = [
  encode,
  (id) => {
    const bytes = new TextEncoder().encode(JSON.stringify(id));
    return encodeURIComponent(btoa(String.fromCharCode(...bytes)));
  },
  (id) => {
    const bytes = new TextEncoder().encode(`s${id}`);
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-")
      .replaceAll("/", "_").replace(/=+$/, "");
  },
];

/** What a visitor's cookie holds before and after a text; `undefined` if it does not hold it. */
function surroundings(
  { cookie, storage }: Visitor,
  text: string,
): readonly [string, string] | undefined {
  const name = storage.port.http ? (cookie?.indexOf("=") ?? -1) + 1 : 0;
  const at = cookie?.indexOf(text, name) ?? -1;
  if (!cookie || at < 0) return undefined;
  return [cookie.slice(0, at), cookie.slice(at + text.length)];
}

async function stored(t: Trial, storage: OpenStorage): Promise<Visitor> {
  const visitor = await t.visitor(storage);
  await visitor.visit((r) => r.set("theme", "dark"));
  await t.settle();
  return visitor;
}

/** Begins a request that presents an id. */
export async function present(
  t: Trial,
  door: Door,
  id: string,
): Promise<VisitorRequest> {
  const visitor = await t.visitor(door.storage);
  return await visitor.request(await door.cookieOf(id));
}
