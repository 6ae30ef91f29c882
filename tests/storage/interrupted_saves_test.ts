/**
 * Saves that fail half-way, are taken back, or are overtaken: one small case for each promise. All orders of steps are
 * in `faults_model_test.ts`.
 */
import { assertEquals } from "@std/assert";
import { check } from "./_model.ts";
import {
  ANN,
  become,
  becomeBob,
  flashSame,
  list,
  login,
  logout,
  play,
  type Program,
  readFlash,
  regenerate,
  restart,
  setA,
  setB,
  signOutEverywhere,
  signOutOthers,
  type Start,
  unsetB,
  unsetUser,
  type World,
} from "./_requests.ts";
import { type Bounds, everyOrder, Schedule, scripted } from "./_schedule.ts";

/** Runs requests A, B, … in each order within the bounds, where a new id is two writes, and where it is one call. */
async function inEveryOrder(
  start: Start,
  requests: readonly Program[],
  bounds: Bounds,
): Promise<void> {
  for (const moves of [false, true]) {
    await everyOrder(async (schedule) => {
      const world = await play(schedule, { ...start, moves }, requests);
      const { breaches } = await check(world);
      assertEquals(breaches, [], schedule.report());
    }, { faults: ["fails", "answer lost"], ...bounds });
  }
}

/** Runs requests A, B, … by a script. */
async function byScript(
  start: Start,
  requests: readonly Program[],
  script: Parameters<typeof scripted>[0],
): Promise<World> {
  const schedule = new Schedule(scripted(script), {
    faults: ["fails", "answer lost"],
  });
  const world = await play(schedule, start, requests);
  const { breaches } = await check(world);
  assertEquals(breaches, [], schedule.report());
  return world;
}

Deno.test("storage.save() keeps a change that another request has acknowledged, when a save with a new id failed after the old id was revoked and is repeated", async () => {
  await inEveryOrder(
    { owned: true, session: "signed in", retries: 1 },
    [regenerate, setB],
    { switches: 1, failures: 1 },
  );
});

Deno.test("storage.save() keeps a change that another request has acknowledged, when revoking the old id failed and the save is repeated", async () => {
  await inEveryOrder(
    { owned: false, session: "signed in", retries: 1 },
    [regenerate, setB],
    { switches: 1, failures: 2 },
  );
});

Deno.test("storage.save() stores a new session with a new id, when its first save failed and is repeated", async () => {
  await inEveryOrder(
    { owned: false, session: "none", retries: 1 },
    [login],
    { failures: 1 },
  );
});

Deno.test("storage.save() keeps a change that another request has acknowledged, when it takes a sign-in back", async () => {
  await byScript(
    { owned: true, session: "anonymous" },
    [become, signOutEverywhere, setB],
    [
      ["A", "write the list"],
      ["B"],
      ["A", "write the session"],
      ["C"],
      ["A"],
    ],
  );
});

Deno.test("storage.save() keeps the note of the new id, when it takes a sign-in back, so that a logout finds the session", async () => {
  await byScript(
    { owned: true, session: "anonymous" },
    [become, signOutEverywhere, regenerate, logout],
    [
      ["A", "write the list"],
      ["B"],
      ["A", "write the session"],
      ["D", "saves"],
      ["C"],
      ["A"],
      ["D"],
    ],
  );
});

Deno.test("storage.save() destroys a session under its new id, when the logout was sent before the answer with that id", async () => {
  await inEveryOrder(
    { owned: false, session: "signed in" },
    [regenerate, logout],
    { switches: 2 },
  );
});

Deno.test("storage.save() does not bring a session back, when it failed at the end, the account was signed out everywhere, and it is repeated", async () => {
  await inEveryOrder(
    { owned: true, session: "signed in", retries: 1 },
    [regenerate, signOutEverywhere],
    { switches: 1, failures: 1 },
  );
});

Deno.test("listSessions() returns a session, when the answer to its sign-in was lost and the account was signed out everywhere in the meantime", async () => {
  await byScript(
    { owned: true, session: "anonymous" },
    [become, signOutEverywhere, setB],
    [
      ["A", "write the list"],
      ["B", "read the session"],
      ["A", "write the session", "answer lost"],
      ["A"],
      ["B"],
      ["C"],
    ],
  );
});

Deno.test("listSessions() returns a session, when it gets a new id in the meantime", async () => {
  await inEveryOrder(
    { owned: true, session: "signed in" },
    [regenerate, list],
    { switches: 2 },
  );
});

