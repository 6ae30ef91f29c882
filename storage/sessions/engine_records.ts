/**
 * Records in an engine.
 *
 * @module
 */
import { after, type Awaitable } from "../../core/awaitable.ts";
import { utf8Length } from "../../core/bytes.ts";
import { SessionError } from "../../core/errors.ts";
import { hashId } from "../../core/keys.ts";
import type { StoredLifetime } from "../../core/lifetime.ts";
import { typeOf } from "../../core/options.ts";
import {
  checkSize,
  decodeRecord,
  decodeRecordLife,
  type Draft,
  encodeRecord,
  encodeRecordEntries,
  encodeTexts,
  type SessionRecord,
  storedTexts,
} from "../../core/record.ts";
import type {
  AnyEngine,
  StorageGuarantees,
  WriteOptions,
} from "../contract.ts";
import { problemOf } from "./engine_answers.ts";
import {
  type EnginePolicy,
  MAX_ATTEMPTS,
  SWEEP_AFTER,
} from "./engine_policy.ts";
import {
  type Records,
  REPLACED,
  shortened,
  type StoredRecord,
} from "./records.ts";

interface KeyedRecord extends StoredRecord {
  readonly key: string;
  readonly text: string;
}

/** How long, in milliseconds, to remember which id replaced another, so that a repeated call can find it. */
const REMEMBERED = 60_000;

/** An id that the core makes, or of the same form if an application chose it. */
const ID = /^[\w-]{22,64}$/;

/** Keeps records in an engine, each under the hash of its id. A stolen dump therefore does not contain usable ids. */
export class EngineRecords implements Records {
  readonly guarantees: StorageGuarantees;
  readonly policy: EnginePolicy;
  readonly checksLifetime = true;
  readonly engine: AnyEngine;
  readonly move?: NonNullable<Records["move"]>;
  readonly sweep?: () => Promise<number | undefined>;
  readonly close?: () => Promise<void>;

  constructor(engine: AnyEngine, policy: EnginePolicy) {
    this.guarantees = engine.guarantees;
    this.policy = policy;
    this.engine = engine;
    if (engine.move && this.guarantees.compareAndSet) {
      this.move = (...given) => this.#move(...given);
    }
    if (engine.sweep) this.sweep = () => this.#sweep();
    if (engine.close) {
      this.close = async () =>
        await policy.call("close storage", async () => engine.close?.());
    }
  }

  accepts(id: string): boolean {
    return ID.test(id);
  }

  load(
    id: string,
    key: string = hashId(id),
  ): Awaitable<KeyedRecord | undefined> {
    const { policy, engine } = this;
    const read = policy.call("read session", () => engine.read(key), { key });
    return after(read, (found) => {
      if (found === null) return undefined;
      const problem = problemOf(found, this.guarantees);
      if (problem === undefined) {
        return this.#record(id, key, found.value, found.version, found.expires);
      }
      throw this.#wrong("read session", `read() returned ${problem}`);
    });
  }

  reload({ id }: StoredRecord): Awaitable<KeyedRecord | undefined> {
    return this.load(id);
  }

  /** @param mark As {@linkcode StoredRecord.mark}. */
  create(
    id: string,
    draft: Draft,
    mark?: string,
  ): Awaitable<KeyedRecord | undefined> {
    const absent = this.guarantees.compareAndSet ? null : undefined;
    return this.#write(id, hashId(id), draft, absent, mark);
  }

  replace(
    stored: StoredRecord,
    draft: Draft,
    mark?: string,
  ): Awaitable<KeyedRecord | undefined> {
    const { id, key } = stored as KeyedRecord;
    return this.#write(id, key, draft, this.#versionOf(stored), mark);
  }

