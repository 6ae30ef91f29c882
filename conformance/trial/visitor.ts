/**
 * Visitors of a site, and the requests that they send.
 *
 * @module
 */
import { blame, describe, type Sent, Unfit, Violation } from "./port.ts";
import type { OpenStorage } from "./open_storage.ts";
import { quote, type Trace } from "./trace.ts";
import type { SessionLike } from "../types.ts";

/** A browser that keeps the site's cookie. */
export class Visitor {
  /** What the browser would send. */
  cookie: string | null = null;
  readonly name: string;
  readonly storage: OpenStorage;
  readonly #trace: Trace;
  #requests = 0;

  constructor(name: string, storage: OpenStorage, trace: Trace) {
    this.name = name;
    this.storage = storage;
    this.#trace = trace;
  }

  /** Begins a request; several can be in progress at the same time. */
  async request(cookie: string | null = this.cookie): Promise<VisitorRequest> {
    const session = await blame(
      "reading a session",
      () => this.storage.port.read(cookie),
    );
    this.#trace.learn(session.id);
    const request = `${this.name}${++this.#requests}`;
    this.#trace.note(`${request} sends ${this.#trace.nameOf(cookie)}`);
    return new VisitorRequest(this, session, this.#trace, request);
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

/** A request in progress. */
export class VisitorRequest {
  /** What the last save sent to the browser. */
  sent: Sent = { kind: "nothing" };
  readonly session: SessionLike;
  /** The visitor's name and the number of the request. */
  readonly name: string;
  readonly #trace: Trace;
  readonly #visitor: Visitor;
  #destroyed = false;

  constructor(
    visitor: Visitor,
    session: SessionLike,
    trace: Trace,
    name: string = visitor.name,
  ) {
    this.name = name;
    this.#trace = trace;
    this.#visitor = visitor;
    this.session = session;
  }

  /** The session's id as text; empty if it does not have one. */
  get id(): string {
    const { id } = this.session;
    return typeof id === "string" || typeof id === "number" ? `${id}` : "";
  }

  /** Whether the library's sessions have ids. */
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

  /** Regenerates the id; ends the trial if the library's sessions cannot. */
  regenerate(): void {
    this.#mustHave("regenerateId");
    this.#call("regenerate the id", () => this.session.regenerateId?.());
  }

  /** Begins the session anew; ends the trial if the library's sessions cannot. */
  restart(keep: readonly string[] | "all" = []): void {
    this.#mustHave("restart");
    const kept = keep === "all"
      ? ", keep all"
      : keep.length > 0
      ? `, keep ${keep.map(quote).join(", ")}`
      : "";
    this.#call(`restart${kept}`, () => this.session.restart?.({ keep }));
  }

  /** Removes all entries; ends the trial if the library's sessions cannot. */
  clear(): void {
    this.#mustHave("clear");
    this.#call("clear", () => this.session.clear?.());
  }

  /** Destroys the session, and saves. */
  async destroy(): Promise<Sent> {
    this.#destroyed = true;
    return await this.#send(
      "destroy",
      () => this.#visitor.storage.port.destroy(this.session),
    );
  }

  /** Saves, and hands the cookie to the browser. */
  async save(options?: { maxAge?: number }): Promise<Sent> {
    const { port } = this.#visitor.storage;
    return await this.#send(
      options?.maxAge === undefined ? "save" : `save for ${options.maxAge} s`,
      () =>
        this.#destroyed
          ? port.destroy(this.session)
          : port.save(this.session, options),
    );
  }

  #mustHave(name: "regenerateId" | "restart" | "clear"): void {
    if (typeof this.session[name] === "function") return;
    throw new Unfit("not-applicable", `its sessions do not have ${name}()`);
  }

  async #send(what: string, call: () => Promise<Sent>): Promise<Sent> {
    const { name } = this;
    let sent: Sent;
    try {
      sent = await blame(`${what} by ${name}`, call);
    } catch (error) {
      this.#trace.note(`${name}: ${what} → rejected`);
      throw error;
    }
    this.sent = sent;
    const { kind } = sent;
    if (kind === "cookie") this.#visitor.cookie = sent.cookie;
    if (kind === "clear") this.#visitor.cookie = null;
    const shown = kind === "cookie" ? this.#trace.nameOf(sent.cookie) : kind;
    this.#trace.note(`${name}: ${what} → ${shown}`);
    return sent;
  }

  #call<T>(what: string, call: () => T): T {
    this.#trace.note(`${this.name}: ${what}`);
    try {
      return call();
    } catch (cause) {
      if (cause instanceof Unfit) throw cause;
      throw new Violation(`${what} threw ${describe(cause)}`, undefined, cause);
    }
  }
}