Deno.test("storage.save() keeps a flash, when a parallel request has read an older one with the same text", async () => {
  await inEveryOrder(
    { owned: false, session: "anonymous" },
    [flashSame, readFlash],
    { switches: 2 },
  );
});

Deno.test("storage.save() removes a key that the request unset, when a parallel request has set it after the session was read", async () => {
  await inEveryOrder(
    { owned: false, session: "anonymous" },
    [setB, unsetB],
    { switches: 2 },
  );
});

Deno.test("storage.save() returns the id, when another request replaced it right after the change was stored", async () => {
  await byScript(
    { owned: true, session: "signed in" },
    [becomeBob, regenerate],
    [["A", "write the session"], ["B"], ["A"]],
  );
});

Deno.test("listSessions() returns a session, when one request signs out of the account and another one into it", async () => {
  await byScript(
    { owned: true, session: "signed in" },
    [unsetUser, become],
    [["B", "saves"], ["A"], ["B"]],
  );
});

Deno.test("storage.save() keeps the session, when its sign-in is listed by another request, which is then signed out", async () => {
  await byScript(
    { owned: true, session: "anonymous" },
    [become, become, unsetUser],
    [
      ["A", "write the list"],
      ["B"],
      ["C"],
      ["A"],
    ],
  );
});

Deno.test("maxPerOwner spares the session that a login replaces, when another request has signed it in meanwhile", async () => {
  const world = await byScript(
    { owned: true, session: "anonymous", maxPerOwner: 2 },
    [login, become],
    [["A", "saves"], ["B"], ["A"]],
  );
  const sessions = await world.storage().listSessions(ANN);
  assertEquals(sessions.length, 2, "the other browser's, and this one's");
});

Deno.test("maxPerOwner revokes no session, when one that is saved takes a new id meanwhile", async () => {
  await byScript(
    { owned: true, session: "signed in", maxPerOwner: 2, indexed: true },
    [setA, regenerate],
    [["A", "write the session"], ["B"], ["A"]],
  );
});

Deno.test("listSessions() returns each session, when a save with a new id is overtaken by a change and by signing out everywhere, and fails at its end", async () => {
  await byScript(
    { owned: true, session: "anonymous" },
    [login, signOutOthers, setB],
    [
      ["A", "saves"],
      ["B", "read the session"],
      ["C"],
      ["A", "write key 5"],
      ["B"],
      ["A", "write the list", "fails"],
      ["A"],
    ],
  );
});

Deno.test("listSessions() returns each session, when a save with a new id is repeated while the account is signed out everywhere", async () => {
  await byScript(
    { owned: true, session: "anonymous", retries: 1 },
    [login, signOutEverywhere],
    [
      ["A", "write key 5", "answer lost"],
      ["A", "write the list"],
      ["B"],
      ["A", "write key 5", "answer lost"],
      ["A"],
    ],
  );
});

Deno.test("storage.save() does not bring a session back, when the answer to its move was lost, and the account is signed out everywhere before the save goes on", async () => {
  const world = await byScript(
    { owned: true, session: "signed in", indexed: true, moves: true },
    [regenerate, signOutEverywhere],
    [
      ["A", "move key 5", "answer lost"],
      ["A", "write the session"],
      ["B"],
      ["A"],
    ],
  );
  assertEquals(world.visits.at(-1)?.outcome, "dropped");
});

Deno.test("storage.save() does not bring a session back, when its move takes effect after it was given up, and the account is signed out everywhere", async () => {
  const schedule = new Schedule(
    scripted([
      ["A", "move key 5", "times out"],
      ["C"],
      ["B"],
      ["A"],
    ]),
    { faults: ["times out"] },
  );
  const world = await play(
    schedule,
    { owned: true, session: "signed in", indexed: true, moves: true },
    [regenerate, signOutEverywhere],
  );
  const { breaches } = await check(world);
  assertEquals(breaches, [], schedule.report());
});

Deno.test("storage.save() stores the session under its new id, when the answer to its move was lost", async () => {
  for (const request of [regenerate, restart]) {
    const world = await byScript(
      { owned: true, session: "signed in", indexed: true, moves: true },
      [request],
      [["A", "move key 5", "answer lost"], ["A"]],
    );
    assertEquals(world.visits.at(-1)?.outcome, "acknowledged", request.name);
  }
});
