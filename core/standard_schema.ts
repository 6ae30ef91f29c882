/**
 * The part of Standard Schema that is used (version 1, https://standardschema.dev). Zod, Valibot, ArkType and other
 * libraries implement it.
 *
 * @module
 */

/** A schema of any library that implements Standard Schema. */
export interface StandardSchemaLike<Output> {
  /** What the libraries agree on. */
  readonly "~standard": {
    /** The version of the standard. */
    readonly version: 1;
    /** Checks a value, and returns it as the schema converts it. */
    readonly validate: (
      value: unknown,
    ) => StandardResultLike<Output> | Promise<StandardResultLike<Output>>;
  };
}

/** The result of a check: a value, or why the input does not fit. */
export type StandardResultLike<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssueLike[] };

/** Why a value does not fit. */
export interface StandardIssueLike {
  /** What is wrong. */
  readonly message: string;
  /** Where it is wrong. */
  readonly path?:
    | readonly (PropertyKey | { readonly key: PropertyKey })[]
    | undefined;
}
