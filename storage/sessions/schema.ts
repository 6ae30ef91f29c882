/**
 * Checks sessions that were read, by the options `schema` and `migrate`.
 *
 * @module
 */
import { isToken } from "../../core/changes.ts";
import { hashId } from "../../core/keys.ts";
import { typeOf } from "../../core/options.ts";
import { isObject, type SessionRecord } from "../../core/record.ts";
import type { SessionState } from "../../core/session_state.ts";
import { Shown } from "../../core/shown.ts";
import type {
  StandardIssueLike,
  StandardSchemaLike,
} from "../../core/standard_schema.ts";
import type { StorageOptions } from "../contract.ts";
import type { EventDetails, Subject } from "./events.ts";

/** Why a session does not fit. */
interface Misfit {
  /** The keys of the values that do not fit, if they are known. */
  readonly keys: readonly string[];
  /** What the schema or the migration threw, if one did. */
  readonly thrown?: { readonly cause: unknown };
}

type Values = Readonly<Record<string, unknown>>;

/** Reports that a session does not fit. */
type Report = (details: EventDetails) => void;

/** How many misfits are remembered, so that each is reported once. */
const MAX_MISFITS = 10_000;

/** A schema, and the migration of what does not fit it. */
export class SessionSchema {
  readonly #schema: StandardSchemaLike<unknown>["~standard"];
  readonly #migrate: StorageOptions["migrate"];
  readonly #report: Report | undefined;
  /** The keys of sessions that were reported. */
  readonly #reported = new Set<string>();

  /** @param report Absent if nobody listens. */
  constructor(
    schema: StandardSchemaLike<unknown>,
    migrate: StorageOptions["migrate"],
    report: Report | undefined,
  ) {
    this.#schema = schema["~standard"];
    this.#migrate = migrate;
    this.#report = report;
  }

  /** Shows a session as the schema converts it; `false` if it does not fit and is now a new one. */
  async show(state: SessionState, about: Subject): Promise<boolean> {
    const { record } = state;
    const shown = record && await this.shown(record, about);
    if (shown) state.show(shown);
    else state.detach();
    return shown !== undefined;
  }

  /** Converts the values of a record. If they do not fit, reports that once for each session, and returns `undefined`. */
  async shown(
    { values }: SessionRecord,
    about: Subject,
  ): Promise<Shown | undefined> {
    const found = await this.#fit(values);
    if (found instanceof Shown) return found;
    if (!this.#report) return undefined;
    const { id = JSON.stringify(values), key = hashId(id) } = about;
    if (this.#reported.has(key)) return undefined;
    if (this.#reported.size === MAX_MISFITS) this.#reported.clear();
    this.#reported.add(key);
    const { keys, thrown } = found;
    this.#report({ ...about, keys, ...thrown });
    return undefined;
  }

  /** Converts values that are about to be stored, if they fit. */
  async converted(values: Values): Promise<Values> {
    const found = await this.#fit(values);
    return found instanceof Shown ? Object.fromEntries(found.values) : values;
  }

  /** Never rejects: what one visitor carries must not fail a request. */
  async #fit(stored: Values): Promise<Shown | Misfit> {
    const tokens = valuesIn(stored, isToken);
    let values = valuesIn(stored, (key) => !isToken(key));
    let migrated: Values | undefined;
    try {
      let result = await this.#schema.validate(values);
      if (result.issues && this.#migrate) {
        // A copy, because the schema may have changed these.
        const copy = JSON.parse(JSON.stringify(values));
        values = plain(await this.#migrate(copy), "migrate");
        migrated = { ...values, ...tokens };
        result = await this.#schema.validate(values);
      }
      return result.issues
        ? { keys: keysOf(result.issues) }
        : new Shown(stored, migrated, plain(result.value, "schema"));
    } catch (cause) {
      return { keys: [], thrown: { cause } };
    }
  }
}

/**
 * Checks the options `schema` and `migrate`.
 *
 * @throws {TypeError} If one of them is malformed, or there is only `migrate`.
 */
export function schemaOf(
  { schema, migrate }: Pick<StorageOptions, "schema" | "migrate">,
  report: Report | undefined,
): SessionSchema | undefined {
  if (schema === undefined) {
    if (migrate) fail("migrate requires schema");
    return undefined;
  }
  if (typeof Object(schema)["~standard"]?.validate !== "function") {
    fail(
      "schema must implement Standard Schema; pass z.object({ … }), for example",
    );
  }
  return new SessionSchema(schema, migrate, report);
}

/** By entries, because `__proto__` is an ordinary key. */
function valuesIn(values: Values, belongs: (key: string) => boolean): Values {
  const entries = Object.entries(values);
  return Object.fromEntries(entries.filter(([key]) => belongs(key)));
}

function plain(value: unknown, source: string): Values {
  if (isObject(value)) return value;
  return fail(`${source} must return an object, received ${typeOf(value)}`);
}

function keysOf(issues: readonly StandardIssueLike[]): string[] {
  const keys = issues.flatMap(({ path }) => path?.slice(0, 1) ?? [])
    .map((part) => String(typeof part === "object" ? part.key : part));
  return [...new Set(keys)];
}

function fail(why: string): never {
  throw new TypeError(`Cannot create storage: ${why}`);
}
