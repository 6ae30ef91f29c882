/**
 * Requests that only read, while another request of the same visitor saves.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor } from "../../trial/visitor.ts";

/** How many steps one request is ahead of another: the distances at which their calls can meet in an engine. */
const HEAD_STARTS = [0, 1, 2, 3, 4, 6, 8, 12];

/** Prepares requests that only read, while another request changes the same session. */
export async function readWhileWriting(
  t: Trial,
  storage: OpenStorage,
): Promise<(() => Promise<void>)[]> {
  // If the cookie is the session, the browser keeps the last one.
  if (t.claims("selfContained")) return [];
  return await meet(t, storage, async (visitor, begin) => {
    const request = await visitor.request();
    request.set("userId", "u2");
    return async () => {
      await begin(() => request.save());
      t.equal(
        (await visitor.request()).get("userId"),
        "u2",
        "a request that only reads undid a change",
      );
    };
  });
}

/** Prepares requests that only read, while another request destroys the same session. */
export async function readWhileLeaving(
  t: Trial,
  storage: OpenStorage,
): Promise<(() => Promise<void>)[]> {
  if (!t.claims("revoke")) return [];
  return await meet(t, storage, async (visitor, begin) => {
    const request = await visitor.request();
    const { cookie } = visitor;
    return async () => {
      await begin(() => request.destroy());
      await t.settle();
      t.ok(
        !(await visitor.request(cookie)).has("userId"),
        "a request that only reads restored a destroyed session",
      );
    };
  });
}

/** Lets several visitors read while another request of theirs saves. */
async function meet(
  t: Trial,
  storage: OpenStorage,
  stage: (
    visitor: Visitor,
    begin: (end: () => Promise<unknown>) => Promise<void>,
  ) => Promise<() => Promise<void>>,
): Promise<(() => Promise<void>)[]> {
  const checks = [];
  // Only a storage that claims `merge` is tried at every distance.
  for (const steps of t.claims("merge") ? HEAD_STARTS : [Infinity]) {
    const visitor = await t.visitor(storage);
    await visitor.visit((r) => r.set("userId", "u1"));
    checks.push(
      await stage(visitor, async (end) => {
        const { cookie } = visitor;
        const reading = visitor.request(cookie);
        reading.catch(() => {});
        if (steps === Infinity) await reading;
        else for (let i = 0; i < steps; i++) await Promise.resolve();
        await end();
        await (await reading).save();
      }),
    );
  }
  return checks;
}
