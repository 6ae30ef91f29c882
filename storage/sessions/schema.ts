/**
 * Checks sessions that were read, by the options `schema` and `migrate`.
 *
 * @module
 */
import { isToken } from "../../core/changes.ts";
import { typeOf } from "../../core/options.ts";
import { isObject } from "../../core/record.ts";
import { Shown } from "../../core/shown.ts";
import type {
  StandardIssueLike,
  StandardSchemaLike,
} from "../../core/standard_schema.ts";
import type { StorageOptions } from "../contract.ts";

/** Why a session does not fit. */
export interface Misfit {
  /** The keys of the values that do not fit, if they are known. */
  readonly keys: readonly string[];
  /** What the schema or the migration threw, if one did. */
  readonly thrown?: { readonly cause: unknown };
}

type Values = Readonly<Record<string, unknown>>;

/** A schema, and the migration of what does not fit it. */
export class SessionSchema {
  readonly #schema: StandardSchemaLike<unknown>["~standard"];
  readonly #migrate: StorageOptions["migrate"];

  constructor(
    schema: StandardSchemaLike<unknown>,
    migrate: StorageOptions["migrate"],
  ) {
    this.#schema = schema["~standard"];
    this.#migrate = migrate;
  }

  /** Converts the values of a stored session. Never rejects: what one visitor carries must not fail a request. */
  async fit(stored: Values): Promise<Shown | Misfit> {
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
  return new SessionSchema(schema, migrate);
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
