/**
 * Values that are known at once, or later.
 *
 * Most work on a request needs no waiting: a cookie is decoded and encoded synchronously, and some engines answer at
 * once. Each `await` would cost as much as hashing a short text.
 *
 * @module
 */

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Continues with a value: at once, or when its promise resolves. */
export function after<T, Result>(
  value: Awaitable<T>,
  next: (value: T) => Awaitable<Result>,
): Awaitable<Result> {
  return isThenable(value) ? value.then(next) : next(value);
}

/** Does something, and handles its error, whether that is thrown or rejects a promise. */
export function attempt<T>(
  work: () => Awaitable<T>,
  fail: (error: unknown) => Awaitable<T>,
): Awaitable<T> {
  try {
    const result = work();
    return isThenable(result) ? result.then(undefined, fail) : result;
  } catch (error) {
    return fail(error);
  }
}

/**
 * Whether a value is to be awaited. Not `instanceof`: it may come from another library, and where an application has
 * replaced the global `Promise`, as zone.js does, async functions still return the runtime's own.
 */
export function isThenable<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === "object" && value !== null &&
    typeof (value as Promise<T>).then === "function";
}