  remove(id: string, stored?: StoredRecord): Awaitable<boolean> {
    const options = stored ? { ifVersion: this.#versionOf(stored) } : {};
    return this.#delete(hashId(id), options);
  }

  async revoke(stored: StoredRecord): Promise<void> {
    await this.#revoke(stored as KeyedRecord, 1);
  }

  async retire(
    stored: StoredRecord,
    nextId: string | undefined,
  ): Promise<boolean> {
    if (!this.guarantees.compareAndSet) return await this.remove(stored.id);
    // A deletion cannot be repeated: if its answer was lost, it could have been this one or a logout's. A note can.
    const next = nextId === undefined ? undefined : hashId(nextId);
    if (await this.replace(stored, this.#note(next), REPLACED)) return true;
    const found = await this.reload(stored);
    return found?.mark === REPLACED && nextOf(found) === next;
  }

  async rewrite(stored: StoredRecord): Promise<KeyedRecord | undefined> {
    const { id, key, text, expires } = stored as KeyedRecord;
    const ifVersion = this.#versionOf(stored);
    const owner = stored.decode()?.owner;
    return await this.#writeText(id, key, text, { expires, ifVersion, owner });
  }

  async supersede(stored: StoredRecord): Promise<void> {
    if (!this.guarantees.compareAndSet) {
      await this.remove(stored.id);
      return;
    }
    const { id, key } = stored as KeyedRecord;
    const note = this.#note(undefined);
    let at: KeyedRecord | undefined = stored as KeyedRecord;
    for (let attempt = 1;; attempt++) {
      // The last attempt is unconditional, as in `revoke`.
      const sure = attempt < MAX_ATTEMPTS;
      const version = at ? at.version : null;
      const ifVersion = sure ? version : undefined;
      if (await this.#write(id, key, note, ifVersion, REPLACED)) return;
      at = await this.load(id, key);
      if (at?.mark !== REPLACED) continue;
      const next = nextOf(at);
      const moved = next === undefined ? undefined : await this.load(id, next);
      if (moved) await this.revoke(moved);
      return;
    }
  }

  leadsTo(stored: StoredRecord | undefined, nextId: string): boolean {
    return nextOf(stored) === hashId(nextId);
  }

  async slide(
    stored: StoredRecord,
    record: SessionRecord,
    used: number,
    expires: number,
  ): Promise<KeyedRecord | undefined> {
    const moved = used + record.span;
    // The deadline says when the record was used, so it can only move by as much. It may be later than needed, but not
    // earlier. Without compare-and-set, writing the record could undo a newer one.
    if (expires <= moved || !this.guarantees.compareAndSet) {
      return await this.#touch(stored, moved);
    }
    const entries = encodeRecordEntries(record);
    return await this.replace(
      stored,
      { ...record, entries, span: expires - used, expires },
    );
  }

  async shorten(stored: StoredRecord, expires: number): Promise<void> {
    const draft = shortened(stored, expires);
    if (draft) await this.replace(stored, draft);
  }

  /** @param next The key of the session that replaced the record, if the note leads to it. */
  #note(next: string | undefined): Draft {
    const now = this.policy.instant();
    const values = encodeTexts(next === undefined ? [] : [["next", next]]);
    return {
      created: now,
      saved: now,
      lifetime: null,
      span: REMEMBERED,
      entries: { values, flashes: new Map() },
      expires: now + REMEMBERED,
    };
  }

  async #touch(
    stored: StoredRecord,
    expires: number,
  ): Promise<KeyedRecord | undefined> {
    const { id, key, text, version } = stored as KeyedRecord;
    const ifVersion = this.#versionOf(stored);
    const { engine } = this;
    const touch = async () => {
      if (!engine.touch) {
        const owner = stored.decode()?.owner;
        return await engine.write(key, text, { expires, ifVersion, owner });
      }
      const touched = await engine.touch(key, expires, { ifVersion });
      return touched === false ? null : version;
    };
    const next = await this.policy.call("touch session", touch, { key });
    return next === null
      ? undefined
      : this.#record(id, key, text, next, expires);
  }

  #write(
    id: string,
    key: string,
    draft: Draft,
    ifVersion: unknown,
    mark = "",
  ): Awaitable<KeyedRecord | undefined> {
    const { expires, owner, lifetime } = draft;
    const text = this.#encode(key, draft, mark);
    const options = { expires, ifVersion, owner };
    return this.#writeText(id, key, text, options, lifetime);
  }

  /** @param lifetime As for `#record`. */
  #writeText(
    id: string,
    key: string,
    text: string,
    options: WriteOptions,
    lifetime?: StoredLifetime,
  ): Awaitable<KeyedRecord | undefined> {
    const { engine } = this;
    const writing: Awaitable<unknown> = this.policy.call(
      "save session",
      () => engine.write(key, text, options),
      { key },
    );
    return after(writing, (version) => {
      this.#checkVersion("write", version);
      return version === null
        ? undefined
        : this.#record(id, key, text, version, options.expires, lifetime);
    });
  }

