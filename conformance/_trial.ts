/**
 * What a rule's check works with: visitors who send requests to a storage, a clock to move, and comparisons that know
 * what led to them.
 *
 * @module
 */
import { equal } from "@std/assert";
import {
  blame,
  HarnessError,
  type Port,
  portOf,
  type Sent,
  Unfit,
  Violation,
} from "./_port.ts";
import { Random } from "./_random.ts";
import type {
  Capability,
  Faults,
  Inspect,
  Opened,
  Profile,
  SessionLike,
  Target,
} from "./types.ts";

/** Options of {@linkcode Trial.open}. */
export interface TrialOpenOptions {
  /** Seconds. */
  readonly idleTimeout?: number;
  /** Seconds. */
  readonly absoluteTimeout?: number;
  /** @default {one of its own} */
  readonly namespace?: string;
}

/** One attempt at a rule. */
export class Trial {
  /** Choices that the seed repeats. */
  readonly random: Random;
  /** The requests so far, one line each. */
  readonly trace: string[] = [];
  /** How many random cases to try. */
  readonly runs: number;
  /** The target's limits. */
  readonly limits: { readonly recordBytes?: number };
  readonly #target: Target;
  readonly #opened: { store: Store; namespace: string }[] = [];
  readonly #names: Map<string, string> = new Map();
  #default: Promise<Store> | undefined;
  readonly #start = Date.now();
  #offset = 0;
  #visitors = 0;
  #waitedMs = 0;
  #busy: string | undefined;
  #ended = false;

  constructor(target: Target, seed: number, slow: boolean) {
    this.#target = target;
    this.random = new Random(seed);
    this.runs = slow ? 200 : 20;
    this.limits = target.limits ?? {};
  }

  /** The time as the storage is told it, in milliseconds. A virtual clock stands still between two advances. */
  readonly now = (): number =>
    this.#target.clock?.kind === "virtual"
      ? this.#start + this.#offset
      : Date.now();

  /** Whether the clock shows a deadline to the millisecond. */
  get exact(): boolean {
    return this.#target.clock?.kind === "virtual";
  }

  /** How much time has passed for the storage since the trial began, in milliseconds. */
  get elapsed(): number {
    const { clock } = this.#target;
    return clock?.kind === "virtual"
      ? this.#offset
      : Date.now() - this.#start + this.#offset;
  }

  /** Whether days pass at once. */
  get leaps(): boolean {
    return this.#target.clock?.kind !== "real";
  }

  /** Whether time can be moved without waiting. */
  get movesTime(): boolean {
    const { clock } = this.#target;
    return clock !== undefined && clock.kind !== "real";
  }

  /** A lifetime, in seconds, that suits the target's clock. */
  get lifetime(): number {
    const { clock } = this.#target;
    if (clock?.kind !== "real") return 600;
    const margin = 4 * slackOf(clock);
    return Math.ceil(Math.max(clock.minTtlMs ?? 0, margin, 1000) / 1000);
  }

  /** By how much the target's deadlines may be off, in milliseconds. */
  get slack(): number {
    const { clock } = this.#target;
    return clock?.kind === "virtual"
      ? 0
      : clock?.kind === "aged"
      ? 1000
      : clock
      ? slackOf(clock)
      : 0;
  }

  /** The library whose session semantics the target has. */
  get profile(): Profile {
    return this.#target.profile ?? "satchel";
  }

  /** Whether the target claims a capability. */
  claims(capability: Capability): boolean {
    return this.#target.capabilities.includes(capability);
  }

  /** Opens the storage; without options, the one that all visitors of this trial use. */
  open(options?: TrialOpenOptions): Promise<Store> {
    if (options) return this.#open(options);
    return this.#default ??= this.#open({});
  }

