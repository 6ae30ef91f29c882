/** Sessions of Remix 3 that are too large. */
import assert from "node:assert/strict";
import type { Show } from "../run.ts";
import { signIn, type Storage } from "./remix_storage.ts";

type Session = Awaited<ReturnType<Storage["read"]>>;

/** Puts something large into a session, and saves it. */
async function show(
  storage: Storage,
  work: (session: Session) => void,
): Promise<void> {
  const browser = await signIn(storage);
  const session = await storage.read(browser);
  work(session);
  let cookie: string | null = null;
  try {
    cookie = await storage.save(session);
  } catch {
    const next = await storage.read(browser);
    assert(next.has("userId"), "the save that failed removed the session");
    return;
  }
  // A browser ignores a cookie of more bytes.
  assert((cookie ?? "").length <= 4096, "its cookie is dropped by browsers");
}

const visitor =
  "A page saves too much. A cookie of more than 4096 bytes is dropped by the browser without an error; Memcached, above 1 MB, refuses the new record and removes the old one, so that the visitor is signed out.";

/** The reproductions, by rule. */
export const sizeShows: Readonly<Record<string, Show<Storage>>> = {
  "SIZE-01": {
    visitor,
    show: (storage) =>
      show(storage, (session) => session.set("text", "x".repeat(2 ** 20))),
  },
  "SIZE-02": {
    visitor,
    show: (storage) =>
      show(storage, (session) => session.set("text", "é".repeat(2 ** 20))),
  },
  "SIZE-03": {
    visitor,
    show: (storage) =>
      show(storage, (session) => session.flash("text", "x".repeat(2 ** 20))),
  },
  "SIZE-04": {
    visitor,
    show: (storage) =>
      show(storage, (session) => {
        for (let i = 0; i < 10_000; i++) session.set(`k${i}`, i);
      }),
  },
  "SIZE-05": {
    visitor,
    async show(storage) {
      await show(
        storage,
        (session) => session.set("text", "x".repeat(2 ** 20)),
      );
    },
  },
};
