/**
 * When a session expires: from its lifetime and the timeouts to its deadline.
 *
 * Lifetimes and timeouts are in seconds, instants in milliseconds since 1970. A deadline is the instant from which a
 * session has expired.
 *
 * @module
 */
import { numberOrType } from "./options.ts";

/** The default lifetime, in seconds from the last save. */
export const DEFAULT_LIFETIME: number = 1_209_600;

/** The last instant of a Date (ECMA-262, 21.4.1.1). No deadline is later. */
export const LAST_INSTANT: number = 8.64e15;

/** How long a session or a cookie lasts. */
export interface Lifetime {
  /** Seconds from the last save. Takes precedence over `expires`. */
  maxAge?: number | undefined;
  /** A fixed instant. */
  expires?: Date | undefined;
}

/**
 * The timeouts of a storage's sessions. Today's settings decide, also for sessions that were saved under others. A longer
 * setting applies from a session's next use, or, if the engine does not compare and set, from its next save.
 */
export interface Timeouts {
  /**
   * Seconds without a request after which a session expires. In a cookie storage only a response can move the deadline,
   * so a request counts if its response commits the session.
   *
   * @default {never}
   */
  idleTimeout?: number | undefined;
  /**
   * Seconds after its beginning at which a session expires, even if it is in use. A session begins when it is created,
   * and again with `restart()` (OWASP ASVS 5, 7.3.2).
   * @default {never; 400 days with `owner`}
   */
  absoluteTimeout?: number | undefined;
  /**
   * Seconds by which the deadline must have moved before it is written, and the cookie sent, again. Must be shorter than
   * the lifetime.
   *
   * @default {a tenth of the lifetime; at most 60, and at most a day for a cookie's lifetime with `rolling`}
   */
  touchAfter?: number | undefined;
  /**
   * Counts `maxAge` from the last use instead of the last save. A request that changes nothing then renews the session
   * and its cookie, at most once per `touchAfter`. A HEAD, speculative or failed request does not.
   *
   * @default {false}
   */
  rolling?: boolean | undefined;
  /**
   * Sessions that began before this instant are expired. A fixed instant that is not in the future: it signs everybody
   * out once (OWASP ASVS 5, 7.4.5). `restart()` begins a session anew, `regenerateId()` does not.
   *
   * @default {none}
   */
  notBefore?: Date | undefined;
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
    return Math.min(checkSeconds("maxAge", options.maxAge), LAST_INSTANT);
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
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new RangeError(
    `Cannot use ${name}: it must be a finite, non-negative number of seconds, received ${
      numberOrType(seconds)
    }`,
  );
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
 * Checks a storage's timeouts.
 *
 * @param now The clock.
 * @throws {RangeError} If one is not positive and finite, `touchAfter` is not shorter than `idleTimeout`, or `notBefore`
 * is in the future.
 * @throws {TypeError} If `rolling` is not a boolean, or `notBefore` not a valid Date.
 */
export function checkTimeouts(timeouts: Timeouts, now: () => number): Timeouts {
  const { idleTimeout, absoluteTimeout, touchAfter, rolling, notBefore } =
    timeouts;
  if (idleTimeout !== undefined) checkDuration("idleTimeout", idleTimeout);
  if (absoluteTimeout !== undefined) {
    checkDuration("absoluteTimeout", absoluteTimeout);
  }
  if (touchAfter !== undefined) {
    checkSeconds("touchAfter", touchAfter);
    if (idleTimeout !== undefined && touchAfter >= idleTimeout) {
      throw new RangeError(
        "Cannot use touchAfter: it must be shorter than idleTimeout, or sessions in use would expire",
      );
    }
  }
  if (rolling !== undefined && typeof rolling !== "boolean") {
    throw new TypeError(
      `Cannot use rolling: it must be true or false, received ${typeof rolling}; the lifetime itself is the cookie's maxAge`,
    );
  }
  if (notBefore !== undefined) {
    const instant = notBefore instanceof Date ? notBefore.getTime() : NaN;
    if (Number.isNaN(instant)) {
      throw new TypeError("Cannot use notBefore: it must be a valid Date");
    }
    if (isAhead(instant, now())) {
      throw new RangeError(
        'Cannot use notBefore: it must not be in the future; pass a fixed instant, such as new Date("2026-01-31T12:00:00Z")',
      );
    }
  }
  return timeouts;
}

/** What a record holds for its deadline. Instants and `span` are in milliseconds. */
export interface Life {
  /** When the session began. */
  readonly created: number;
  /** From when its lifetime counts: its last save, or the last renewal of its cookie. */
  readonly saved: number;
  /** The lifetime that a commit set; later saves keep it. */
  readonly lifetime: StoredLifetime;
  /** The time from its last use to its stored deadline, so that the engine can move that without reading the record. */
  readonly span: number;
  /** When the visitor last signed in: the last `restart()`. */
  readonly authenticated?: number | undefined;
  /** Whether the record does not carry instants, because another library wrote it. They then count from this read. */
  readonly undated?: boolean;
}

/** What decides today when a session expires. */
export interface Terms {
  readonly timeouts: Timeouts;
  /** The lifetime of a session whose commits did not set one, or `null`. */
  readonly lifetime: StoredLifetime;
}

/**
 * The deadline of a session that is used at `used`: the instant, in milliseconds, from which it has expired.
 *
 * @returns At most {@linkcode LAST_INSTANT}.
 */
export function deadline(life: Life, terms: Terms, used: number): number {
  const { idleTimeout = Infinity, absoluteTimeout = Infinity, notBefore } =
    terms.timeouts;
  if (notBefore && begunBefore(life, notBefore)) return -Infinity;
  const lasts = life.lifetime ?? terms.lifetime ?? Infinity;
  return Math.min(
    typeof lasts === "number" ? life.saved + lasts * 1000 : lasts[0],
    used + idleTimeout * 1000,
    life.created + absoluteTimeout * 1000,
    LAST_INSTANT,
  );
}

function begunBefore(
  { created, undated = false }: Life,
  instant: Date,
): boolean {
  return undated || created < instant.getTime();
}

/** The default of `touchAfter`, in seconds. */
const TOUCH_AFTER = 60;
/** The default of `touchAfter` for a rolling cookie, in seconds. */
const ROLL_AFTER = 86_400;

/** How long, in milliseconds, to wait before the idle deadline is written again. */
export function touchInterval(
  { touchAfter, idleTimeout = 0 }: Timeouts,
): number {
  return (touchAfter ?? Math.min(TOUCH_AFTER, idleTimeout / 10)) * 1000;
}

/**
 * How long, in milliseconds, to wait before a lifetime is counted anew and its cookie sent again.
 *
 * @param lasts The lifetime, in seconds.
 */
export function renewInterval(lasts: number, timeouts: Timeouts): number {
  const { touchAfter, rolling = false } = timeouts;
  const usual = Math.min(lasts / 10, rolling ? ROLL_AFTER : TOUCH_AFTER);
  return Math.min(touchAfter ?? usual, lasts / 2) * 1000;
}

/** Whether `instant` is later than `now`; `false` if one of them is `NaN`. */
export function isAhead(instant: number, now: number): boolean {
  return instant > now;
}
