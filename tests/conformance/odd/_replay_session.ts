import { isDeepStrictEqual } from "node:util";
import type { SessionLike, StorageLike } from "../../../conformance/mod.ts";

/** A flash. Another one with the same text is another object. */
interface Flash {
  readonly text: string;
  readonly id: string;
}

interface Record {
  readonly values: Map<string, string>;
  readonly flashes: Map<string, Flash>;
}

type Op = (record: Record) => void;

/** A session that notes down what is done to it, for the storage to do it again to the record. */
class ReplaySession implements SessionLike {
  readonly cookie: string | null;
  readonly ops: Op[] = [];
  /** Keys unset that the record did not have. */
  readonly unseen: Set<string> = new Set();
  destroyed = false;
  readonly #record: Record;
  readonly #given = new Map<string, { value: unknown; text: string }>();

  constructor(cookie: string | null, record: Record) {
    this.cookie = cookie;
    this.#record = record;
  }

  get(key: string): unknown {
    const given = this.#given.get(key);
    if (given) return given.value;
    const { values, flashes } = this.#record;
    const text = values.get(key);
    if (text !== undefined) {
      const value = JSON.parse(text);
      this.#given.set(key, { value, text });
      return value;
    }
    const flash = flashes.get(key);
    if (flash === undefined) return undefined;
    this.#do(({ flashes }) => {
      if (flashes.get(key)?.id === flash.id) flashes.delete(key);
    });
    return JSON.parse(flash.text);
  }

  has(key: string): boolean {
    return this.#record.values.has(key) || this.#record.flashes.has(key);
  }

  set(key: string, value: unknown): void {
    const text = encode(value);
    this.unseen.delete(key);
    this.#given.set(key, { value, text });
    this.#do(({ values }) => values.set(key, text));
  }

  unset(key: string): void {
    if (!this.has(key)) {
      this.unseen.add(key);
      return;
    }
    this.#given.delete(key);
    this.#do(({ values, flashes }) => {
      values.delete(key);
      flashes.delete(key);
    });
  }

  flash(key: string, value: unknown): void {
    const flash = { text: encode(value), id: crypto.randomUUID() };
    this.unseen.delete(key);
    this.#do(({ flashes }) => flashes.set(key, flash));
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** Takes what was changed in place for set. */
  settle(): void {
    for (const [key, { value, text }] of this.#given) {
      if (encode(value) !== text) this.set(key, value);
    }
  }

  #do(op: Op): void {
    op(this.#record);
    this.ops.push(op);
  }
}

/** A storage that shares no code with ours. */
export class ReplayStorage implements StorageLike {
  readonly #records = new Map<string, Record>();
  readonly #cookies = new WeakMap<ReplaySession, string>();

  async read(value: string | null): Promise<ReplaySession> {
    const record = value === null ? undefined : this.#records.get(value);
    return record
      ? new ReplaySession(value, structuredClone(record))
      : new ReplaySession(null, { values: new Map(), flashes: new Map() });
  }

  async save(session: ReplaySession): Promise<string | null> {
    const known = session.cookie ?? this.#cookies.get(session);
    if (session.destroyed) {
      if (known !== undefined) this.#records.delete(known);
      return "";
    }
    session.settle();
    const stored = known === undefined ? undefined : this.#records.get(known);
    for (const key of stored ? session.unseen : []) {
      const { values, flashes } = stored as Record;
      if (!values.has(key) && !flashes.has(key)) continue;
      session.ops.push(({ values, flashes }) => {
        values.delete(key);
        flashes.delete(key);
      });
    }
    session.unseen.clear();
    if (session.ops.length === 0) return null;
    const cookie = known ?? crypto.randomUUID() + crypto.randomUUID();
    const empty = { values: new Map(), flashes: new Map() };
    const record = this.#records.get(cookie) ?? (known ? undefined : empty);
    if (!record) return null;
    for (const op of session.ops.splice(0)) op(record);
    this.#cookies.set(session, cookie);
    this.#records.set(cookie, record);
    return cookie;
  }
}

function encode(value: unknown): string {
  const text = JSON.stringify(value);
  if (!isDeepStrictEqual(JSON.parse(text), value) && value !== 0) {
    throw new TypeError("the value is no JSON");
  }
  return text;
}
