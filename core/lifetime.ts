/**
 * When a session ends: a cookie's lifetime, the idle and the absolute timeout, and what they come to together.
 *
 * Lifetimes are in seconds, instants in milliseconds since 1970.
 *
 * @module
 */

/** Where nothing else is said, a session ends this many seconds after its last save. */
export const DEFAULT_LIFETIME: number = 14 * 24 * 60 * 60;

/** How long something lasts: for `maxAge` seconds from its last save, or until the fixed instant `expires`. */
export interface Lifetime {
  /** Seconds from the last save. Wins over `expires`. */
  maxAge?: number | undefined;
  /** A fixed end. */
  expires?: Date | undefined;
}

/** The timeouts that a storage holds its sessions to. */
export interface Timeouts {
  /**
   * Seconds without a request after which a session ends. In a cookie storage the response moves the deadline: a
   * request counts there only if its response commits the session.
   *
   * @default {never}
   */
  idleTimeout?: number | undefined;
  /** Seconds after its creation at which a session ends, whatever happens. @default {never; 400 days with `owner`} */
  absoluteTimeout?: number | undefined;
  /**
   * Seconds by which the idle deadline must move before it is written again; shorter than `idleTimeout`.
   *
   * @default {a tenth of idleTimeout, 60 at most}
   */
  touchAfter?: number | undefined;
}

/**
 * A lifetime as a record keeps it: seconds from the last save, a fixed instant, or none of its own.
 * The instant stands in a list of one, so that both fit into JSON and cannot be mistaken for each other.
 */
export type StoredLifetime = number | readonly [instant: number] | null;

/**
 * The lifetime that options ask for: `maxAge` before `expires`.
 *
 * @throws {RangeError} If `maxAge` is negative or not finite.
 * @throws {TypeError} If `expires` is no valid date.
 */
export function lifetimeOf(options: Lifetime | undefined): StoredLifetime {
  if (options?.maxAge !== undefined) {
    return checkSeconds("maxAge", options.maxAge);
  }
  if (options?.expires === undefined) return null;
  const instant = options.expires instanceof Date
    ? options.expires.getTime()
    : NaN;
  if (Number.isNaN(instant)) {
    throw new TypeError("Cannot use expires: it must be a valid Date");
  }
  return [instant];
}

/**
 * Returns `seconds`, which must be a finite, non-negative number.
 *
 * @throws {RangeError} If it is not.
 */
export function checkSeconds(name: string, seconds: number): number {
  if (
    typeof seconds !== "number" || !Number.isFinite(seconds) || seconds < 0
  ) {
    throw new RangeError(
      `Cannot use ${name}: it must be a finite, non-negative number of seconds, received ${
        String(seconds)
      }`,
    );
  }
  return seconds;
}

/**
 * Returns `seconds`, which must be a finite number greater than 0.
 *
 * @throws {RangeError} If it is not.
 */
export function checkDuration(name: string, seconds: number): number {
  if (checkSeconds(name, seconds) > 0) return seconds;
  throw new RangeError(`Cannot use ${name}: it must be more than 0 seconds`);
}

/**
 * Checks a storage's timeouts and fills in `touchAfter`: a tenth of the idle timeout, a minute at most.
 *
 * @throws {RangeError} If one is not positive and finite, or if `touchAfter` is not shorter than `idleTimeout`.
 */
export function checkTimeouts(timeouts: Timeouts): Timeouts {
  const { idleTimeout, absoluteTimeout } = timeouts;
  if (idleTimeout !== undefined) checkDuration("idleTimeout", idleTimeout);
  if (absoluteTimeout !== undefined) {
    checkDuration("absoluteTimeout", absoluteTimeout);
  }
  const touchAfter = timeouts.touchAfter ??
    Math.min(60, (idleTimeout ?? 0) / 10);
  checkSeconds("touchAfter", touchAfter);
  if (idleTimeout !== undefined && touchAfter >= idleTimeout) {
    throw new RangeError(
      "Cannot use touchAfter: it must be shorter than idleTimeout, or sessions in use would expire",
    );
  }
  return { idleTimeout, absoluteTimeout, touchAfter };
}

/** The last instant that a Date can hold (ECMA-262, 21.4.1.1): no deadline lies behind it, however long a lifetime. */
export const LAST_INSTANT: number = 8.64e15;

/** What a session's deadline depends on. */
export interface Life {
  /** When the session began, in milliseconds. */
  readonly created: number;
  /** When its lifetime is over, counted from its last save, in milliseconds. */
  readonly ends: number;
  /** What a commit gave it for good. */
  readonly lifetime: StoredLifetime;
}

/** The instant, in milliseconds, at which a lifetime that begins at `now` is over. */
export function endOf(lifetime: StoredLifetime, now: number): number {
  const seconds = lifetime ?? DEFAULT_LIFETIME;
  const end = typeof seconds === "number" ? now + seconds * 1000 : seconds[0];
  return Math.min(end, LAST_INSTANT);
}

/** The instant, in milliseconds, from which a session used at `now` has ended. */
export function deadline(life: Life, timeouts: Timeouts, now: number): number {
  const { idleTimeout = Infinity, absoluteTimeout = Infinity } = timeouts;
  return Math.min(
    life.ends,
    now + idleTimeout * 1000,
    life.created + absoluteTimeout * 1000,
  );
}

/** Whether `instant` lies ahead of `now`. A broken clock or deadline (`NaN`) means no. */
export function isAhead(instant: number, now: number): boolean {
  return instant > now;
}
