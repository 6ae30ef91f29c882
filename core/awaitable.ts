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
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Whether a value is to be awaited. Not `instanceof`, because it may come from another library. */
export function isThenable<T>(
  value: T | PromiseLike<T>,
): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | undefined)?.then === "function";
}
