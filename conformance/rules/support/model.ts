/**
 * The reference model of a site's sessions, and an interpreter that runs commands on the model and on a storage.
 *
 * @module
 */
import { alike } from "../../trial/alike.ts";
import { blame, Violation } from "../../trial/port.ts";
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import { Visitor, type VisitorRequest } from "../../trial/visitor.ts";

/** What a request can do to its session. */
export type Op =
  | { readonly do: "get" | "has" | "unset"; readonly key: string }
  | {
    readonly do: "set" | "flash";
    readonly key: string;
    readonly value: unknown;
  }
  | { readonly do: "regenerate" | "destroy" };

/** What a visitor can do, or time passing. A request begins automatically if none is in progress. */
export type Command =
  | Op & { readonly visitor: number }
  | { readonly do: "begin"; readonly visitor: number; readonly old: number }
  | { readonly do: "save"; readonly visitor: number }
  | { readonly do: "wait"; readonly long: boolean };

/** The entries of a session. */
export interface Entries {
  readonly values: Map<string, unknown>;
  readonly flashes: Map<string, unknown>;
}

/** The keys that commands use. */
export const KEYS: readonly string[] = ["a", "b", "c"];

/** The key of flashes, where a flash and unset() must not meet. */
const FLASHED = "c";

const VALUES: readonly unknown[] = [1, 0, "", "text", false, [1, []], { a: 1 }];

/** The simplest first, since shrinking ends there; common ones several times. */
const KINDS = [
  "save",
  "set",
  "get",
  "flash",
  "unset",
  "has",
  "save",
  "set",
  "get",
  "begin",
  "begin",
  "regenerate",
  "regenerate",
  "unset",
  "destroy",
  "pause",
  "wait",
] as const;

/** The command for four numbers. */
export function commandOf(numbers: readonly number[]): Command {
  const [a = 0, b = 0, c = 0, d = 0] = numbers;
  const kind = KINDS[a % KINDS.length] ?? "save";
  // One visitor does most of it, to reach deep states.
  const visitor = b % 4 === 3 ? 1 : 0;
  const key = KEYS[c % KEYS.length] ?? "";
  switch (kind) {
    case "set":
    case "flash":
      return { do: kind, visitor, key, value: VALUES[d % VALUES.length] };
    case "get":
    case "has":
    case "unset":
      return { do: kind, visitor, key };
    case "begin":
      return { do: kind, visitor, old: c % 3 };
    case "pause":
    case "wait":
      return { do: "wait", long: kind === "wait" };
    default:
      return { do: kind, visitor };
  }
}

/** An empty session. */
export function noEntries(): Entries {
  return { values: new Map(), flashes: new Map() };
}

/** A deep copy. */
export function copyOf({ values, flashes }: Entries): Entries {
  return structuredClone({ values, flashes });
}

/** Applies an operation to entries. Returns what the request sees. */
export function apply(entries: Entries, op: Op): unknown {
  const { values, flashes } = entries;
  switch (op.do) {
    case "get": {
      if (values.has(op.key)) return values.get(op.key);
      const flash = flashes.get(op.key);
      flashes.delete(op.key);
      return flash;
    }
    case "has":
      return values.has(op.key) || flashes.has(op.key);
    case "set":
      return void values.set(op.key, op.value);
    case "flash":
      return void flashes.set(op.key, op.value);
    case "unset":
      values.delete(op.key);
      flashes.delete(op.key);
  }
  return undefined;
}

/** Runs an operation in a real request. */
export function act(request: VisitorRequest, op: Op): unknown {
  switch (op.do) {
    case "get":
      return request.get(op.key);
    case "has":
      return request.has(op.key);
    // Copies, because a storage may change what it is given, and other runs use the same values.
    case "set":
      return request.set(op.key, structuredClone(op.value));
    case "flash":
      return request.flash(op.key, structuredClone(op.value));
    case "unset":
      return request.unset(op.key);
    case "regenerate":
      return request.regenerate();
  }
  return undefined;
}

/** Whether a target's sessions support an operation as the model defines it. */
export function fits(op: Op, t: Trial, request: VisitorRequest): boolean {
  // In React Router, it depends on the version whether unset() removes a flash: no key has both.
  if (t.profile === "react-router" && "key" in op) {
    if (op.do === "unset" && op.key === FLASHED) return false;
    if (op.do === "flash" && op.key !== FLASHED) return false;
  }
  // In Remix 3, a flash is removed after one request, read or not.
  if (op.do === "flash") return t.profile !== "remix";
  return op.do !== "regenerate" ||
    typeof request.session.regenerateId === "function";
}