  async #open(options: TrialOpenOptions): Promise<Store> {
    const namespace = options.namespace ?? this.namespace();
    const { now } = this;
    const opened = await this.hook(
      "open",
      async () => await this.#target.open({ ...options, namespace, now }),
    );
    if (!opened?.storage) throw new HarnessError("open() gave no storage");
    const store = new Store(this, opened, namespace);
    this.#opened.push({ store, namespace });
    // A check that ran out of time may go on; nobody would close what it opens now.
    if (this.#ended) await this.end();
    return store;
  }

  /** A name that no other trial uses, and that a storage cannot recognise. */
  namespace(): string {
    // Not by the seed: two runs against one engine must not meet.
    return `n${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
  }

  /** A visitor of the site, with a browser of their own. */
  async visitor(store?: Store): Promise<Visitor> {
    const name = String.fromCharCode(65 + this.#visitors++ % 26);
    return new Visitor(this, name, store ?? await this.open());
  }

  /** Lets time pass, in milliseconds. */
  async advance(ms: number): Promise<void> {
    const { clock } = this.#target;
    this.note(`${ms} ms pass`);
    if (clock?.kind === "virtual") {
      this.#offset += ms;
      await this.hook("clock.advance", async () => await clock.advance(ms));
    } else if (clock?.kind === "aged") {
      for (const namespace of new Set(this.#opened.map((o) => o.namespace))) {
        await this.hook(
          "clock.age",
          async () => await clock.age(ms, namespace),
        );
      }
      this.#offset += ms;
    } else if (clock) {
      this.#waitedMs += ms;
      await new Promise((resolve) => setTimeout(resolve, ms));
    } else throw new Unfit("not-run", "the target has no clock");
  }

  /** How long the trial itself let real time pass, in milliseconds; its deadline does not count that. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** The target's own hook that is under way, if any. */
  get busy(): string | undefined {
    return this.#busy;
  }

  /** Runs one of the target's own hooks: what it throws is not the storage's fault. */
  async hook<T>(name: string, call: () => Promise<T>): Promise<T> {
    this.#busy = `${name}()`;
    try {
      return await call();
    } catch (cause) {
      throw new HarnessError(`${name}() threw`, { cause });
    } finally {
      this.#busy = undefined;
    }
  }

  /** Waits for an engine whose reads lag behind its writes. */
  async settle(): Promise<void> {
    const { clock } = this.#target;
    if (clock?.kind === "real" && clock.lagMs) await this.advance(clock.lagMs);
  }

  /** Fails unless two values are deeply equal. */
  equal(got: unknown, want: unknown, what: string): void {
    if (same(got, want)) return;
    throw new Violation(what, { got, want });
  }

  /** Fails unless a condition holds. */
  ok(condition: boolean, what: string): void {
    if (!condition) throw new Violation(what);
  }

  /** Fails unless a call rejects; gives what it rejected with. */
  async rejects(call: () => Promise<unknown>, what: string): Promise<unknown> {
    try {
      await call();
    } catch (error) {
      return error instanceof Violation ? error.cause ?? error : error;
    }
    throw new Violation(what);
  }

  /** Whether the storage refuses a call, which is one of the right answers to it. */
  async refuses(call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call();
      return false;
    } catch (error) {
      if (error instanceof Violation) return true;
      throw error;
    }
  }

  /** Ends the trial: the rule does not apply here after all. */
  notApplicable(reason: string): never {
    throw new Unfit("not-applicable", reason);
  }

  /** Ends the trial: the rule applies, but could not be tried. */
  notRun(reason: string): never {
    throw new Unfit("not-run", reason);
  }

  /** Adds a line to the trace. */
  note(line: string): void {
    this.trace.push(`${this.trace.length + 1}. ${line}`);
  }

  /** A cookie's name in the trace: never the cookie itself. */
  nameOf(cookie: string | null): string {
    if (cookie === null) return "no cookie";
    const name = this.#names.get(cookie) ?? `cookie ${this.#names.size + 1}`;
    this.#names.set(cookie, name);
    return name;
  }

