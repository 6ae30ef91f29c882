/**
 * A new release takes the place of an old one, step by step, while one visitor sends requests to servers of both. After
 * each request, a model says what the visitor must see.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type Cookie,
  createReadThroughSessionStorage,
  type Session,
  type SessionStorage,
  withSession,
} from "../../mod.ts";
import { random } from "./_schedule.ts";

/** Opens both storages as another server does: new objects over the same records. */
export interface Rollout {
  from(): SessionStorage;
  to(): SessionStorage;
  /** The cookie that the middleware brings, if the storages were created without one. */
  readonly cookie?: Cookie;
  /** Whether copies of a cookie stop working at once when its session ends or gets a new id. */
  readonly revokes: boolean;
}

/**
 * A release: with the old storage alone, with `keepOld`, with the move, with the new storage alone. The last two move
 * back.
 */
type Release = "old" | "kept" | "moving" | "new" | "kept back" | "moving back";

/** The releases that serve one after another, and how many requests they serve. */
type Steps = readonly (readonly [readonly Release[], number])[];

/** A move with two rollbacks. */
export const MOVE: Steps = [
  [["old"], 8],
  [["old", "kept"], 40],
  [["old"], 10],
  [["kept", "old"], 30],
  [["kept"], 15],
  [["kept", "moving"], 40],
  [["kept"], 15],
  [["moving", "kept"], 30],
  [["moving"], 15],
  [["new"], 10],
];

/** A move that turns back halfway. */
export const MOVE_BACK: Steps = [
  [["old", "kept"], 20],
  [["kept", "moving"], 30],
  [["kept"], 15],
  [["kept", "kept back"], 40],
  [["kept back"], 15],
  [["kept back", "moving back"], 40],
  [["moving back"], 15],
  [["old"], 10],
];

/** What the visitor has put into the session. */
interface Model {
  user: string | undefined;
  values: Map<string, string>;
  flash: string | undefined;
}

/** A browser, which sends its cookies with each request. */
class Browser {
  cookies: Map<string, string> = new Map();

  get header(): string {
    return [...this.cookies].map((pair) => pair.join("=")).join("; ");
  }

  receive(setCookie: string | null): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(setCookie ?? "") ?? [];
    if (name === undefined || value === undefined) return;
    if (/expires=Thu, 01 Jan 1970/i.test(setCookie ?? "")) {
      this.cookies.delete(name);
    } else this.cookies.set(name, value);
  }
}

/** Plays all steps. Throws an assertion's error that names the step and the request. */
export async function playRollout(
  rollout: Rollout,
  steps: Steps,
  seed: number,
): Promise<void> {
  const draw = random(seed);
  const pick = <T>(items: readonly T[]): T =>
    items[Math.floor(draw() * items.length)] as T;
  const browser = new Browser();
  let model: Model = { user: undefined, values: new Map(), flash: undefined };
  /** Headers that must not lead to a session any more. */
  const dead: string[] = [];
  let count = 0;

  const ask = async <T>(
    release: Release,
    header: string,
    work: (session: Session) => T,
  ): Promise<{ result: T; setCookie: string | null }> => {
    let result: T | undefined;
    const handle = (_request: Request, session: Session) => {
      result = work(session);
      return new Response();
    };
    const storage = open(rollout, release);
    const handler = rollout.cookie
      ? withSession(rollout.cookie, storage, handle)
      : withSession(storage, handle);
    const answer = await handler(
      new Request("http://localhost/", { headers: { cookie: header } }),
    );
    assertEquals(answer.status, 200);
    return { result: result as T, setCookie: answer.headers.get("set-cookie") };
  };

  for (const [releases, requests] of steps) {
    for (let nth = 0; nth < requests; nth++) {
      const release = pick(releases);
      const at = `seed ${seed}, request ${++count} (${release})`;
      const text = `text ${count}`;
      // A session that only moves with a change must have moved before the last step.
      const last = release.startsWith("moving") && releases.length === 1;
      const action = last
        ? "write"
        : pick(["read", "write", "flash", "log in", "log out", "new id"]);
      const before = browser.header;
      const expected = structuredClone(model);
      const { result, setCookie } = await ask(release, before, (session) => {
        const seen = {
          user: session.get("user"),
          flash: session.get("note"),
          values: Object.entries(session.data).filter(([key]) =>
            key.startsWith("key")
          ).sort(),
        };
        if (action === "log in") {
          session.restart();
          session.set("user", text);
        } else if (action === "log out") session.destroy();
        else if (action === "new id") session.regenerateId();
        else if (action === "flash") session.flash("note", text);
        else if (action === "write") session.set(`key${count % 5}`, text);
        return seen;
      });
      assertEquals(result, {
        user: expected.user,
        flash: expected.flash,
        values: [...expected.values].sort(),
      }, at);
      const had = model.user !== undefined || model.values.size > 0 ||
        model.flash !== undefined;
      model.flash = undefined;
      if (action === "log in" || action === "log out") {
        const user = action === "log in" ? text : undefined;
        model = { user, values: new Map(), flash: undefined };
      } else if (action === "flash") model.flash = text;
      else if (action === "write") model.values.set(`key${count % 5}`, text);
      browser.receive(setCookie);
      const ends = had && ["log in", "log out", "new id"].includes(action);
      if (ends && rollout.revokes) dead.push(before);
      const copy = pick(dead);
      if (copy !== undefined) {
        const { result: size } = await ask(release, copy, ({ size }) => size);
        assertEquals(size, 0, `${at}: a copy of an old cookie`);
      }
    }
  }
  assert(dead.length > 10 || !rollout.revokes, `${dead.length} ends`);
}

function open({ from, to }: Rollout, release: Release): SessionStorage {
  if (release === "old") return from();
  if (release === "new") return to();
  const [target, source] = release.endsWith("back")
    ? [from(), to()]
    : [to(), from()];
  return createReadThroughSessionStorage({
    to: target,
    from: source,
    keepOld: release.startsWith("kept"),
  });
}
