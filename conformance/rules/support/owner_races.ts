/**
 * Requests that overlap with the end of all sessions of their owner.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";
import { headStarts, settled } from "./head_starts.ts";
import { canRegenerate, ended, listed, signIn } from "./owned.ts";

type Work = (request: VisitorRequest) => unknown;

const change: Work = (r) => r.set("visits", 2);
const renew: Work = (r) => {
  r.set("visits", 2);
  if (canRegenerate(r)) r.regenerate();
};

/** Saves sessions that were read before they were ended. */
export async function saveAfterwards(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  for (const work of [change, renew, () => {}]) {
    const visitor = await signIn(t, storage, "u1");
    const { cookie } = visitor;
    const slow = await visitor.request();
    await t.settle();
    await storage.owners.destroy("u1");
    work(slow);
    const sent = await slow.save();
    t.equal(sent.kind, "nothing", "the late save speaks to the browser");
    await isOver(t, visitor, slow, cookie);
    await listed(t, storage, "u1", [], "an ended session is listed");
  }
}

/** Saves sessions while they are ended: the save a little ahead, or the end. */
export async function lateSaves(t: Trial, storage: OpenStorage): Promise<void> {
  for (const work of [change, renew]) {
    await whileEnding(t, storage, async (userId) => {
      const visitor = await signIn(t, storage, userId);
      const { cookie } = visitor;
      const slow = await visitor.request();
      work(slow);
      return {
        save: () => slow.save(),
        async check() {
          await isOver(t, visitor, slow, cookie);
          await listed(t, storage, userId, [], "an ended session is listed");
        },
      };
    });
  }
}

/** Has visitors sign in while the sessions of their owner are ended. */
export async function loginsUnderWay(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  const signIns: ((visitor: Visitor, userId: string) => Promise<unknown>)[] = [
    async () => {},
    // Somebody who has put something into a cart, and somebody who was signed in as another.
    (visitor) => visitor.visit((r) => r.set("cart", ["tea"])),
    (visitor, userId) => visitor.visit((r) => r.set("userId", `not ${userId}`)),
  ];
  for (const [i, before] of signIns.entries()) {
    await whileEnding(t, storage, async (userId) => {
      const earlier = i === 0 ? undefined : await signIn(t, storage, userId);
      const visitor = await t.visitor(storage);
      await before(visitor, userId);
      const login = await visitor.request();
      login.set("userId", userId);
      login.set("device", "login");
      if (i === 1 && canRegenerate(login)) login.regenerate();
      return {
        save: () => login.save(),
        async check() {
          if (earlier) {
            const { cookie } = earlier;
            await ended(
              t,
              earlier,
              cookie,
              "an earlier session outlives its end",
            );
          }
          await t.settle();
          const lives = (await visitor.request()).get("userId") === userId;
          const devices = lives ? ["login"] : [];
          const what = lives
            ? "a session is alive and in no list"
            : "a session is over and listed";
          await listed(t, storage, userId, devices, what);
          await storage.owners.destroy(userId);
          if (!lives) return;
          await ended(t, visitor, visitor.cookie, "the next end spares it");
        },
      };
    });
  }
}

/** Has several visitors sign in as one owner: all at once, and one a little ahead of the others. */
export async function loginsAtOnce(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  let count = 0;
  const stage = async (devices: readonly string[]) => {
    const userId = `u${count++}`;
    const logins: { visitor: Visitor; save(): Promise<unknown> }[] = [];
    for (const [i, device] of devices.entries()) {
      const visitor = await t.visitor(storage);
      // Every other one has a cart already: that session becomes the owner's, under a new id.
      if (i % 2 === 1) await visitor.visit((r) => r.set("cart", ["tea"]));
      const login = await visitor.request();
      login.set("userId", userId);
      login.set("device", device);
      if (i % 2 === 1 && canRegenerate(login)) login.regenerate();
      logins.push({ visitor, save: () => login.save() });
    }
    const check = async () => {
      const says = "of logins at once, one is in no list";
      await listed(t, storage, userId, devices, says);
      const ends = await storage.owners.destroy(userId);
      t.equal(ends, devices.length, "of logins at once, not all are ended");
      for (const { visitor } of logins) {
        await ended(t, visitor, visitor.cookie, "a login outlives its end");
      }
      await listed(t, storage, userId, [], "an ended session is listed");
    };
    return { saves: logins.map(({ save }) => save), check };
  };
  const all = (saves: readonly (() => Promise<unknown>)[]) =>
    settled(saves.map((save) => save()));
  const many = await stage(["laptop", "phone", "tablet", "watch", "car"]);
  await all(many.saves);
  await many.check();
  // What went well is no part of the story of what did not.
  const lines = t.trace.lines.length;
  const { saves: [save = async () => {}] } = await stage(["laptop"]);
  const { lengths, meet } = await headStarts(save);
  for (const length of lengths) {
    t.trace.lines.length = lines;
    const { saves, check } = await stage(["laptop", "phone", "tablet"]);
    const [first = save, ...others] = saves;
    await meet(length, first, () => all(others));
    await check();
  }
}

/** Ends the sessions of an owner twice at the same time: whichever resolves, all are ended by then. */
export async function endsAtOnce(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  const devices = ["laptop", "phone"];
  // What went well is no part of the story of what did not.
  const lines = t.trace.lines.length;
  await signIn(t, storage, "twice");
  const { lengths, meet } = await headStarts(() =>
    storage.owners.destroy("twice")
  );
  for (const length of lengths) {
    t.trace.lines.length = lines;
    const userId = `twice, ${length} steps apart`;
    const visitors: Visitor[] = [];
    for (const device of devices) {
      visitors.push(await signIn(t, storage, userId, device));
    }
    await t.settle();
    let count = 0;
    const end = async () => {
      const ends = await storage.owners.destroy(userId);
      count += ends;
      for (const visitor of visitors) {
        const { cookie } = visitor;
        await ended(t, visitor, cookie, "of two ends, one comes too late");
      }
    };
    await meet(length, end, end);
    t.ok(count >= devices.length, "two ends at once have ended fewer than all");
    await listed(t, storage, userId, [], "what is ended is listed");
  }
}

interface Scene {
  save(): Promise<unknown>;
  check(): Promise<void>;
}

/** Plays a scene over and over: the save a little ahead of the end of its owner's sessions, or a little behind. */
async function whileEnding(
  t: Trial,
  storage: OpenStorage,
  stage: (userId: string) => Promise<Scene>,
): Promise<void> {
  let count = 0;
  // What went well is no part of the story of what did not.
  const lines = t.trace.lines.length;
  const measured = await stage(`u${count}`);
  const { lengths, meet } = await headStarts(() => measured.save());
  for (const saveFirst of [true, false]) {
    for (const length of lengths) {
      t.trace.lines.length = lines;
      const userId = `u${++count}`;
      const scene = await stage(userId);
      const save = () => scene.save();
      const end = () => storage.owners.destroy(userId);
      await (saveFirst ? meet(length, save, end) : meet(length, end, save));
      await scene.check();
    }
  }
}

async function isOver(
  t: Trial,
  visitor: Visitor,
  slow: VisitorRequest,
  cookie: string | null,
): Promise<void> {
  await ended(t, visitor, cookie, "a late save brings an ended session back");
  const { sent } = slow;
  if (sent.kind !== "cookie") return;
  const what = "a late save brings its data back under another id";
  await ended(t, visitor, sent.cookie, what);
}