  /** Closes what the trial opened. */
  async end(): Promise<void> {
    this.#ended = true;
    const problems: unknown[] = [];
    for (const { store } of this.#opened.splice(0).reverse()) {
      await store.close().catch((error) => void problems.push(error));
    }
    if (problems.length > 0) throw problems[0];
  }
}

function slackOf(clock: Extract<Target["clock"], { kind: "real" }>): number {
  const { granularityMs, earlyMs = 0, lagMs = 0 } = clock;
  return granularityMs + earlyMs + lagMs;
}

/** JSON values compare as JSON does, and 0 and -0 are two values. */
function same(got: unknown, want: unknown): boolean {
  return equal(got, want) && (got !== 0 || Object.is(got, want));
}

/** An open storage in a trial. */
export class Store {
  readonly port: Port;
  readonly namespace: string;
  readonly #opened: Opened;
  readonly #hook: Trial["hook"];
  #closed = false;

  constructor(trial: Trial, opened: Opened, namespace: string) {
    this.#hook = (name, call) => trial.hook(name, call);
    this.port = portOf(opened.storage as Opened["storage"] & object);
    this.namespace = namespace;
    this.#opened = opened;
    trial.note(`open a storage`);
  }

  /** The storage itself. */
  get storage(): Opened["storage"] {
    return this.#opened.storage;
  }

  /** The hooks to look inside. */
  get inspect(): Inspect {
    const { inspect } = this.#opened;
    if (!inspect) throw new Unfit("not-run", "open() gave no inspect");
    return {
      records: () =>
        this.#hook("inspect.records", async () => {
          const records = await inspect.records();
          if (typeof records?.entries !== "function") {
            throw new TypeError("it must give a Map");
          }
          return records;
        }),
      write: (key, text) =>
        this.#hook("inspect.write", () => inspect.write(key, text)),
    };
  }

  /** The hooks to break the engine. */
  get faults(): Faults {
    const { faults } = this.#opened;
    if (!faults) throw new Unfit("not-run", "open() gave no faults");
    return {
      fail: (what) =>
        this.#hook("faults.fail", async () => await faults.fail(what)),
      heal: () => this.#hook("faults.heal", async () => await faults.heal()),
    };
  }

  /** What the target gave beyond what it claims. */
  get has(): { inspect: boolean; faults: boolean; sweep: boolean } {
    const { inspect, faults, storage } = this.#opened;
    return { inspect: !!inspect, faults: !!faults, sweep: !!storage.sweep };
  }

  /** How many records are stored; `undefined` where the target cannot tell. */
  async count(): Promise<number | undefined> {
    return this.#opened.inspect
      ? (await this.inspect.records()).size
      : undefined;
  }

  /** The stored records, if the target can show them. */
  async records(): Promise<ReadonlyMap<string, string> | undefined> {
    return this.#opened.inspect ? await this.inspect.records() : undefined;
  }

  /** Has the storage remove what is over. */
  async sweep(): Promise<void> {
    const { storage } = this.#opened;
    if (typeof storage.sweep !== "function") {
      throw new Violation('it claims "sweep" and has no sweep()');
    }
    await blame("sweep()", async () => await storage.sweep?.());
  }

  /** Closes the storage, but not the target's hooks, as a process that ends does. */
  async pause(): Promise<void> {
    const { storage } = this.#opened;
    await blame("close()", async () => await storage.close?.());
  }

  /** Closes the storage and the target's hooks, once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#hook("close", async () => await this.#opened.close?.());
  }
}

/** A browser that keeps the site's cookie. */
export class Visitor {
  /** What the browser would send. */
  cookie: string | null = null;
  readonly name: string;
  readonly store: Store;
  readonly #trial: Trial;

  constructor(trial: Trial, name: string, store: Store) {
    this.#trial = trial;
    this.name = name;
    this.store = store;
  }

