/**
 * What a session shows in place of its stored values, if a schema converts them.
 *
 * The stored texts stay. Only what the request sets or changes is written, so that a save neither drops what the schema
 * does not know, nor stores a converted value that the schema would not read again. A migration is written whole, with
 * the next save: a record must not be half in one shape and half in another.
 *
 * @module
 */
import { type MigratedText, type Migration, textOf } from "./changes.ts";
import { encodeJson } from "./json.ts";

type Values = Readonly<Record<string, unknown>>;

/** The values that a session shows, and how they differ from the stored ones. */
export class Shown {
  readonly values: Map<string, unknown>;
  /** What the next save migrates. */
  migration: Migration | undefined;
  /** The text of the stored or migrated value, and that of the schema's, where it may be another; `undefined` without one. */
  readonly #texts = new Map<
    string,
    readonly [base: string | undefined, text: string | undefined]
  >();

  /**
   * @param stored The stored values.
   * @param migrated The values that are to replace them, if they were migrated.
   * @param converted What the schema has returned for them. It adds to them.
   * @throws {SessionError} If a migrated value is not JSON: `unserializable`.
   */
  constructor(stored: Values, migrated: Values | undefined, converted: Values) {
    const base = definedIn(migrated ?? stored);
    this.values = new Map([...base, ...definedIn(converted)]);
    if (migrated) this.migration = differences(definedIn(stored), base);
    for (const [key, value] of this.values) {
      const before = base.get(key);
      if (Object.is(before, value)) continue;
      this.#texts.set(key, [textOf(before), textOf(value)]);
    }
  }

  /** The text of a value as the application has received it, if that is not the stored text. */
  textOf(key: string): string | undefined {
    return this.#texts.get(key)?.[1] ?? this.migratedText(key);
  }

  /** The text that a save writes for a value that the request has not changed, if that is not the stored text. */
  migratedText(key: string): string | undefined {
    return this.migration?.get(key)?.[1];
  }

  /** Whether a value is not JSON, a `Date` for example. If it changes in place, that is not noticed. */
  isOpaque(key: string): boolean {
    return this.#texts.has(key) && this.#texts.get(key)?.[1] === undefined;
  }

  /** Whether the schema has added a value that is not stored. */
  isAdded(key: string): boolean {
    return this.#texts.has(key) && this.#texts.get(key)?.[0] === undefined;
  }

  /** Forgets what a save has written. */
  saved(keys: Iterable<string>): void {
    this.migration = undefined;
    for (const key of keys) this.#texts.delete(key);
  }

  /**
   * Converts the values of a newer record, as far as they are those that were read.
   *
   * @param converted The values that the session shows.
   */
  convert(
    newest: Map<string, unknown>,
    converted: ReadonlyMap<string, unknown>,
  ): void {
    for (const [key, [base]] of this.#texts) {
      if (textOf(newest.get(key)) !== base) this.#texts.delete(key);
      else newest.set(key, converted.get(key));
    }
  }
}

function definedIn(values: Values): Map<string, unknown> {
  const entries = Object.entries(values);
  return new Map(entries.filter(([, value]) => value !== undefined));
}

function differences(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): Migration {
  const changed = new Map<string, MigratedText>();
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const text = textOf(before.get(key));
    const next = after.has(key) ? encodeJson(after.get(key), key) : undefined;
    if (text !== next) changed.set(key, [text, next]);
  }
  return changed;
}
