/**
 * When a session expires: from its lifetime and the timeouts to its deadline.
 *
 * Lifetimes and timeouts are in seconds, instants in milliseconds since 1970. A deadline is the instant from which a
 * session has expired.
 *
 * @module
 */

/** The default lifetime, in seconds from the last save. */
export const DEFAULT_LIFETIME: number = 14 * 24 * 60 * 60;

/** How long a session or a cookie lasts. */
export interface Lifetime {
  /** Seconds from the last save. Takes precedence over `expires`. */
  maxAge?: number | undefined;
  /** A fixed instant. */
  expires?: Date | undefined;
}

/** The timeouts of a storage's sessions. */
export interface Timeouts {
  /**
   * Seconds without a request after which a session expires. In a cookie storage only a response can move the deadline,
   * so a request counts if its response commits the session.
   *
   * @default {never}
   */
  idleTimeout?: number | undefined;
  /**
   * Seconds after its creation at which a session expires, even if it is in use.
   * @default {never; 400 days with `owner`}
   */
  absoluteTimeout?: number | undefined;
  /**
   * Seconds by which the idle deadline must have moved before it is written again. Must be less than `idleTimeout`.
   *
   * @default {a tenth of idleTimeout, at most 60}
   */
  touchAfter?: number | undefined;
}

/**
 * A lifetime in a record: seconds from the last save, a fixed instant, or `null`. The array distinguishes an instant
 * from seconds in JSON.
 */
export type StoredLifetime = number | readonly [instant: number] | null;

/**
 * The lifetime that options set, or `null`. `maxAge` takes precedence.
 *
 * @throws {RangeError} If `maxAge` is negative or not finite.
 * @throws {TypeError} If `expires` is not a valid date.
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
 * Checks a storage's timeouts and sets the default of `touchAfter`.
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

/** The last instant of a Date (ECMA-262, 21.4.1.1). No deadline is later. */
export const LAST_INSTANT: number = 8.64e15;

/** What the deadline depends on, besides the timeouts. */
export interface Life {
  /** When the session began, in milliseconds. */
  readonly created: number;
  /** When its lifetime ends, in milliseconds. */
  readonly ends: number;
  /** The lifetime that a commit set; later saves keep it. */
  readonly lifetime: StoredLifetime;
}

/** The instant, in milliseconds, at which a lifetime that begins at `now` ends. */
export function endOf(lifetime: StoredLifetime, now: number): number {
  const seconds = lifetime ?? DEFAULT_LIFETIME;
  const end = typeof seconds === "number" ? now + seconds * 1000 : seconds[0];
  return Math.min(end, LAST_INSTANT);
}

/** The deadline of a session that is used at `now`: the instant, in milliseconds, from which it has expired. */
export function deadline(life: Life, timeouts: Timeouts, now: number): number {
  const { idleTimeout = Infinity, absoluteTimeout = Infinity } = timeouts;
  return Math.min(
    life.ends,
    now + idleTimeout * 1000,
    life.created + absoluteTimeout * 1000,
  );
}

/** Whether `instant` is later than `now`; `false` if one of them is `NaN`. */
export function isAhead(instant: number, now: number): boolean {
  return instant > now;
}
