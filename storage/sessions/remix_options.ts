/**
 * The options of Remix 3's storages under their names there.
 *
 * @module
 */

/** Options of Remix 3's storages that this library does not have under that name, or at all. */
export interface RemixStorageOptions {
  /**
   * Only `false`: an unknown id is never accepted, because an attacker could have planted it (session fixation).
   * @default {false}
   */
  useUnknownIds?: false | undefined;
}

/**
 * Translates the names of Remix 3's options.
 *
 * @param options The options, after a client or an address.
 * @param names This library's name for each of Remix's.
 * @throws {TypeError} If an option is given under both names.
 */
export function fromRemix(
  options: object | undefined,
  names: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const renamed: Record<string, unknown> = { ...options };
  for (const [theirs, name] of Object.entries(names)) {
    const value = renamed[theirs];
    delete renamed[theirs];
    if (value === undefined) continue;
    if (renamed[name] !== undefined) {
      throw new TypeError(
        `Cannot create storage: pass either ${name} or ${theirs}, received both`,
      );
    }
    renamed[name] = value;
  }
  return renamed;
}

/**
 * Checks that all options are in one object, if they come first.
 *
 * @param second What is after it.
 * @param first What Remix 3 has first: a client, for example.
 * @throws {TypeError} If there is a second object.
 */
export function checkAlone(second: unknown, first: string): void {
  if (second === undefined) return;
  throw new TypeError(
    `Cannot create storage: pass all options in one object, or ${first} before them`,
  );
}

/** @throws {TypeError} If the options ask for ids that the storage does not know. */
export function checkUnknownIds({ useUnknownIds }: {
  readonly useUnknownIds?: unknown;
}): void {
  if (!useUnknownIds) return;
  throw new TypeError(
    "Cannot create storage: useUnknownIds is not supported, because an attacker could plant an id and use the session after the visitor has signed in; leave it out",
  );
}
