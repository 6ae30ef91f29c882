/**
 * An open storage, as the checks use it.
 *
 * @module
 */
import { OwnerPort } from "./owner_port.ts";
import type { Pulse } from "./pace.ts";
import { blame, type Port, portOf, Unfit, Violation } from "./port.ts";
import type { Hook, Trace } from "./trace.ts";
import type { Faults, Inspect, Opened } from "../types.ts";

/** An open storage in a trial. */
export class OpenStorage {
  readonly port: Port;
  readonly namespace: string;
  /** The sessions of an owner. */
  readonly owners: OwnerPort;
  readonly #opened: Opened;
  readonly #hook: Hook;
  #closed = false;

  constructor(
    opened: Opened,
    namespace: string,
    trace: Trace,
    hook: Hook,
    pulse: Pulse,
  ) {
    this.#hook = hook;
    this.port = watched(
      portOf(opened.storage as Opened["storage"] & object),
      pulse,
    );
    this.namespace = namespace;
    this.#opened = opened;
    this.owners = new OwnerPort(opened.storage, trace);
    trace.note("open a storage");
  }

  /** The storage as `open()` returned it. */
  get raw(): Opened["storage"] {
    return this.#opened.storage;
  }

  /** Creates a session with a given id; `undefined` if the target does not have a hook for it. */
  get createSession(): Opened["createSession"] {
    return this.#opened.createSession?.bind(this.#opened);
  }

  /** The hooks that read and replace records. */
  get inspect(): Inspect {
    const { inspect } = this.#opened;
    if (!inspect) {
      throw new Unfit(
        "not-run",
        "it claims inspect, but open() did not return inspect",
      );
    }
    return {
      records: () =>
        this.#hook("inspect.records", async () => {
          const records = await inspect.records();
          if (typeof records?.entries !== "function") {
            throw new TypeError("it must return a Map");
          }
          return records;
        }),
      write: (key, text) =>
        this.#hook("inspect.write", () => inspect.write(key, text)),
    };
  }

  /** The hooks that make the engine fail. */
  get faults(): Faults {
    const { faults } = this.#opened;
    if (!faults) {
      throw new Unfit(
        "not-run",
        "it claims faults, but open() did not return faults",
      );
    }
    return {
      fail: (what) =>
        this.#hook("faults.fail", async () => await faults.fail(what)),
      heal: () => this.#hook("faults.heal", async () => await faults.heal()),
    };
  }

  /** Which optional parts `open()` returned. */
  get has(): { inspect: boolean; faults: boolean; sweep: boolean } {
    const { inspect, faults, storage } = this.#opened;
    return { inspect: !!inspect, faults: !!faults, sweep: !!storage.sweep };
  }

  /** How many records are stored; `undefined` without `inspect`. */
  async count(): Promise<number | undefined> {
    return this.#opened.inspect
      ? (await this.inspect.records()).size
      : undefined;
  }

  /** The stored records; `undefined` without `inspect`. */
  async records(): Promise<ReadonlyMap<string, string> | undefined> {
    return this.#opened.inspect ? await this.inspect.records() : undefined;
  }

  /** Asks the storage to remove expired records. */
  async sweep(): Promise<void> {
    const { storage } = this.#opened;
    if (typeof storage.sweep !== "function") {
      throw new Violation('it claims "sweep", but does not have sweep()');
    }
    await blame("sweep()", async () => await storage.sweep?.());
  }

  /** Whether there is anything to close. */
  get closes(): boolean {
    const { close, storage } = this.#opened;
    return !!close || !!storage.close;
  }

  /** Closes the storage, but not the target, as a process that exits does. */
  async pause(): Promise<void> {
    const { storage } = this.#opened;
    await blame("close()", async () => await storage.close?.());
  }

  /** Closes the target's storage and hooks, once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#hook("close", async () => await this.#opened.close?.());
  }
}

/** Counts the calls of a port, and knows which do not answer. */
function watched(port: Port, pulse: Pulse): Port {
  return {
    http: port.http,
    read: (cookie) => pulse.beat("reading a session", () => port.read(cookie)),
    save: (session, options) =>
      pulse.beat("saving a session", () => port.save(session, options)),
    destroy: (session) =>
      pulse.beat("destroying a session", () => port.destroy(session)),
  };
}
