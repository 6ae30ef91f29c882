/**
 * The lists of owners while sessions begin, change their owner and are used.
 *
 * @module
 */
import type { Listed } from "../../trial/owner_port.ts";
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";
import { alive, canRegenerate, ended, listed, signIn } from "./owned.ts";

/** Fails unless a list shows when three sessions were used, of which the second was used again. */
export function showsUse(
  t: Trial,
  found: readonly Listed[],
  { begun, used }: { begun: ReadonlyMap<string, number>; used: number },
): void {
  const order = found.map(({ data }) => data["device"]);
  const want = ["second", "third", "first"];
  t.equal(order, want, "the list does not begin with the session used last");
  for (const session of found) {
    const { device } = session.data;
    const created = begun.get(String(device)) ?? 0;
    const lastSeen = device === "second" ? used : created;
    const dates = { created, lastSeen, expires: lastSeen + t.lifetime * 1000 };
    for (const [what, at] of Object.entries(dates)) {
      const off = Math.abs(session[what as keyof typeof dates] - at);
      // A reader needs it to the second.
      t.ok(off < 1000, `${what} is ${off} ms off`);
    }
  }
}

/** Changes the owner of a session, and checks the lists each time. */
export async function changeHands(
  t: Trial,
  storage: OpenStorage,
): Promise<Visitor> {
  const visitor = await t.visitor(storage);
  const renew = (r: VisitorRequest) => canRegenerate(r) && r.regenerate();
  const steps: [string, string, (r: VisitorRequest) => unknown][] = [
    ["a visit", "", (r) => r.set("device", "it")],
    ["a sign-in", "u1", (r) => r.set("userId", "u1")],
    ["a change", "u1", (r) => r.set("visits", 2)],
    ["a new id", "u1", renew],
    ["a change of owner", "u2", (r) => r.set("userId", "u2")],
    ["a change of owner and id", "u1", (r) => {
      renew(r);
      r.set("userId", "u1");
    }],
    ["a sign-out", "", (r) => r.unset("userId")],
    ["a return of the first owner", "u1", (r) => r.set("userId", "u1")],
    ["another sign-in", "u2", (r) => r.set("userId", "u2")],
  ];
  for (const [what, userId, work] of steps) {
    await visitor.visit(work);
    for (const other of ["u1", "u2"]) {
      const devices = other === userId ? ["it"] : [];
      await listed(
        t,
        storage,
        other,
        devices,
        `after ${what}, a list is wrong`,
      );
      if (other !== userId) await storage.owners.destroy(other);
    }
    const left = (await visitor.request()).get("device");
    t.equal(left, "it", `after ${what}, a stranger ended the session`);
  }
  return visitor;
}

/** Changes the owner of a session to u2 while another request of it is in progress. */
export async function changeHandsMeanwhile(
  t: Trial,
  visitor: Visitor,
): Promise<void> {
  const { storage } = visitor;
  const what = "a concurrent save undid a change of owner";
  const slow = await visitor.request();
  await visitor.visit((r) => r.set("userId", "u1"));
  slow.set("visits", 3);
  await slow.save();
  await alive(t, visitor, what);
  await listed(t, storage, "u1", ["it"], what);
  await listed(t, storage, "u2", [], what);
}

/** Ends the sessions of an owner except one, which is given in different ways. */
export async function keepInEachWay(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  for (const [i, way] of WAYS.entries()) {
    const userId = `u${i}`;
    const mine = await signIn(t, storage, userId, "mine");
    const other = await signIn(t, storage, userId, "other");
    await t.settle();
    const request = await mine.request();
    if (way.renew && !canRegenerate(request)) continue;
    if (way.renew) request.regenerate();
    if (way.save) await request.save();
    const found = await storage.owners.list(userId);
    const inList = found.find(({ data }) => data["device"] === "mine");
    const except = way.except(request, inList?.id ?? "");
    if (except === "") continue;
    const what = `given ${way.name}, destroySessions()`;
    await storage.owners.destroy(userId, except);
    await ended(t, other, other.cookie, `${what} keeps another session`);
    if (!way.save) await request.save();
    await alive(t, mine, `${what} ends the session to be kept`);
    await mine.visit((r) => r.set("visits", 2));
    const visits = (await mine.request()).get("visits");
    t.equal(visits, 2, `${what} ends the session to be kept`);
    await listed(t, storage, userId, ["mine"], `${what} leaves a wrong list`);
  }
}

/** Ends the sessions of an owner except one of another owner, which is given in different ways. */
export async function keepAStrangers(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  const stranger = await signIn(t, storage, "stranger", "theirs");
  for (const [i, way] of WAYS.entries()) {
    if (way.renew) continue;
    const userId = `owner${i}`;
    const mine = await signIn(t, storage, userId);
    await t.settle();
    const [theirs] = await storage.owners.list("stranger");
    const except = way.except(await stranger.request(), theirs?.id ?? "");
    if (except === "") continue;
    const what = `given ${way.name} of a stranger`;
    const count = await storage.owners.destroy(userId, except);
    t.equal(count, 1, `${what}, destroySessions() keeps another session`);
    const { cookie } = mine;
    await ended(
      t,
      mine,
      cookie,
      `${what}, destroySessions() keeps another session`,
    );
    await alive(
      t,
      stranger,
      `${what}, destroySessions() ends the given session`,
    );
    await listed(
      t,
      storage,
      "stranger",
      ["theirs"],
      `${what}, destroySessions() removes the given session from its list`,
    );
  }
}

