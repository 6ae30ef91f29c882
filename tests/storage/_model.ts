/**
 * Which outcomes of parallel requests are allowed. It knows how each request was answered, and looks at what is left once
 * all have ended and the engine works again. It does not share code with the library.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { SessionStorage } from "../../storage/contract.ts";
import {
  ANN,
  BOB,
  type OwnerVisit,
  type Visit,
  type World,
} from "./_requests.ts";

/** A promise that was broken. */
export interface Breach {
  readonly promise: string;
  readonly how: string;
}

/** What is left that nobody can reach. It is not a fault, but there should be little of it. */
export interface Remains {
  /** Live sessions whose id was not sent to anybody. */
  readonly unsent: number;
  /** Entries of the account's list that do not lead to a session. */
  readonly empty: number;
}

/** A session under one id, at the end. */
interface Left {
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Checks all promises. */
export async function check(
  world: World,
): Promise<{ breaches: Breach[]; remains: Remains }> {
  const storage = world.storage();
  const left = await readAll(storage, world.visits);
  const history = new History(world, left);
  const breaches = [
    ...history.noErrors(),
    ...history.acknowledgedIsKept(),
    ...history.droppedIsNowhere(),
    ...history.destroyedIsDead(),
    ...history.replacedIsDead(),
    ...history.nothingInherited(),
    ...history.signedOutIsDead(),
    ...history.listedWhileRunning(),
    ...history.asManyAsAllowed(),
    ...await allListed(world, storage, left),
    ...await flashesOnce(history, storage),
  ];
  const remains = await countRemains(world, history);
  return { breaches, remains };
}

/** The end of a request whose effect may still come. */
const NEVER = Infinity;

class History {
  readonly world: World;
  readonly visits: readonly Visit[];
  readonly left: ReadonlyMap<string, Left>;
  /** The ids that answers sent to the browser. */
  readonly sent: ReadonlySet<string>;

  constructor(world: World, left: ReadonlyMap<string, Left>) {
    this.world = world;
    this.left = left;
    // Removing a key in vain is no change. If the session is still there, the key must not be.
    this.visits = world.visits.map((visit) =>
      visit.outcome === "unchanged" && visit.had && visit.wrote.size > 0 &&
        left.has(visit.sent ?? "")
        ? { ...visit, outcome: "acknowledged", cookie: visit.sent }
        : visit
    );
    this.sent = new Set(world.visits.map(({ cookie }) => cookie ?? ""));
  }

  /** The ids that a session may have had after it had `id`. */
  after(id: string): Set<string> {
    const ids = new Set([id]);
    for (const at of ids) {
      for (const visit of this.visits) {
        if (visit.effect !== "moves" || !visit.had || visit.sent !== at) {
          continue;
        }
        if (visit.outcome === "dropped") continue;
        for (const next of visit.ids) ids.add(next);
      }
    }
    return ids;
  }

  /** All ids that a session may have had, and the requests that had it. */
  family(id: string): { ids: Set<string>; visits: Visit[] } {
    const first = this.visits.find((visit) =>
      (!visit.had || visit.effect === "restarts") &&
      visit.ids.some((root) => this.after(root).has(id))
    );
    const ids = new Set(
      (first?.ids ?? [id]).flatMap((root) => [...this.after(root)]),
    );
    const visits = this.visits.filter((visit) =>
      visit === first ||
      visit.had && visit.effect !== "restarts" && ids.has(visit.sent ?? "") ||
      visit.ids.some((own) => ids.has(own))
    );
    return { ids, visits };
  }

  /** When requests ended that may have ended a session. */
  enders(family: ReturnType<History["family"]>): number[] {
    return [...this.#ended(family), ...this.#evictions(family)];
  }

  #ended({ ids, visits }: ReturnType<History["family"]>): number[] {
    const ends: number[] = [];
    for (const visit of this.visits) {
      const { effect } = visit;
      if (effect !== "ends" && effect !== "restarts") continue;
      // A logout or a login that presents a replaced id reaches the session, although the request does not see it.
      if (!ids.has(visit.sent ?? "")) continue;
      // A login that was signed out everywhere before its answer is dropped, and has ended the old session.
      const revoked = effect === "restarts" &&
        this.world.ownerVisits.some((other) =>
          !other.listed && other.ended > visit.began &&
          other.began < visit.ended
        );
      if (visit.outcome === "dropped" && !revoked) continue;
      ends.push(endOf(visit));
    }
    const owned = visits.some(({ wrote }) => wrote.get("user") === ANN);
    for (const visit of this.world.ownerVisits) {
      if (!owned || visit.listed) continue;
      const spares = visit.spared !== undefined && ids.has(visit.spared);
      const moved = visits.some((move) =>
        move.effect === "moves" && endOf(move) > visit.began &&
        move.readAt < visit.ended
      );
      if (!spares || moved) {
        ends.push(visit.outcome === "failed" ? NEVER : visit.ended);
      }
    }
    return ends;
  }

