/**
 * Sessions that take a new id, and what their old ids then read.
 *
 * @module
 */
import type { Trial } from "../../trial/trial.ts";
import { resolvedAnyway } from "./faulty.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";
import { type Door, doorOf, NO_DOOR, present } from "./doors.ts";

/** Makes all writes fail some steps after a save with a new id has begun, then repairs them. */
export async function failWhileRenewing(
  t: Trial,
  steps: number,
  login: (request: VisitorRequest) => void,
): Promise<void> {
  const visitor = await t.visitor();
  const door = await doorOf(t, visitor.storage);
  await visitor.visit((r) => r.set("cart", ["tea"]));
  const old = visitor.cookie;
  const request = await visitor.request();
  login(request);
  const first = request.id;
  const { faults } = visitor.storage;
  if (steps === 0) await faults.fail({ writes: true });
  const saving = t.refuses(() => request.save());
  for (let i = 1; i < steps; i++) await Promise.resolve();
  if (steps > 0) await faults.fail({ writes: true });
  const refused = await saving;
  if (!refused && steps === 0) {
    await resolvedAnyway(
      t,
      visitor.storage,
      "a save resolves although every write fails",
    );
  }
  if (refused) {
    const meanwhile = await visitor.request(old);
    t.equal(meanwhile.get("cart"), ["tea"], "the old session is lost");
    t.ok(!meanwhile.has("userId"), "a save that failed is stored in part");
  }
  await faults.heal();
  if (refused) {
    const sent = await request.save();
    t.equal(sent.kind, "cookie", "the second save does not send a cookie");
  }
  const next = await visitor.request();
  t.equal(next.get("userId"), "u1", "the second save loses the change");
  t.equal(next.get("cart"), ["tea"], "the second save loses the data");
  await readsEmpty(t, visitor, old, "after the second save, the old cookie");
  if (first !== request.id) {
    const what = "the id of the save that failed";
    await idReadsEmpty(t, visitor, door, first, what);
  }
}

/** Fails if an old cookie still reads its session. */
export async function readsEmpty(
  t: Trial,
  visitor: Visitor,
  cookie: string | null,
  what: string,
): Promise<void> {
  await t.settle();
  const request = await visitor.request(cookie);
  isEmpty(t, request, (await visitor.request()).id, what);
}

/** Fails if an id that a session has given up still reads it. An id that cannot be presented is not tried. */
export async function idReadsEmpty(
  t: Trial,
  visitor: Visitor,
  door: Door | undefined,
  id: string,
  what: string,
): Promise<void> {
  if (!door) return t.note(`${what} is not tried: ${NO_DOOR}`);
  if (id === "") return;
  await t.settle();
  const request = await present(t, door, id);
  isEmpty(t, request, (await visitor.request()).id, what);
}

function isEmpty(
  t: Trial,
  request: VisitorRequest,
  id: string,
  what: string,
): void {
  t.ok(
    !request.has("userId") && !request.has("cart"),
    `${what} still has the data`,
  );
  t.anotherId("REGEN-02", request, id, `${what} still has the id`);
}
