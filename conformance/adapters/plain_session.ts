/**
 * A session for libraries that store a plain object and leave its meaning to the application.
 *
 * @module
 */
import type { SessionLike } from "../types.ts";

/** What such a library stores for a session. */
export interface PlainData {
  /** The values. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The flashes that were not read yet. */
  readonly flashes: Readonly<Record<string, unknown>>;
}

/** The data of a record; `undefined` if it is damaged. */
export function plainData(record: unknown): PlainData | undefined {
  const { values, flashes } = Object(record) as Partial<PlainData>;
  return isRecord(values) && isRecord(flashes)
    ? { values, flashes }
    : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A random id of 192 bits, as express-session's. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_");
}

/**
 * Whether a text could be an id of {@linkcode randomId}. Applications sign their cookies, so no other text reaches their
 * store.
 */
export function isId(text: string | null): text is string {
  return text !== null && /^[\w-]{32}$/.test(text);
}

/** A session over a plain object. */
export class PlainSession implements SessionLike {
  /** The id. */
  id: string;
  /** Whether the record existed when it was read. */
  stored: boolean;
  /** Whether the session was destroyed. */
  destroyed = false;
  /** Ids of this session that have to end with the next save. */
  readonly replaced: string[] = [];
  readonly #values: Map<string, unknown>;
  readonly #flashes: Map<string, unknown>;
  readonly #print: (data: unknown) => string;
  #saved: string;

  /** Without data, it is new. `print` is how the framework finds out whether the data has changed. */
  constructor(
    id: string,
    data?: PlainData,
    print: (data: unknown) => string = JSON.stringify,
  ) {
    this.id = id;
    this.#print = print;
    this.stored = data !== undefined;
    this.#values = new Map(Object.entries(data?.values ?? {}));
    this.#flashes = new Map(Object.entries(data?.flashes ?? {}));
    this.#saved = this.#text();
  }

  /** The data to store. Values are not copied, as an application's are not. */
  get data(): PlainData {
    return {
      values: Object.fromEntries(this.#values),
      flashes: Object.fromEntries(this.#flashes),
    };
  }

  /** Whether it has to be saved: by the text of its data, as express-session decides. */
  get changed(): boolean {
    return this.replaced.length > 0 || this.#text() !== this.#saved;
  }

  /** Its data and its id are stored now. */
  settle(): void {
    this.stored = !this.destroyed;
    this.replaced.length = 0;
    this.#saved = this.#text();
  }

  get(key: string): unknown {
    if (this.#values.has(key)) return this.#values.get(key);
    const value = this.#flashes.get(key);
    this.#flashes.delete(key);
    return value;
  }

  set(key: string, value: unknown): void {
    if (value === undefined) this.unset(key);
    else this.#values.set(key, value);
  }

  has(key: string): boolean {
    return this.#values.has(key) || this.#flashes.has(key);
  }

  unset(key: string): void {
    this.#values.delete(key);
    this.#flashes.delete(key);
  }

  flash(key: string, value: unknown): void {
    this.#flashes.set(key, value);
  }

  regenerateId(): void {
    this.replaced.push(this.id);
    this.id = randomId();
  }

  destroy(): void {
    this.destroyed = true;
    this.#values.clear();
    this.#flashes.clear();
  }

  #text(): string {
    return this.#print([...this.#values, null, ...this.#flashes]);
  }
}
