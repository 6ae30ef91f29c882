/**
 * Visitors of a site, and the requests that they send.
 *
 * @module
 */
import { blame, type Sent, Unfit, Violation } from "./port.ts";
import type { Store } from "./store.ts";
import type { Trial } from "./trial.ts";
import type { SessionLike } from "../types.ts";

/** A browser that keeps the site's cookie. */
export class Visitor {
  /** What the browser would send. */
  cookie: string | null = null;
  readonly name: string;
  readonly store: Store;
  readonly #trial: Trial;
  #requests = 0;

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
    const request = `${this.name}${++this.#requests}`;
    this.#trial.note(`${request} sends ${this.#trial.nameOf(cookie)}`);
    return new VisitorRequest(this.#trial, this, session, request);
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
  /** Which request of which visitor it is: several may be under way at once. */
  readonly name: string;
  readonly #trial: Trial;
  readonly #visitor: Visitor;
  #destroyed = false;

  constructor(
    trial: Trial,
    visitor: Visitor,
    session: SessionLike,
    name: string = visitor.name,
  ) {
    this.name = name;
    this.#trial = trial;
    this.#visitor = visitor;
    this.session = session;
  }

  /** The session's id, as text; empty where there is none. */
  get id(): string {
    const { id } = this.session;
    return typeof id === "string" || typeof id === "number" ? `${id}` : "";
  }

  /** Whether its library's sessions have ids. */
  get hasId(): boolean {
    const { id } = this.session;
    return id !== undefined && id !== null;
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
    const { name } = this;
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
    this.#trial.note(`${this.name}: ${what}`);
    try {
      return call();
    } catch (cause) {
      if (cause instanceof Unfit) throw cause;
      throw new Violation(`${what} threw`, undefined, cause);
    }
  }
}

/** A key or a name in the trace. */
export function quote(key: string): string {
  return JSON.stringify(key.length > 30 ? `${key.slice(0, 30)}…` : key);
}