/** Ends one session of an owner, which is given in different ways. */
export async function endOnlyOne(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  for (const [i, way] of WAYS.entries()) {
    const userId = `u${i}`;
    const lost = await signIn(t, storage, userId, "lost");
    const others = [
      await signIn(t, storage, userId, "mine"),
      await signIn(t, storage, userId, "other"),
    ];
    await t.settle();
    const request = await lost.request();
    if (way.renew && !canRegenerate(request)) continue;
    if (way.renew) request.regenerate();
    if (way.save) await request.save();
    const found = await storage.owners.list(userId);
    const inList = found.find(({ data }) => data["device"] === "lost");
    const only = way.except(request, inList?.id ?? "");
    if (only === "") continue;
    const what = `given ${way.name} as only, destroySessions()`;
    const count = await storage.owners.destroyOnly(userId, only);
    t.equal(count, 1, `${what} does not count one session`);
    await ended(t, lost, lost.cookie, `${what} does not end it`);
    for (const other of others) {
      await alive(t, other, `${what} ends another session`);
    }
    const left = ["mine", "other"];
    await listed(t, storage, userId, left, `${what} leaves a wrong list`);
    t.equal(
      await storage.owners.destroyOnly(userId, only),
      0,
      `${what} ends a session for the second time`,
    );
  }
}

/** Ends one session of an owner, but gives one of another owner in different ways. */
export async function endOnlyAStrangers(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  const stranger = await signIn(t, storage, "stranger", "theirs");
  for (const [i, way] of WAYS.entries()) {
    if (way.renew) continue;
    const userId = `owner${i}`;
    const mine = await signIn(t, storage, userId, "mine");
    await t.settle();
    const [theirs] = await storage.owners.list("stranger");
    const only = way.except(await stranger.request(), theirs?.id ?? "");
    if (only === "") continue;
    const what = `given ${way.name} of a stranger as only, destroySessions()`;
    const count = await storage.owners.destroyOnly(userId, only);
    t.equal(count, 0, `${what} counts a session`);
    await alive(t, stranger, `${what} ends the stranger's session`);
    await alive(t, mine, `${what} ends another session`);
    for (const [name, devices] of [["stranger", "theirs"], [userId, "mine"]]) {
      const says = `${what} leaves a wrong list`;
      await listed(t, storage, `${name}`, [`${devices}`], says);
    }
  }
}

/** Lists the sessions of an owner with one as `current`, which is given in different ways. */
export async function marksWhoAsks(
  t: Trial,
  storage: OpenStorage,
): Promise<void> {
  const marked = async (userId: string, asks?: VisitorRequest | string) => {
    await t.settle();
    return (await storage.owners.list(userId, asks))
      .map(({ data, current }) => [String(data["device"]), current] as const)
      .sort(([a], [b]) => a < b ? -1 : 1);
  };
  const nobody = [["mine", false], ["other", false]];
  for (const [i, way] of WAYS.entries()) {
    const userId = `u${i}`;
    const mine = await signIn(t, storage, userId, "mine");
    await signIn(t, storage, userId, "other");
    const request = await mine.request();
    if (way.renew && !canRegenerate(request)) continue;
    if (way.renew) request.regenerate();
    if (way.save) await request.save();
    const asks = way.except(request, "");
    if (asks === "") continue;
    const what = `given ${way.name}, a list marks`;
    const want = [["mine", true], ["other", false]];
    t.equal(
      await marked(userId, asks),
      want,
      `${what} another session, or none`,
    );
    t.equal(
      await marked(userId),
      nobody,
      "a list without current marks a session",
    );
    const stranger = await signIn(t, storage, `not ${userId}`, "mine");
    const theirs = way.except(await stranger.request(), "");
    if (theirs === "") continue;
    const strange = await marked(userId, theirs);
    t.equal(
      strange,
      nobody,
      "a list for a session of another owner marks a session",
    );
  }
}

/** How a session can be given. */
const WAYS: readonly {
  readonly name: string;
  /** Whether it gets a new id first, and whether that is saved first. */
  readonly renew?: boolean;
  readonly save?: boolean;
  /** What is given; `""` if the library does not have it. */
  except(request: VisitorRequest, inList: string): VisitorRequest | string;
}[] = [
  { name: "the session", except: (request) => request },
  {
    name: "the session with a new id",
    renew: true,
    except: (request) => request,
  },
  {
    name: "the session with a new id that is saved",
    renew: true,
    save: true,
    except: (request) => request,
  },
  { name: "its id", except: ({ id }) => id },
  { name: "its id in the list", except: (_, inList) => inList },
];
