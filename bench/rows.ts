/**
 * The rows: what a request does, on which storage, with how large a session, and how many at once. Each is tried on
 * every library before it is measured.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- silences a library
import { floors } from "./floors.ts";
import { PEERS } from "./peers.ts";
import {
  cookieAfter,
  type Kind,
  sessionOf,
  type Size,
  type Subject,
  type Visit,
} from "./visit.ts";

/** Visitors who take turns, and requests in flight. */
export const VISITORS = 64;

/** What the handler does. */
const ACTIONS = {
  /** Opens the session, and reads a string. */
  "read": { get: "userId", ends: false },
  /** The same, to the end of the request. */
  "request": { get: "userId", ends: true },
  /** Reads an object, changes nothing, and ends the request. */
  "look": { get: "cart", ends: true },
  /** Sets a number, and saves. */
  "write": { get: "visits", ends: true, set: true },
} as const;

type Action = keyof typeof ACTIONS;

/** A row for one library: what is measured. */
export interface Cell {
  readonly subject: Subject;
  /** Requests that a run makes. */
  readonly requests: number;
  /** Makes them, the `n`th time. */
  run(n: number): Promise<void>;
}

interface Plan {
  readonly size: Size | undefined;
  readonly action: Action;
  readonly atOnce: boolean;
}

const PLANS: readonly Plan[] = [
  { size: undefined, action: "request", atOnce: false },
  { size: "S", action: "read", atOnce: false },
  { size: "S", action: "request", atOnce: false },
  { size: "S", action: "look", atOnce: false },
  { size: "S", action: "write", atOnce: false },
  { size: "S", action: "read", atOnce: true },
  { size: "S", action: "write", atOnce: true },
  { size: "L", action: "read", atOnce: false },
  { size: "L", action: "look", atOnce: false },
  { size: "L", action: "write", atOnce: false },
  { size: "L", action: "write", atOnce: true },
  { size: "XL", action: "read", atOnce: false },
  { size: "XL", action: "look", atOnce: false },
  { size: "XL", action: "write", atOnce: false },
];

/** A row: a plan, on one kind of storage. */
interface Row {
  readonly name: string;
  readonly kind: Kind;
  readonly plan: Plan;
}

const KINDS: readonly Kind[] = ["signed", "sealed", "memory", "file", "kv"];
/** All rows. Files and Deno KV wait for a disk: one request with a small session is enough for them. */
const ROWS: readonly Row[] = KINDS.flatMap((kind) =>
  PLANS.filter(({ size, atOnce }) =>
    kind === "file" || kind === "kv"
      ? size === "S" && !atOnce
      : size !== "XL" || kind === "memory"
  ).map((plan) => ({ name: nameOf(kind, plan), kind, plan }))
);

function nameOf(kind: Kind, { size, action, atOnce }: Plan): string {
  if (size === undefined) return `${kind} anonymous`;
  return `${kind} ${size} ${action}${atOnce ? ` x${VISITORS}` : ""}`;
}

/** The names of the rows that a pattern matches. Only Deno has Deno KV. */
export function rowNames(pattern: RegExp, kv: boolean): string[] {
  return ROWS.filter(({ kind }) => kv || kind !== "kv")
    .map(({ name }) => name).filter((name) => pattern.test(name));
}

/**
 * Makes a row's cells, one for each library, tried. Nothing else is loaded.
 *
 * @throws {Error} If a library does not do what the row says.
 */
export async function cells(name: string): Promise<Cell[]> {
  const row = ROWS.find((row) => row.name === name);
  if (row === undefined) throw new Error(`No row is named ${name}`);
  const { kind, plan } = row;
  const same = (other: { kind: Kind }) => other.kind === kind;
  const made: Cell[] = [];
  const peers = await Promise.all(
    PEERS.filter(same).map((peer) => peer.make()),
  );
  for (const subject of [...peers, ...floors().filter(same)]) {
    const cookies = plan.size && await begin(subject, plan.size);
    made.push(cell(subject, plan, cookies));
  }
  return made;
}

function cell(
  subject: Subject,
  { action, atOnce }: Plan,
  cookies: readonly (string | null)[] = Array(VISITORS).fill(null),
): Cell {
  const { get, ends } = ACTIONS[action];
  const visits = cookies.map((cookie): Visit => ({
    cookie,
    get,
    set: action === "write" ? { visits: 0 } : undefined,
    ends,
    got: undefined,
  }));
  const change = (visit: Visit, n: number) => {
    if (visit.set) visit.set["visits"] = n;
    return visit;
  };
  if (!atOnce) {
    return {
      subject,
      requests: 1,
      async run(n) {
        const visit = visits[n % VISITORS] as Visit;
        await subject.handle(change(visit, n));
      },
    };
  }
  return {
    subject,
    requests: VISITORS,
    async run(n) {
      await Promise.all(
        visits.map((visit) => subject.handle(change(visit, n))),
      );
    },
  };
}

/** A session for each visitor. Their cookies. */
async function begin(subject: Subject, size: Size): Promise<string[]> {
  const cookies = [];
  for (let visitor = 0; visitor < VISITORS; visitor++) {
    const set = sessionOf(size, visitor);
    const visit = { cookie: null, get: "", set, ends: true, got: undefined };
    const cookie = cookieAfter(await subject.handle(visit));
    cookies.push(cookie);
    if (visitor < 2) await tryOut(subject, cookie, set);
  }
  return cookies;
}

/** Reads what was written, changes it, reads the change, and finds nothing behind a forged cookie. */
async function tryOut(
  subject: Subject,
  cookie: string,
  expected: Record<string, unknown>,
): Promise<void> {
  const send = async (cookie: string, get: string, set?: Visit["set"]) => {
    const visit: Visit = { cookie, get, set, ends: true, got: undefined };
    return [await subject.handle(visit), visit.got] as const;
  };
  const find = async (cookie: string, key: string, value: unknown) => {
    const [, got] = await send(cookie, key);
    if (JSON.stringify(got ?? null) !== JSON.stringify(value ?? null)) {
      throw new Error(`${subject.name}, ${subject.kind}: ${key} is wrong`);
    }
  };
  for (const key in expected) await find(cookie, key, expected[key]);
  const [answer] = await send(cookie, "", { visits: 7 });
  const changed = cookieAfter(answer) || cookie;
  await find(changed, "visits", 7);
  await find(changed, "cart", expected["cart"]);
  await send(changed, "", { visits: 0 });
  const { error } = console;
  // @hono/session prints what it rejects.
  console.error = () => {};
  await find(forge(cookie), "userId", undefined);
  console.error = error;
}

/** The cookie with another character in its middle. */
function forge(cookie: string): string {
  const at = Math.floor(cookie.length / 2);
  const other = cookie[at] === "A" ? "B" : "A";
  return cookie.slice(0, at) + other + cookie.slice(at + 1);
}
