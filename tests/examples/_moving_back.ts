/** What has to hold for a move from each old application. */
import { assert, assertEquals } from "@std/assert";
import {
  createMemorySessionStorage,
  createReadThroughSessionStorage,
  type SessionStorage,
} from "../../mod.ts";
import type { OldApplication } from "./_old_applications.ts";

/** What the old application reads, without the instants that this library adds for a login. */
async function readAt(old: OldApplication, cookie: string): Promise<object> {
  const { __satchel__: _, ...data } = (await old.visit(cookie)).data;
  return data;
}

const pair = (setCookie: string) => setCookie.split(";")[0] ?? "";

function moving(
  { sessions }: OldApplication,
  to: SessionStorage,
  keepOld: boolean,
): SessionStorage {
  return createReadThroughSessionStorage({ to, from: sessions, keepOld });
}

function newStorage(): SessionStorage {
  return createMemorySessionStorage({
    cookie: { name: "__new", secrets: ["new secret"] },
  });
}

/** Signs in at the old application, goes on at the first release, and back: nobody is signed out, nothing is lost. */
export async function assertGoesBack(old: OldApplication): Promise<void> {
  const { name } = old;
  const kept = moving(old, newStorage(), true);
  // A login at the old application, a change at the new one, and back.
  let { cookie } = await old.visit("", { userId: "ann" });
  const session = await kept.getSession(cookie);
  assertEquals(session.data, { userId: "ann" }, name);
  session.set("theme", "dark");
  cookie = pair(await kept.commitSession(session)) || cookie;
  const visit = await old.visit(cookie, { cart: 1 });
  assertEquals(visit.data, { userId: "ann", theme: "dark" }, name);
  cookie = visit.cookie;
  const again = await kept.getSession(cookie);
  assertEquals(again.data, { userId: "ann", theme: "dark", cart: 1 }, name);
  again.unset("theme");
  cookie = pair(await kept.commitSession(again)) || cookie;
  assertEquals(
    await readAt(old, cookie),
    { userId: "ann", cart: 1 },
    name,
  );
  // A login at the new one.
  const other = await kept.getSession(cookie);
  other.restart();
  other.set("userId", "bob");
  const theirs = pair(await kept.commitSession(other));
  assertEquals(await readAt(old, theirs), { userId: "bob" }, name);
  if (!old.inCookie) assertEquals(await readAt(old, cookie), {}, name);
  // A logout at the new one.
  const cleared = await kept.destroySession(await kept.getSession(theirs));
  assert(/Max-Age=0|Expires=Thu, 01 Jan 1970/.test(cleared), name);
  assertEquals(await readAt(old, pair(cleared)), {}, name);
  if (!old.inCookie) assertEquals(await readAt(old, theirs), {}, name);
}

/** The second release moves what the first one left, and a server of the first one finds it. */
export async function assertMoves(old: OldApplication): Promise<void> {
  const { name } = old;
  const to = newStorage();
  const first = moving(old, to, true);
  const second = moving(old, to, false);
  const { cookie } = await old.visit("", { userId: "ann" });
  const session = await second.getSession(cookie);
  session.set("theme", "dark");
  const both = `${cookie}; ${pair(await second.commitSession(session))}`;
  assert(both.includes("__new="), name);
  const found = await first.getSession(both);
  assertEquals(found.data, { userId: "ann", theme: "dark" }, name);
  // The last release reads the new cookie alone.
  assertEquals((await to.getSession(both)).data, found.data, name);
  await second.destroySession(await second.getSession(both));
  for (const storage of [first, second]) {
    assertEquals((await storage.getSession(both)).data, {}, name);
    assertEquals((await storage.getSession(cookie)).data, {}, name);
  }
}

/** What a visitor sends who does not know the secret. */
export async function assertReadsNothingForged(
  old: OldApplication,
): Promise<void> {
  const { cookie } = await old.visit("", { userId: "ann" });
  const storage = moving(old, newStorage(), false);
  const [name = "", value = ""] = cookie.split(/=(.*)/);
  const forged = [
    ...[
      "",
      "%",
      "%E0%A4%A",
      "s%3A",
      "s%3Aadmin.x",
      "Fe26.2*",
      "Fe26.2*1*",
      "e.e.e.e.e",
      "null",
      "{}",
    ],
    ...[value.slice(0, -9), `_${value}`, value.replace(/^.{9}/, "")],
  ].map((text) => `${name}=${text}`);
  for (const header of forged) {
    const { data } = await storage.getSession(header);
    assertEquals(data, {}, `${old.name}: ${header}`);
  }
  // An id that is not signed hides the one behind it, as it did in the old application.
  if (old.unsigned) return;
  const { data } = await storage.getSession(`${name}=planted; ${cookie}`);
  assertEquals(data, { userId: "ann" }, old.name);
}

/** After the second release, the two storages exchange their places: a session moves back when it changes. */
export async function assertMovesBack(old: OldApplication): Promise<void> {
  const { name } = old;
  const to = newStorage();
  const second = moving(old, to, false);
  const { cookie } = await old.visit("", { userId: "ann" });
  const session = await second.getSession(cookie);
  session.set("theme", "dark");
  const both = `${cookie}; ${pair(await second.commitSession(session))}`;
  const back = createReadThroughSessionStorage({
    to: old.sessions,
    from: to,
  });
  const found = await back.getSession(both);
  assertEquals(found.data, { userId: "ann", theme: "dark" }, name);
  found.set("cart", 1);
  const again = pair(await back.commitSession(found));
  const { data } = await old.visit(again);
  assertEquals(data, { userId: "ann", theme: "dark", cart: 1 }, name);
}