  /** When sign-ins ended that may have evicted a session, because the account had too many. */
  #evictions({ visits }: ReturnType<History["family"]>): number[] {
    if (this.world.start.maxPerOwner === undefined) return [];
    return this.visits.filter((visit) =>
      visit.wrote.get("user") === ANN && !visits.includes(visit)
    ).map(endOf);
  }

  /**
   * An account never has more sessions than `maxPerOwner`, and as many as that if there were so many logins: two logins
   * do not revoke each other. A failure can leave more, until the next login.
   */
  asManyAsAllowed(): Breach[] {
    const { failed, start: { maxPerOwner } } = this.world;
    const calm = !failed &&
      this.visits.every(({ outcome, wrote }) =>
        outcome !== "dropped" &&
        (!wrote.has("user") || wrote.get("user") === ANN)
      );
    if (maxPerOwner === undefined || !calm) return [];
    const promise = "an account has as many sessions as it may have";
    const live =
      [...this.left.values()].filter(({ values }) => values["user"] === ANN)
        .length;
    const logins = this.#signedIn(NEVER).map(({ cookie = "" }) =>
      this.family(cookie)
    );
    const due = new Set(
      logins.filter((family) => this.#ended(family).length === 0)
        .map(({ ids }) => [...ids].sort().join()),
    ).size;
    if (live > maxPerOwner) return [{ promise, how: `it has ${live}` }];
    // A login that runs beside another request with the same session can count it under both ids.
    const moved = this.visits.some(({ effect, sent }) =>
      (effect === "moves" || effect === "restarts") &&
      this.visits.some((login) =>
        login.sent === sent && login.effect !== effect &&
        login.wrote.has("user")
      )
    );
    if (moved) return [];
    return live < Math.min(due, maxPerOwner)
      ? [{ promise, how: `it has ${live}, and ${due} logged in` }]
      : [];
  }

  /** The live sessions that an answer's cookie leads to. If only a failed request knows the id, `sure` is false. */
  found(cookie: string): { live: Left[]; sure: boolean } {
    const live = [...this.after(cookie)].flatMap((id) => {
      const left = this.left.get(id);
      return left ? [left] : [];
    });
    const sent = live.filter(({ id }) => this.sent.has(id));
    return sent.length > 0 ? { live: sent, sure: true } : { live, sure: false };
  }

  /** Only `store-failed`, and only if a call failed. */
  noErrors(): Breach[] {
    return this.world.unexpected.map((error) => ({
      promise: "a request fails only if the engine does",
      how: String(error),
    }));
  }

  /**
   * A change that was acknowledged is visible in the session that the answer's cookie leads to, unless a later or
   * parallel request ended the session or wrote the same key. A save that failed may have taken effect or not.
   */
  acknowledgedIsKept(): Breach[] {
    const promise = "an acknowledged change is kept";
    return this.visits.flatMap((visit): Breach[] => {
      if (visit.outcome !== "acknowledged" || !visit.cookie) return [];
      const family = this.family(visit.cookie);
      if (this.enders(family).some((ended) => ended > visit.began)) return [];
      const { live, sure } = this.found(visit.cookie);
      if (live.length === 0) {
        return [{ promise, how: `the session of "${visit.name}" is gone` }];
      }
      const wrong = live.map((left) => this.#wrongIn(left, visit, family));
      const broken = sure ? wrong.some(Boolean) : wrong.every(Boolean);
      return broken
        ? [{ promise, how: wrong.find((how) => how !== undefined) ?? "" }]
        : [];
    });
  }

  #wrongIn(
    left: Left,
    visit: Visit,
    family: { visits: Visit[] },
  ): string | undefined {
    for (const key of visit.wrote.keys()) {
      const writes = family.visits.filter((write) =>
        write.wrote.has(key) &&
        (write.outcome === "acknowledged" || write.outcome === "failed")
      );
      const allowed = writes.filter((write) =>
        !writes.some((later) =>
          later.outcome === "acknowledged" && later.savedAt > endOf(write)
        )
      ).map(({ wrote }) => wrote.get(key));
      const value = left.values[key];
      if (allowed.includes(value)) continue;
      return `"${visit.name}" was acknowledged; ${key} is ${
        String(value)
      }, and not ${allowed.map(String).join(" or ")}`;
    }
    return undefined;
  }