  async #move(
    stored: StoredRecord,
    nextId: string | undefined,
    id: string,
    draft: Draft,
  ): Promise<KeyedRecord | "failed" | undefined> {
    const { engine } = this;
    const { key: old, version: ifVersion } = stored as KeyedRecord;
    const note = this.#note(nextId === undefined ? undefined : hashId(nextId));
    const value = this.#encode(old, note, REPLACED);
    const from = { key: old, ifVersion, value, expires: note.expires };
    const key = hashId(id);
    const text = this.#encode(key, draft);
    const { expires, owner, lifetime } = draft;
    let version: unknown;
    try {
      version = await this.policy.call(
        "save session",
        () => engine.move?.(key, text, { expires, owner, from }),
        { key },
      );
    } catch {
      // It was reported.
      return "failed";
    }
    this.#checkVersion("move", version);
    return version === null
      ? undefined
      : this.#record(id, key, text, version, expires, lifetime);
  }

  /** @throws {SessionError} If the record is too large for the engine: `too-large`. */
  #encode(key: string, draft: Draft, mark = ""): string {
    const text = mark + encodeRecord(key, draft);
    const limit = this.guarantees.maxBytes;
    // UTF-8 takes at most three bytes for a UTF-16 unit, so most records need not be measured.
    if (limit !== undefined && text.length * 3 > limit) {
      checkSize("the engine", utf8Length(text), limit, draft.entries);
    }
    return text;
  }

  /** The next save would otherwise have no version to compare with, and undo what others saved. */
  #checkVersion(method: "write" | "move", version: unknown): void {
    if (version !== undefined || !this.guarantees.compareAndSet) return;
    const right = method === "write"
      ? "the record's new version, or null if ifVersion does not hold"
      : "the new record's version, or null if it has changed nothing";
    throw this.#wrong(
      "save session",
      `${method}() returned undefined; it must return ${right}`,
    );
  }

  async #delete(
    key: string,
    options: { ifVersion?: unknown },
  ): Promise<boolean> {
    const deleted: unknown = await this.policy.call(
      "destroy session",
      () => this.engine.delete(key, options),
      { key },
    );
    if (typeof deleted === "boolean") return deleted;
    throw this.#wrong(
      "destroy session",
      `delete() returned ${
        typeOf(deleted)
      }; it must return false if ifVersion does not hold, and true otherwise`,
    );
  }

  /** The error for an engine that does not keep to its types. */
  #wrong(what: string, problem: string): SessionError {
    const message = `Cannot ${what}: the engine's ${problem}`;
    return this.policy.failure(what, new SessionError("store-failed", message));
  }

  async #revoke(stored: KeyedRecord, attempt: number): Promise<void> {
    const { id, key, version } = stored;
    if (stored.mark === REPLACED) {
      // The note stays. Otherwise a late request with this id would make a session of its own, and its cookie could
      // replace a login's.
      const next = nextOf(stored);
      const moved = next === undefined ? undefined : await this.load(id, next);
      if (moved) await this.#revoke(moved, attempt + 1);
      return;
    }
    // The last attempt is unconditional: requests that keep changing a session must not prevent its end.
    const sure = this.guarantees.compareAndSet && attempt < MAX_ATTEMPTS;
    if (await this.#delete(key, sure ? { ifVersion: version } : {})) return;
    const changed = await this.load(id, key);
    if (changed) await this.#revoke(changed, attempt + 1);
  }

  /** @param lifetime Known for a record that was just written, which then need not be decoded. */
  #record(
    id: string,
    key: string,
    text: string,
    version: unknown,
    expires: number,
    lifetime?: StoredLifetime,
  ): KeyedRecord {
    const unmarked = text[0] === "[" ? text : withoutMark(text);
    return {
      id,
      key,
      text,
      version,
      expires,
      lifetime,
      mark: unmarked === text ? undefined : text.charAt(0),
      decode: () => decodeRecord(key, unmarked),
      life: () => decodeRecordLife(text),
      texts: (expected) => storedTexts(text, expected),
    };
  }

  async #sweep(): Promise<number | undefined> {
    const before = this.policy.instant() - SWEEP_AFTER;
    try {
      // Without a timeout, because there can be many records to remove.
      const removed = await this.engine.sweep?.(before);
      return typeof removed === "number" ? removed : undefined;
    } catch (cause) {
      throw this.policy.failure("sweep storage", cause);
    }
  }

  #versionOf(stored: StoredRecord): unknown {
    return this.guarantees.compareAndSet ? stored.version : undefined;
  }
}

/** A mark: one of these characters before a record's bracket. */
const MARK = /^[?!>]/;

/** A record's text without its mark. */
export function withoutMark(text: string): string {
  return text.replace(MARK, "");
}

/** The key of the session that a note names; `undefined` if the record is not a note. */
function nextOf(stored: StoredRecord | undefined): string | undefined {
  if (stored?.mark !== REPLACED) return undefined;
  const next = stored.decode()?.values["next"];
  return typeof next === "string" ? next : undefined;
}
