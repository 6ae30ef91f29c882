/**
 * The class of the Durable Objects that keep one record each.
 *
 * It has `fetch` instead of methods for RPC: those need a base class from `cloudflare:workers`, a module that no other
 * runtime can load.
 *
 * @module
 */

/** The part of a Durable Object's state that a {@linkcode SessionObject} needs. */
export interface SessionObjectState {
  /** The object's storage: SQLite (`new_sqlite_classes`). */
  readonly storage: {
    /** Its synchronous part. */
    readonly kv: {
      /** Reads a value. */
      get(key: string): unknown;
      /** Writes a value. */
      put(key: string, value: unknown): void;
    };
    /** Sets the time, in milliseconds, at which `alarm` is called. */
    setAlarm(time: number): Promise<void>;
    /** Takes the alarm back. */
    deleteAlarm(): Promise<void>;
    /** Removes everything. */
    deleteAll(): Promise<void>;
  };
}

/** What an object is asked, as JSON. The version is a text here: only the engine makes one. */
export type Question =
  | { readonly ask: "read" }
  | {
    readonly ask: "write";
    readonly value: string;
    readonly version: string;
    readonly expires: number;
    /** The time until the deadline, in milliseconds: the object's clock may differ. */
    readonly left: number;
    readonly ifVersion?: unknown;
  }
  | {
    readonly ask: "touch";
    readonly expires: number;
    readonly left: number;
    readonly ifVersion?: unknown;
  }
  | { readonly ask: "delete"; readonly ifVersion?: unknown };

/** What an object answers, as JSON: the record, or whether the change was made. */
export type Answer = StoredRecord | null | boolean;

/** A record, as an object answers. */
export interface StoredRecord {
  readonly value: string;
  readonly version: string;
  readonly expires: number;
}

interface Kept extends StoredRecord {
  /** The deadline by this object's clock. */
  readonly until: number;
  /** When the alarm is due: at the deadline, or earlier. */
  readonly alarm: number;
}

const KEY = "record";

/**
 * A Durable Object that keeps one session, or the list of one owner's sessions. Export it from the entry of your Worker,
 * bind it, and pass the binding to {@linkcode createDurableObjectSessionStorage}.
 *
 * Each change is made in one synchronous step, so that no other request is served in between.
 *
 * ```toml
 * # wrangler.toml
 * [[durable_objects.bindings]]
 * name = "SESSIONS"
 * class_name = "SessionObject"
 *
 * [[migrations]]
 * tag = "v1"
 * new_sqlite_classes = ["SessionObject"]
 * ```
 *
 * @example The entry of a Worker
 * ```ts
 * export { SessionObject } from "@satchel/session";
 * ```
 */
export class SessionObject {
  readonly #storage: SessionObjectState["storage"];

  /**
   * Creates the object. Cloudflare's runtime calls it.
   *
   * @param state The object's state.
   */
  constructor(state: SessionObjectState) {
    this.#storage = state.storage;
  }

  /** Answers the engine. Cloudflare's runtime calls it, one request at a time. */
  async fetch(request: Request): Promise<Response> {
    return Response.json(await this.#answer(await request.json()));
  }

  /** Removes the record if it has expired. Cloudflare's runtime calls it. */
  async alarm(): Promise<void> {
    const kept = this.#kept();
    if (!kept || kept.until <= Date.now()) await this.#clear();
    else await this.#keep(kept, true);
  }

  #answer(question: Question): Answer | Promise<Answer> {
    const kept = this.#kept();
    if (question.ask === "read") return kept && answered(kept);
    // The Worker asks again if it lost the answer.
    if (question.ask === "write" && question.version === kept?.version) {
      return true;
    }
    const { ifVersion } = question;
    if (ifVersion !== undefined && ifVersion !== (kept?.version ?? null)) {
      return false;
    }
    if (question.ask === "delete") return this.#clear();
    const { expires, left } = question;
    const until = Date.now() + left;
    const alarm = kept?.alarm ?? Infinity;
    if (question.ask === "touch") {
      return kept !== null && this.#keep({ ...kept, expires, until });
    }
    const { value, version } = question;
    return this.#keep({ value, version, expires, until, alarm });
  }

  #kept(): Kept | null {
    return (this.#storage.kv.get(KEY) ?? null) as Kept | null;
  }

  /**
   * Stores the record. An alarm that is due before the deadline stays, and is set again when it is due: each setting
   * costs as much as a write.
   */
  async #keep(kept: Kept, isDue = false): Promise<true> {
    const { alarm, until } = kept;
    if (!isDue && Date.now() < alarm && alarm <= until) {
      this.#storage.kv.put(KEY, kept);
      return true;
    }
    this.#storage.kv.put(KEY, { ...kept, alarm: until });
    await this.#storage.setAlarm(until);
    return true;
  }

  /** Removes everything in one step. Even an empty object that is not cleared takes space. */
  async #clear(): Promise<true> {
    await Promise.all([this.#storage.deleteAlarm(), this.#storage.deleteAll()]);
    return true;
  }
}

function answered({ value, version, expires }: Kept): StoredRecord {
  return { value, version, expires };
}
