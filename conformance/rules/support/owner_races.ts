/**
 * Requests that overlap with `destroySessions` of their owner.
 *
 * @module
 */
import type { Listed } from "../../trial/owner_port.ts";
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";
import { headStarts, settled } from "./head_starts.ts";
import { canRegenerate, ended, listed, openAgain, signIn } from "./owned.ts";

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
    t.equal(sent.kind, "nothing", "the late save sends or clears a cookie");
    await staysEnded(t, visitor, slow, cookie);
    await listed(t, storage, "u1", [], "an ended session is listed");
  }
}

/** Saves sessions while they are ended; either call begins slightly earlier. */
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
          await staysEnded(t, visitor, slow, cookie);
          await listed(t, storage, userId, [], "an ended session is listed");
        },
      };
    });
  }
}

/** Lets visitors sign in while the sessions of their owner are ended. */
export async function loginsUnderWay(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  const signIns: ((visitor: Visitor, userId: string) => Promise<unknown>)[] = [
    async () => {},
    // A visitor with a cart, and a visitor who was signed in as another user.
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
              "an earlier session is not ended",
            );
          }
          await t.settle();
          const lives = (await visitor.request()).get("userId") === userId;
          const devices = lives ? ["login"] : [];
          const what = lives
            ? "a live session is not listed"
            : "an ended session is listed";
          await listed(t, storage, userId, devices, what);
          await storage.owners.destroy(userId);
          if (!lives) return;
          await ended(
            t,
            visitor,
            visitor.cookie,
            "the next destroySessions() does not end the session",
          );
        },
      };
    });
  }
}

/**
 * Lets several visitors sign in as one owner, in two instances: at the same time, and one slightly ahead of the others.
 */
export async function loginsAtOnce(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  let count = 0;
  const elsewhere = await openAgain(t, storage);
  const stage = async (devices: readonly string[]) => {
    const userId = `u${count++}`;
    const logins: { visitor: Visitor; save(): Promise<unknown> }[] = [];
    for (const [i, device] of devices.entries()) {
      const visitor = await t.visitor(i % 2 === 1 ? elsewhere : storage);
      // Every second one already has a cart: that session becomes the owner's, with a new id.
      if (i % 2 === 1) await visitor.visit((r) => r.set("cart", ["tea"]));
      const login = await visitor.request();
      login.set("userId", userId);
      login.set("device", device);
      if (i % 2 === 1 && canRegenerate(login)) login.regenerate();
      logins.push({ visitor, save: () => login.save() });
    }
    const check = async () => {
      const says = "of logins at the same time, one is not listed";
      await listed(t, storage, userId, devices, says);
      const ends = await storage.owners.destroy(userId);
      t.equal(
        ends,
        devices.length,
        "of logins at the same time, not all are ended",
      );
      for (const { visitor } of logins) {
        await ended(t, visitor, visitor.cookie, "a login is not ended");
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
  // The trace of a failure does not include the runs that passed.
  const lines = t.trace.lines.length;
  const { saves: [save = async () => {}] } = await stage(["laptop"]);
  const { lengths, meet } = await headStarts(save);
  for (const length of t.cases(lengths)) {
    t.trace.lines.length = lines;
    const { saves, check } = await stage(["laptop", "phone", "tablet"]);
    const [first = save, ...others] = saves;
    await meet(length, first, () => all(others));
    await check();
  }
}

/** Ends the sessions of an owner twice at the same time. When either call resolves, all must be ended. */
export async function endsAtOnce(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  const devices = ["laptop", "phone"];
  // The trace of a failure does not include the runs that passed.
  const lines = t.trace.lines.length;
  await signIn(t, storage, "twice");
  const { lengths, meet } = await headStarts(() =>
    storage.owners.destroy("twice")
  );
  for (const length of t.cases(lengths)) {
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
        await ended(
          t,
          visitor,
          cookie,
          "destroySessions() resolves before a session is ended",
        );
      }
    };
    await meet(length, end, end);
    t.ok(
      count >= devices.length,
      "two calls of destroySessions() at the same time count fewer sessions than they end",
    );
    await listed(t, storage, userId, [], "an ended session is listed");
  }
}

/** Lists an owner's sessions while one of them takes a new id. */
export async function listWhileRenewing(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  let count = 0;
  const stage = async (devices: readonly string[]) => {
    const userId = `u${count++}`;
    const visitor = await signIn(t, storage, userId, "renewed");
    for (const device of devices) await signIn(t, storage, userId, device);
    await t.settle();
    const request = await visitor.request();
    request.regenerate();
    return { userId, save: () => request.save() };
  };
  // The trace of a failure does not include the runs that passed.
  const lines = t.trace.lines.length;
  const measured = await stage([]);
  const { lengths, meet } = await headStarts(() => measured.save());
  const elsewhere = await openAgain(t, storage);
  for (const saveFirst of [true, false]) {
    for (const length of t.cases(lengths)) {
      t.trace.lines.length = lines;
      const devices = count % 4 < 2 ? [] : ["other"];
      const { userId, save } = await stage(devices);
      const at = count % 2 === 0 ? storage : elsewhere;
      let found: readonly Listed[] = [];
      const list = async () => void (found = await at.owners.list(userId));
      await (saveFirst ? meet(length, save, list) : meet(length, list, save));
      for (const device of ["renewed", ...devices]) {
        t.ok(
          found.some(({ data }) => data["device"] === device),
          "a session that takes a new id is missing from a list",
        );
      }
    }
  }
}

interface Scene {
  save(): Promise<unknown>;
  check(): Promise<void>;
}

/**
 * Runs a scene repeatedly: the save begins slightly before or after `destroySessions`, which runs in this instance and in
 * another one by turns.
 */
async function whileEnding(
  t: Trial,
  storage: OpenStorage,
  stage: (userId: string) => Promise<Scene>,
): Promise<void> {
  let count = 0;
  // The trace of a failure does not include the runs that passed.
  const lines = t.trace.lines.length;
  const measured = await stage(`u${count}`);
  const { lengths, meet } = await headStarts(() => measured.save());
  const elsewhere = await openAgain(t, storage);
  for (const saveFirst of [true, false]) {
    for (const length of t.cases(lengths)) {
      t.trace.lines.length = lines;
      const userId = `u${++count}`;
      const scene = await stage(userId);
      const save = () => scene.save();
      const at = count % 2 === 0 ? storage : elsewhere;
      const end = () => at.owners.destroy(userId);
      await (saveFirst ? meet(length, save, end) : meet(length, end, save));
      await scene.check();
    }
  }
}

async function staysEnded(
  t: Trial,
  visitor: Visitor,
  slow: VisitorRequest,
  cookie: string | null,
): Promise<void> {
  await ended(t, visitor, cookie, "a late save restores an ended session");
  const { sent } = slow;
  if (sent.kind !== "cookie") return;
  const what =
    "a late save restores the data of an ended session under another id";
  await ended(t, visitor, sent.cookie, what);
}