  /** Begins a request; several may be under way at once. */
  async request(cookie: string | null = this.cookie): Promise<VisitorRequest> {
    const session = await blame(
      "reading a session",
      () => this.store.port.read(cookie),
    );
    this.#trial.note(`${this.name} sends ${this.#trial.nameOf(cookie)}`);
    return new VisitorRequest(this.#trial, this, session);
  }

  /** A whole request: read, work, save. */
  async visit(
    work: (request: VisitorRequest) => void = () => {},
    options?: { maxAge?: number },
  ): Promise<VisitorRequest> {
    const request = await this.request();
    work(request);
    await request.save(options);
    return request;
  }
}

/** A request under way. */
export class VisitorRequest {
  /** What the last save told the browser. */
  sent: Sent = { kind: "nothing" };
  readonly session: SessionLike;
  readonly #trial: Trial;
  readonly #visitor: Visitor;
  #destroyed = false;

  constructor(trial: Trial, visitor: Visitor, session: SessionLike) {
    this.#trial = trial;
    this.#visitor = visitor;
    this.session = session;
  }

  /** The session's id, as text. */
  get id(): string {
    const { id } = this.session;
    return typeof id === "string" ? id : "";
  }

  get(key: string): unknown {
    const value = this.#call(`get ${quote(key)}`, () => this.session.get(key));
    return value;
  }

  has(key: string): boolean {
    return this.#call(`has ${quote(key)}`, () => this.session.has(key));
  }

  set(key: string, value: unknown): void {
    this.#call(`set ${quote(key)}`, () => this.session.set(key, value));
  }

  unset(key: string): void {
    this.#call(`unset ${quote(key)}`, () => this.session.unset(key));
  }

  flash(key: string, value: unknown): void {
    this.#call(`flash ${quote(key)}`, () => this.session.flash(key, value));
  }

  /** Gives the session a new id; ends the trial where its library has no such thing. */
  regenerate(): void {
    if (typeof this.session.regenerateId !== "function") {
      this.#trial.notApplicable("its sessions have no regenerateId()");
    }
    this.#call("regenerate the id", () => this.session.regenerateId?.());
  }

  /** Ends the session, and saves. */
  async destroy(): Promise<Sent> {
    this.#destroyed = true;
    return await this.#send(
      "destroy",
      () => this.#visitor.store.port.destroy(this.session),
    );
  }

  /** Saves, and gives the browser what there is to keep. */
  async save(options?: { maxAge?: number }): Promise<Sent> {
    const { port } = this.#visitor.store;
    return await this.#send(
      options?.maxAge === undefined ? "save" : `save for ${options.maxAge} s`,
      () =>
        this.#destroyed
          ? port.destroy(this.session)
          : port.save(this.session, options),
    );
  }

  async #send(what: string, call: () => Promise<Sent>): Promise<Sent> {
    const { name } = this.#visitor;
    let sent: Sent;
    try {
      sent = await blame(`${what} by ${name}`, call);
    } catch (error) {
      this.#trial.note(`${name}: ${what} → rejected`);
      throw error;
    }
    this.sent = sent;
    const { kind } = sent;
    if (kind === "cookie") this.#visitor.cookie = sent.cookie;
    if (kind === "clear") this.#visitor.cookie = null;
    const told = kind === "cookie" ? this.#trial.nameOf(sent.cookie) : kind;
    this.#trial.note(`${name}: ${what} → ${told}`);
    return sent;
  }

  #call<T>(what: string, call: () => T): T {
    this.#trial.note(`${this.#visitor.name}: ${what}`);
    try {
      return call();
    } catch (cause) {
      if (cause instanceof Unfit) throw cause;
      throw new Violation(`${what} threw`, undefined, cause);
    }
  }
}

function quote(key: string): string {
  return JSON.stringify(key.length > 30 ? `${key.slice(0, 30)}…` : key);
}