  /** A change that was dropped is in no session. */
  droppedIsNowhere(): Breach[] {
    return this.visits.flatMap((visit) =>
      visit.outcome === "dropped"
        ? [...visit.wrote].flatMap(([key, value]) =>
          value !== undefined && key !== "user" &&
            [...this.left.values()].some(({ values }) => values[key] === value)
            ? [{
              promise: "a dropped change is nowhere",
              how: `${key} of "${visit.name}" is stored`,
            }]
            : []
        )
        : []
    );
  }

  /** A destroyed session is dead, also under an id that it moved to while the logout ran. */
  destroyedIsDead(): Breach[] {
    return this.visits.flatMap((visit) => {
      const { effect, had, outcome, sent, began } = visit;
      if (effect !== "ends" || outcome !== "acknowledged") return [];
      // The browser did not have the new id yet when it sent the logout.
      const moved = this.visits.some((move) =>
        move.effect === "moves" && move.had && move.sent === sent &&
        move.outcome === "acknowledged" && move.ended > began
      );
      if (!had && !moved) return [];
      return this.#aliveAfter(
        "a destroyed session is dead",
        visit,
        this.after(sent ?? ""),
      );
    });
  }

  /** An id that was replaced is dead. */
  replacedIsDead(): Breach[] {
    return this.visits.flatMap((visit) => {
      const { effect, had, outcome, sent } = visit;
      if (effect !== "moves" && effect !== "restarts") return [];
      if (!had || outcome !== "acknowledged") return [];
      return this.#aliveAfter("a replaced id is dead", visit, [sent ?? ""]);
    });
  }

  /** A session that began anew has only what was set in it. */
  nothingInherited(): Breach[] {
    return this.visits.flatMap(({ effect, cookie = "", name }) => {
      if (effect !== "restarts") return [];
      const { ids, visits } = this.family(cookie);
      const own = visits.flatMap(({ wrote }) => [...wrote.keys()]);
      return [...ids].flatMap((id) =>
        Object.keys(this.left.get(id)?.values ?? {}).flatMap((key) =>
          own.includes(key) ? [] : [{
            promise: "a session that begins anew inherits nothing",
            how: `that of "${name}" has ${key}`,
          }]
        )
      );
    });
  }

  /** After signing out everywhere, each session is dead whose sign-in was acknowledged before. */
  signedOutIsDead(): Breach[] {
    return this.world.ownerVisits.flatMap((visit) => {
      if (visit.listed || visit.outcome === "failed") return [];
      return this.#signedIn(visit.readAt).flatMap((signIn) => {
        const { ids } = this.family(signIn.cookie ?? "");
        if (visit.spared !== undefined && ids.has(visit.spared)) return [];
        return this.#aliveAfter(
          "signing out everywhere ends each session",
          visit,
          this.after(signIn.cookie ?? ""),
        );
      });
    });
  }

  /** A list that is read while requests run has each session whose sign-in was acknowledged before. */
  listedWhileRunning(): Breach[] {
    return this.world.ownerVisits.flatMap((visit): Breach[] => {
      const { listed } = visit;
      if (!listed) return [];
      return this.#signedIn(visit.readAt).flatMap((signIn) => {
        const family = this.family(signIn.cookie ?? "");
        if (this.enders(family).length > 0) return [];
        const keys = [...this.after(signIn.cookie ?? "")].map(keyOf);
        return keys.some((key) => listed.includes(key)) ? [] : [{
          promise: "a list never misses a live session",
          how: `"${visit.name}" misses the session of "${signIn.name}"`,
        }];
      });
    });
  }

  /** Requests whose sign-in to the account was acknowledged before, and after which nobody changed the user. */
  #signedIn(before: number): Visit[] {
    return this.visits.filter(({ wrote, outcome, ended, cookie = "" }) =>
      wrote.get("user") === ANN && outcome === "acknowledged" &&
      ended < before &&
      this.family(cookie).visits.every(({ wrote }) =>
        !wrote.has("user") || wrote.get("user") === ANN
      )
    );
  }

  #aliveAfter(
    promise: string,
    visit: Visit | OwnerVisit,
    ids: Iterable<string>,
  ): Breach[] {
    return [...ids].flatMap((id) =>
      this.left.has(id) && this.sent.has(id)
        ? [{ promise, how: `after "${visit.name}", a session is alive` }]
        : []
    );
  }
}

