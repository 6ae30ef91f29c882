/**
 * An open engine, as the checks use it: each call is in the trace, and each answer's type is checked.
 *
 * @module
 */
import type {
  AnyEngine,
  DeleteOwnedOptions,
  EngineRecord,
  MoveOptions,
  OwnedRecord,
} from "../../storage/contract.ts";
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Pulse } from "../trial/pace.ts";
import { describe, Violation } from "../trial/port.ts";
import {
  booleanOf,
  brief,
  countOf,
  ownedOf,
  recordOf,
  versionOf,
} from "./answers.ts";
import type { Faults } from "../types.ts";

/** Options of {@linkcode OpenEngine.write}. */
export interface Writing {
  readonly expires: number;
  readonly ifVersion?: unknown;
  readonly owner?: string | undefined;
}

/** What an open engine needs of its trial. */
export interface Context {
  readonly pulse: Pulse;
  now(): number;
  note(line: string): void;
  /** A key's name in the trace. */
  nameOf(key: string): string;
}

/** An instance of the engine. */
export class OpenEngine {
  readonly name: string;
  readonly engine: AnyEngine;
  readonly #opened: OpenStorage;
  readonly #context: Context;

  constructor(
    name: string,
    engine: AnyEngine,
    opened: OpenStorage,
    context: Context,
  ) {
    this.name = name;
    this.engine = engine;
    this.#opened = opened;
    this.#context = context;
  }

  /** The clock, in milliseconds. */
  now(): number {
    return this.#context.now();
  }

  /** The namespace that it was opened in. */
  get namespace(): string {
    return this.#opened.namespace;
  }

  /** The hooks that make it fail. */
  get faults(): Faults {
    return this.#opened.faults;
  }

  /** Whether there are hooks that make it fail. */
  get hasFaults(): boolean {
    return this.#opened.has.faults;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const what = `read(${this.#context.nameOf(key)})`;
    const answer = await this.#call(what, () => this.engine.read(key), (a) => {
      const { value, version, expires } = (a ?? {}) as Partial<EngineRecord>;
      return a === null || typeof a !== "object"
        ? brief(a)
        : `${brief(value)}, version ${brief(version)}, ${this.#until(expires)}`;
    });
    return recordOf(answer);
  }

  /** Writes a record. Returns its new version, or `null`. */
  async write(key: string, value: string, options: Writing): Promise<unknown> {
    const what = `write(${this.#context.nameOf(key)}, ${brief(value)}, ${
      this.#until(options.expires)
    }${this.#condition(options)}${
      options.owner === undefined ? "" : `, owner ${brief(options.owner)}`
    })`;
    return versionOf(
      "write",
      await this.#call(
        what,
        () => this.engine.write(key, value, options),
        showVersion,
      ),
    );
  }

  /** Moves a record. Returns the version of the new one, or `null`. */
  async move(
    key: string,
    value: string,
    options: MoveOptions,
  ): Promise<unknown> {
    const { from, owner } = options;
    const what = `move(${this.#context.nameOf(key)}, ${brief(value)}, ${
      this.#until(options.expires)
    }${owner === undefined ? "" : `, owner ${brief(owner)}`}, from ${
      this.#context.nameOf(from.key)
    }${this.#condition(from)}: ${brief(from.value)}, ${
      this.#until(from.expires)
    })`;
    const call = async () => await this.engine.move?.(key, value, options);
    return versionOf("move", await this.#call(what, call, showVersion));
  }

  async delete(
    key: string,
    options?: { readonly ifVersion?: unknown },
  ): Promise<boolean> {
    const what = `delete(${this.#context.nameOf(key)}${
      this.#condition(options)
    })`;
    const call = () =>
      options ? this.engine.delete(key, options) : this.engine.delete(key);
    return booleanOf("delete", await this.#call(what, call, brief));
  }

  async touch(
    key: string,
    expires: number,
    options?: { readonly ifVersion?: unknown },
  ): Promise<boolean> {
    const what = `touch(${this.#context.nameOf(key)}, ${this.#until(expires)}${
      this.#condition(options)
    })`;
    const { engine } = this;
    const call = async () =>
      await (options
        ? engine.touch?.(key, expires, options)
        : engine.touch?.(key, expires));
    return booleanOf("touch", await this.#call(what, call, brief));
  }

  async owned(owner: string): Promise<readonly OwnedRecord[]> {
    const call = async () => await this.engine.owned?.(owner);
    const name = (record: unknown) =>
      this.#context.nameOf(`${Object(record).key}`);
    const names = (records: unknown) =>
      Array.isArray(records)
        ? `[${records.map(name).join(", ")}]`
        : brief(records);
    return ownedOf(await this.#call(`owned(${brief(owner)})`, call, names));
  }

  async deleteOwned(
    owner: string,
    key: string,
    options: DeleteOwnedOptions,
  ): Promise<boolean> {
    const { beside, most } = options;
    const what = `deleteOwned(${brief(owner)}, ${this.#context.nameOf(key)}${
      this.#condition(options)
    }, beside ${this.#context.nameOf(beside)}, most ${most})`;
    const call = async () =>
      await this.engine.deleteOwned?.(owner, key, options);
    return booleanOf("deleteOwned", await this.#call(what, call, brief));
  }

  /** @param instant In milliseconds. */
  async sweep(instant: number): Promise<number | undefined> {
    const ahead = instant - this.#context.now();
    const what = `sweep(now ${ahead < 0 ? "-" : "+"} ${Math.abs(ahead)} ms)`;
    const call = async () => await this.engine.sweep?.(instant);
    const show = (count: unknown) =>
      count === undefined ? "done" : brief(count);
    return countOf("sweep", await this.#call(what, call, show));
  }

  async close(): Promise<void> {
    await this.#call(
      "close()",
      // By the target's own object, so that the end of the trial does not close it again.
      async () => await this.#opened.raw.close?.(),
      () => "done",
    );
  }

  async #call<T>(
    what: string,
    call: () => T | Promise<T>,
    show: (answer: T) => string,
  ): Promise<T> {
    const method = `${what.slice(0, what.indexOf("("))}()`;
    let answer: T;
    try {
      // It may throw before it returns a promise.
      answer = await this.#context.pulse.beat(method, async () => await call());
    } catch (cause) {
      this.#context.note(`${this.name}.${what} → rejected`);
      throw new Violation(
        `${method} rejected: ${describe(cause)}`,
        undefined,
        cause,
      );
    }
    this.#context.note(`${this.name}.${what} → ${show(answer)}`);
    return answer;
  }

  #until(expires: unknown): string {
    if (typeof expires !== "number") return `expires ${brief(expires)}`;
    const left = expires - this.#context.now();
    return `expires in ${left} ms`;
  }

  #condition(options: { readonly ifVersion?: unknown } | undefined): string {
    return options && "ifVersion" in options
      ? `, ifVersion ${brief(options.ifVersion)}`
      : "";
  }
}

function showVersion(version: unknown): string {
  return version === null ? "null" : `version ${brief(version)}`;
}
