/**
 * Logins and logouts of one session that overlap.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";
import { headStarts } from "./head_starts.ts";

type Call = () => Promise<unknown>;

/** Two logins and a logout of one session. All have read it before one of them is saved. */
interface Scene {
  readonly logins: readonly [Call, Call];
  readonly logout: Call;
  /** Checks the logins that were saved, and the old cookie. */
  check(): Promise<void>;
}

/** One after the other: two logins, and a logout before, between or after them, or not at all. */
export async function loginsInEveryOrder(t: Trial): Promise<void> {
  const storages = await instances(t);
  for (const keep of [[], ["cart"]]) {
    for (const logoutAt of [undefined, 0, 1, 2]) {
      const { logins, logout, check } = await stage(t, storages, keep);
      const calls: Call[] = [...logins];
      if (logoutAt !== undefined) calls.splice(logoutAt, 0, logout);
      for (const call of calls) await call();
      await check();
    }
  }
}

/** At the same time: two logins, or a login and a logout; either begins slightly earlier. */
export async function loginsAtOnce(t: Trial): Promise<void> {
  // The trace of a failure does not include the runs that passed.
  const lines = t.trace.lines.length;
  const storages = await instances(t);
  const { logins: [measured] } = await stage(t, storages, ["cart"]);
  const { lengths, meet } = await headStarts(measured);
  for (const [i, length] of t.cases([...lengths.entries()])) {
    for (const which of [0, 1, 2]) {
      t.trace.lines.length = lines;
      // In one instance and in two, by turns.
      const at = (i + which) % 2 === 0 ? storages : storages.slice(0, 1);
      const { logins: [one, two], logout, check } = await stage(t, at, [
        "cart",
      ]);
      if (which === 0) await meet(length, one, two);
      else if (which === 1) await meet(length, two, logout);
      else await meet(length, logout, two);
      await check();
    }
  }
}

/** Two instances over one engine, if the target claims `shared`. */
async function instances(t: Trial): Promise<OpenStorage[]> {
  const storage = await t.open({});
  const { namespace } = storage;
  return t.claims("shared")
    ? [storage, await t.open({ namespace })]
    : [storage];
}

async function stage(
  t: Trial,
  storages: readonly OpenStorage[],
  keep: readonly string[],
): Promise<Scene> {
  const visitor = await t.visitor(storages[0]);
  await visitor.visit((r) => r.set("cart", ["tea"]));
  const { cookie } = visitor;
  const leaving = await visitor.request();
  const saved: { browser: Visitor; request: VisitorRequest }[] = [];
  const login = async (storage: OpenStorage | undefined): Promise<Call> => {
    const browser = await t.visitor(storage);
    const request = await browser.request(cookie);
    request.restart(keep);
    request.set("userId", "u1");
    return async () => {
      saved.push({ browser, request });
      await request.save();
    };
  };
  const check = async () => {
    await t.settle();
    for (const { browser, request } of saved) {
      const { kind } = request.sent;
      t.equal(kind, "cookie", "a login does not send a cookie");
      const next = await browser.request();
      t.equal(next.get("userId"), "u1", "the cookie of a login does not work");
      const cart = keep.length > 0 ? ["tea"] : undefined;
      t.equal(next.get("cart"), cart, "a login does not keep what it read");
    }
    const old = await visitor.request(cookie);
    const isDead = !old.has("userId") && !old.has("cart");
    t.ok(isDead, "the old cookie still reads a session");
  };
  return {
    logins: [await login(storages[0]), await login(storages.at(-1))],
    logout: () => leaving.destroy(),
    check,
  };
}