/** What a request with a cookie would see, as plain data. Does not save. */
export async function observe(
  storage: OpenStorage,
  cookie: string | null,
  keys: readonly string[] = KEYS,
): Promise<{ id: unknown; seen: Record<string, unknown> }> {
  return await blame("reading a session", async () => {
    const session = await storage.port.read(cookie);
    const seen: Record<string, unknown> = {};
    for (const key of keys) {
      const has = session.has(key);
      const value = session.get(key);
      if (has || value !== undefined) seen[key] = value;
    }
    return { id: session.id, seen };
  });
}

/** What {@linkcode observe} should return. */
export function view(
  { values, flashes }: Entries,
  keys: readonly string[] = KEYS,
): Record<string, unknown> {
  const seen: Record<string, unknown> = {};
  for (const key of keys) {
    if (values.has(key)) seen[key] = values.get(key);
    else if (flashes.has(key)) seen[key] = flashes.get(key);
  }
  return seen;
}

/** A session of the model: one for each id, or for each cookie if the cookie is the session. */
interface Kept {
  entries: Entries;
  id: unknown;
  alive: boolean;
  /** The session with the id that replaced this one. */
  successor?: Kept;
  /** The cookie that leads to it. */
  cookie?: string;
}

interface Underway {
  readonly request: VisitorRequest;
  readonly entries: Entries;
  base: Kept | undefined;
  /** The new session, if the request presents an id that was replaced. Its changes may be dropped in favor of that. */
  readonly successor: Kept | undefined;
  /** Whether an operation may count as a change. */
  touched: boolean;
  regenerated: boolean;
}

interface Person {
  readonly visitor: Visitor;
  readonly cookies: string[];
  underway: Underway | undefined;
}

/**
 * Runs commands on a storage and on the model, and compares the two after each.
 *
 * @throws {Violation} If they differ.
 */
export async function play(
  t: Trial,
  commands: readonly Command[],
): Promise<void> {
  const timed = t.claims("idle") && t.movesTime;
  const storage = await t.open(timed ? { idleTimeout: t.lifetime } : {});
  const game = new Game(t, storage, timed);
  for (const command of commands) await game.step(command);
}

class Game {
  readonly #t: Trial;
  readonly #storage: OpenStorage;
  readonly #timed: boolean;
  readonly #people: Person[];
  readonly #kept = new Map<string, Kept>();
  #waited = 0;

