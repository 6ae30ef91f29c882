/**
 * Visitors whose sessions have an owner, and checks of the owner's list.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial, TrialOpenOptions } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";

/** Opens a storage whose sessions are owned by the user who is signed in. */
export async function openOwned(
  t: Trial,
  options: TrialOpenOptions = {},
): Promise<OpenStorage> {
  return await t.open({
    ...options,
    owner: ({ userId }) => typeof userId === "string" ? userId : undefined,
  });
}

/** Another instance over the same engine, if the target claims `shared`. */
export async function openAgain(
  t: Trial,
  storage: OpenStorage,
): Promise<OpenStorage> {
  return t.claims("shared")
    ? await openOwned(t, { namespace: storage.namespace })
    : storage;
}

/** A visitor who signs in. `device` identifies the session. */
export async function signIn(
  t: Trial,
  storage: OpenStorage,
  userId: string,
  device = "laptop",
): Promise<Visitor> {
  const visitor = await t.visitor(storage);
  await visitor.visit((r) => {
    r.set("userId", userId);
    r.set("device", device);
  });
  return visitor;
}

/** Fails unless an owner's list has exactly the sessions of these devices. */
export async function listed(
  t: Trial,
  storage: OpenStorage,
  userId: string,
  devices: readonly string[],
  what: string,
): Promise<void> {
  await t.settle();
  const found = await storage.owners.list(userId);
  const got = found.map(({ data }) => String(data["device"]));
  t.equal(got.sort(), [...devices].sort(), what);
}

/** Fails if a cookie still reads a session. */
export async function ended(
  t: Trial,
  visitor: Visitor,
  cookie: string | null,
  what: string,
): Promise<void> {
  await t.settle();
  const request = await visitor.request(cookie);
  for (const key of ["userId", "device"]) t.ok(!request.has(key), what);
}

/** Fails unless a visitor is still signed in. */
export async function alive(
  t: Trial,
  visitor: Visitor,
  what: string,
): Promise<void> {
  await t.settle();
  t.ok((await visitor.request()).has("userId"), what);
}

/** Whether the sessions have `regenerateId()`. */
export function canRegenerate({ session }: VisitorRequest): boolean {
  return typeof session.regenerateId === "function";
}