/** A failed save may take effect until the very end: a call that timed out is not gone. */
function endOf({ outcome, ended }: Visit): number {
  return outcome === "failed" ? NEVER : ended;
}

/** Each live session of the account is listed. */
async function allListed(
  { start }: World,
  storage: SessionStorage,
  left: ReadonlyMap<string, Left>,
): Promise<Breach[]> {
  if (!start.owned) return [];
  const listed = new Set<string>();
  for (const user of [ANN, BOB]) {
    for (const { id } of await storage.listSessions(user)) {
      listed.add(`${user} ${id}`);
    }
  }
  return [...left.values()].flatMap(({ id, values }) =>
    "user" in values && !listed.has(`${values["user"]} ${keyOf(id)}`)
      ? [{
        promise: "each live session is listed",
        how: "a session of the account is not",
      }]
      : []
  );
}

/** A flash that was acknowledged is read once, by one request after another. */
async function flashesOnce(
  history: History,
  storage: SessionStorage,
): Promise<Breach[]> {
  const breaches: Breach[] = [];
  for (const { id } of history.left.values()) {
    if (!history.sent.has(id)) continue;
    const texts: (string | undefined)[] = [];
    for (let reader = 0; reader < 2; reader++) {
      const session = await storage.read(id);
      // The reader of another session has evicted it.
      if (session.id !== id) break;
      texts.push(session.get("note"));
      await storage.save(session);
    }
    const [text, again] = texts;
    if (texts.length < 2) continue;
    if (again !== undefined) {
      breaches.push({
        promise: "a flash is read once",
        how: "two readers, one after the other, read it",
      });
    }
    const { visits } = history.family(id);
    const done = visits.filter(({ outcome }) =>
      outcome === "acknowledged" || outcome === "failed"
    );
    const writers = done.filter(({ flashed }) => flashed !== undefined);
    const readers = done.filter(({ took }) => took !== undefined);
    for (const writer of writers) {
      if (writer.outcome !== "acknowledged") continue;
      const read = readers.some(({ readAt }) => readAt > writer.savedAt);
      if (!read && text === undefined) {
        breaches.push({
          promise: "an acknowledged flash is not lost",
          how: `the flash of "${writer.name}" is`,
        });
      }
    }
    for (const reader of readers) {
      const { took } = reader;
      if (took !== text || reader.outcome !== "acknowledged") continue;
      const from = writers.filter(({ flashed }) => flashed === text);
      if (from.length === 1 && from[0]?.failures === 0) {
        breaches.push({
          promise: "a flash is read once",
          how: `"${reader.name}" had read it, and it is still there`,
        });
      }
    }
  }
  return breaches;
}

/** Reads the session under each id that any request knew. */
async function readAll(
  storage: SessionStorage,
  visits: readonly Visit[],
): Promise<Map<string, Left>> {
  const left = new Map<string, Left>();
  for (const id of new Set(visits.flatMap(({ ids }) => ids))) {
    const session = await storage.read(id);
    if (session.id !== id) continue;
    const values = Object.entries(session.data)
      .filter(([key]) => !key.startsWith("__flash_"));
    left.set(id, { id, values: Object.fromEntries(values) });
  }
  return left;
}

async function countRemains(
  { engine, names }: World,
  { left, sent }: History,
): Promise<Remains> {
  let empty = 0;
  for (const [key, name] of names) {
    const list = name === "the list" ? await engine.read(key) : null;
    for (const [listed] of list ? JSON.parse(list.value)[2] : []) {
      const record = await engine.read(listed);
      if (!record?.value.startsWith("[")) empty++;
    }
  }
  const unsent = [...left.keys()].filter((id) => !sent.has(id)).length;
  return { unsent, empty };
}

/** The key of an id: its SHA-256. */
function keyOf(id: string): string {
  return createHash("sha256").update(id).digest("base64url");
}