  constructor(t: Trial, storage: OpenStorage, timed: boolean) {
    this.#t = t;
    this.#storage = storage;
    this.#timed = timed;
    this.#people = ["A", "B"].map((name) => ({
      visitor: new Visitor(name, storage, t.trace),
      cookies: [],
      underway: undefined,
    }));
  }

  /** Whether a cookie refers to a stored session, which can change and end. */
  get #byId(): boolean {
    return this.#t.claims("revoke") && !this.#t.claims("selfContained");
  }

  async step(command: Command): Promise<void> {
    if (command.do === "wait") return await this.#wait(command.long);
    const person = this.#people[command.visitor] as Person;
    if (command.do === "begin") {
      person.underway = await this.#begin(person, command.old);
      return;
    }
    const underway = person.underway ??= await this.#begin(person, 0);
    if (command.do === "save") await this.#save(person, underway);
    else if (command.do === "destroy") await this.#destroy(person, underway);
    else return this.#op(underway, command);
    await this.#t.settle();
    await this.#compare();
  }

  async #wait(long: boolean): Promise<void> {
    if (!this.#timed) return;
    const lifetime = this.#t.lifetime * 1000;
    // Short waits never add up to a lifetime; after a long one, every session has expired.
    if (!long && ++this.#waited > 20) return;
    await this.#t.advance(Math.round(lifetime * (long ? 1.5 : 0.02)));
    if (!long) return;
    for (const kept of this.#kept.values()) kept.alive = false;
    for (const person of this.#people) person.underway = undefined;
    await this.#compare();
  }

  async #begin(person: Person, old: number): Promise<Underway> {
    const { visitor, cookies } = person;
    const current = visitor.cookie;
    const cookie = old > 0 && this.#byId
      ? cookies[cookies.length - 1 - old] ?? current
      : current;
    const request = await visitor.request(cookie);
    const kept = cookie === null ? undefined : this.#kept.get(cookie);
    const base = kept?.alive ? kept : undefined;
    const entries = base ? copyOf(base.entries) : noEntries();
    const successor = kept?.successor;
    const touched = false;
    return { request, entries, base, successor, touched, regenerated: false };
  }

  #op(underway: Underway, op: Op): void {
    const { request, entries } = underway;
    if (!fits(op, this.#t, request)) return;
    const before = copyOf(entries);
    const want = apply(entries, op);
    const got = act(request, op);
    if (op.do === "get" || op.do === "has") {
      this.#t.equal(got, want, `${op.do} differs from the model`);
    } else underway.touched = true;
    if (!alike(entries, before)) underway.touched = true;
    if (op.do === "regenerate") underway.regenerated = true;
  }

  async #save(person: Person, underway: Underway): Promise<void> {
    const t = this.#t;
    const { request, entries, base, touched, regenerated } = underway;
    const sent = await request.save();
    t.ok(sent.kind !== "clear", "a save clears the cookie");
    const isNew = !base && entries.values.size + entries.flashes.size > 0;
    const moved = regenerated || t.claims("selfContained");
    const changed = base && (regenerated || !alike(entries, base.entries));
    if (isNew && !underway.successor || changed && moved) {
      t.equal(sent.kind, "cookie", "no cookie is sent for a changed session");
    }
    // A deadline may move, and in React Router the application decides when to save.
    const free = this.#waited > 0 || t.profile === "react-router";
    if (!touched && !free) {
      t.equal(
        sent.kind,
        "nothing",
        "a cookie is sent for an unchanged session",
      );
    }
    underway.touched = underway.regenerated = false;
    // The sessions of the older libraries are meant to be saved once.
    if (t.profile !== "satchel") person.underway = undefined;
    if (sent.kind !== "cookie") {
      if (base) base.entries = copyOf(entries);
      return;
    }
    const kept = base && !moved
      ? base
      : { entries, id: undefined, alive: true };
    if (base && regenerated && this.#byId) {
      base.alive = false;
      base.successor = kept;
    }
    kept.entries = copyOf(entries);
    kept.cookie = sent.cookie;
    underway.base = kept;
    this.#kept.set(sent.cookie, kept);
    if (!person.cookies.includes(sent.cookie)) person.cookies.push(sent.cookie);
  }

  async #destroy(person: Person, underway: Underway): Promise<void> {
    const { kind } = await underway.request.destroy();
    this.#t.ok(kind !== "cookie", "a cookie is sent for a destroyed session");
    if (underway.base) {
      this.#t.equal(
        kind,
        "clear",
        "the cookie of a destroyed session is not cleared",
      );
      if (this.#byId) underway.base.alive = false;
    }
    await this.#follow(underway.successor);
    person.underway = undefined;
  }

  /** A logout with an id that was just replaced may end the session that it moved to, or not. */
  async #follow(kept: Kept | undefined): Promise<void> {
    for (let at = kept; at; at = at.successor) {
      if (!at.alive || at.cookie === undefined) continue;
      const { id, seen } = await observe(this.#storage, at.cookie);
      at.alive = at.id === undefined
        ? alike(seen, view(at.entries))
        : at.id === id;
    }
  }

  /** Compares all sessions, by the cookies that visitors have and had. */
  async #compare(): Promise<void> {
    for (const { visitor, cookies } of this.#people) {
      const old = this.#byId ? cookies.slice(-3) : [];
      for (const cookie of new Set([...old, visitor.cookie])) {
        const kept = cookie === null ? undefined : this.#kept.get(cookie);
        const { id, seen } = await observe(this.#storage, cookie);
        const name = this.#t.trace.nameOf(cookie);
        const want = kept?.alive ? view(kept.entries) : {};
        if (!alike(seen, want)) {
          throw new Violation(
            `what ${visitor.name} sees with ${name} differs from the model`,
            { got: seen, want },
          );
        }
        if (!kept || typeof id !== "string" || id === "") continue;
        if (kept.alive) kept.id ??= id;
        this.#t.ok(
          (kept.id === id) === kept.alive,
          kept.alive
            ? `${name} has another id than before`
            : `the session of ${name} has ended, and its id is used again`,
        );
      }
    }
  }
}
