/**
 * The lists of owners while the engine fails.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import { headStarts } from "./head_starts.ts";
import { alive, ended, listed, signIn } from "./owned.ts";

/** Lists while reads fail. */
export async function failToList(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  const { owners, faults } = storage;
  const visitor = await signIn(t, storage, "u0");
  await faults.fail({ reads: true });
  await t.rejects(
    () => owners.list("u0"),
    "listSessions() resolves although the read failed",
  );
  await t.rejects(
    () => owners.destroy("u0"),
    "destroySessions() resolves although the read failed",
  );
  await faults.heal();
  await alive(t, visitor, "the failed read ended the session");
  await listed(
    t,
    storage,
    "u0",
    ["laptop"],
    "the failed read changed the list",
  );
}

/** Ends an owner's sessions while writes begin to fail, at each step of the call. */
export async function failToEnd(t: Trial, storage: OpenStorage): Promise<void> {
  const { owners } = storage;
  await atEachStep(t, storage, async (userId) => {
    const visitors = [
      await signIn(t, storage, userId),
      await signIn(t, storage, userId, "phone"),
    ];
    return {
      call: () => owners.destroy(userId),
      async check(refused, broken) {
        const says = "destroySessions() resolves although every write failed";
        t.ok(refused || !broken, says);
        if (refused) await owners.destroy(userId);
        const what = refused
          ? "a session that could not be ended is not ended later"
          : says;
        for (const visitor of visitors) {
          await ended(t, visitor, visitor.cookie, what);
        }
        await listed(t, storage, userId, [], "an ended session is listed");
      },
    };
  });
}

/** Signs in while writes begin to fail, at each step of the call. */
export async function failToSignIn(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  await atEachStep(t, storage, async (userId) => {
    const visitor = await t.visitor(storage);
    const login = await visitor.request();
    login.set("userId", userId);
    login.set("device", "laptop");
    return {
      call: () => login.save(),
      async check(refused, broken) {
        t.ok(
          refused || !broken,
          "a login resolves although every write failed",
        );
        if (refused) await login.save();
        await alive(t, visitor, "a login is lost although its save resolved");
        const what =
          "a login that failed first is not listed, or is listed twice";
        await listed(t, storage, userId, ["laptop"], what);
        await storage.owners.destroy(userId);
        await ended(t, visitor, visitor.cookie, what);
      },
    };
  });
}

interface Scene {
  call(): Promise<unknown>;
  /** @param broken Whether all writes failed from the beginning. */
  check(refused: boolean, broken: boolean): Promise<void>;
}

/** Runs a scene repeatedly: all writes fail, or those after or before a step of the call. */
async function atEachStep(
  t: Trial,
  storage: OpenStorage,
  stage: (userId: string) => Promise<Scene>,
): Promise<void> {
  const { faults } = storage;
  let count = 0;
  const play = async (
    around: (call: () => Promise<void>) => Promise<void>,
    broken: boolean,
  ) => {
    const scene = await stage(`u${++count}`);
    let refused = false;
    try {
      await around(async () => {
        refused = await t.refuses(() => scene.call());
      });
    } finally {
      await faults.heal();
    }
    await scene.check(refused, broken);
  };
  const fail = async () => await faults.fail({ writes: true });
  const heal = async () => await faults.heal();
  await play(async (call) => {
    await fail();
    await call();
  }, true);
  const measured = await stage(`u${++count}`);
  const { lengths, meet } = await headStarts(() => measured.call());
  // The trace of a failure does not include the runs that passed.
  const lines = t.trace.lines.length;
  for (const length of t.cases(lengths)) {
    t.trace.lines.length = lines;
    await play((call) => meet(length, call, fail), false);
    t.trace.lines.length = lines;
    await play(async (call) => {
      await fail();
      await meet(length, call, heal);
    }, false);
  }
}
