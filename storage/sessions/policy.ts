/**
 * What all storages share: the clock, the timeouts, events, and errors of engines.
 *
 * @module
 */
import { CallTimeout } from "../../core/call_timeout.ts";
import { SessionError } from "../../core/errors.ts";
import {
  checkDuration,
  checkTimeouts,
  deadline,
  endOf,
  isAhead,
  type Life,
  type Lifetime,
  lifetimeOf,
  type Timeouts,
} from "../../core/lifetime.ts";
import type { SessionRecord } from "../../core/record.ts";
import { delay } from "../../core/runtime.ts";
import type { SessionState } from "../../core/session_state.ts";
import type { SaveOptions, SessionEvent, StorageOptions } from "../contract.ts";

/**
 * The default `absoluteTimeout` with `owner`, because a list must outlive its sessions. Browsers do not keep a cookie
 * longer (RFC 6265bis, section 5.5).
 */
export const OWNED_LIFETIME: number = 400 * 24 * 60 * 60;

/** Enough for dozens of parallel requests that write one record. */
export const MAX_ATTEMPTS = 50;
const MAX_DELAY = 40;

/** The checked options of a storage. */
export class Policy {
  readonly timeouts: Timeouts;
  /** The clock. Its result is not checked. */
  readonly now: () => number;
  readonly owner: StorageOptions["owner"];
  /** The lifetime if neither a commit nor the cookie sets one. */
  readonly defaultLifetime: Lifetime | undefined;
  readonly #timeout: CallTimeout;
  readonly #onEvent: ((event: SessionEvent) => void) | undefined;

  /** @param ttl The default lifetime, in seconds. */
  // deno-lint-ignore no-explicit-any -- data of any shape
  constructor(options: StorageOptions<any>, ttl?: number) {
    const { now = Date.now, onEvent, owner, engineTimeout = 10 } = options;
    for (const [name, value] of Object.entries({ now, onEvent, owner })) {
      if (value !== undefined && typeof value !== "function") {
        throw new TypeError(
          `Cannot create storage: ${name} must be a function`,
        );
      }
    }
    const { absoluteTimeout = owner && OWNED_LIFETIME } = options;
    this.timeouts = checkTimeouts({ ...options, absoluteTimeout });
    this.owner = owner;
    this.defaultLifetime = ttl === undefined
      ? undefined
      : { maxAge: checkDuration("ttl", ttl) };
    const seconds = checkDuration("engineTimeout", engineTimeout);
    this.#timeout = new CallTimeout(seconds * 1000);
    this.now = now;
    this.#onEvent = onEvent;
  }

  /** The checked time, for saves. */
  instant(): number {
    const now = this.now();
    if (Number.isFinite(now)) return now;
    throw new TypeError(
      "Cannot save session: now() must return milliseconds, as Date.now does",
    );
  }

  /** Reports an event. Errors of the listener are ignored, synchronous or not. */
  report(type: SessionEvent["type"], cause?: unknown): void {
    if (!this.#onEvent) return;
    try {
      const answer: unknown = this.#onEvent(
        cause === undefined ? { type } : { type, cause },
      );
      if (answer instanceof Promise) answer.catch(() => {});
    } catch {
      // An event must not fail the request.
    }
  }

  /**
   * Calls the engine.
   *
   * @throws {SessionError} If the engine fails or times out: `store-failed`.
   */
  async call<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.#timeout.run(call);
    } catch (cause) {
      throw this.failure(what, cause);
    }
  }

  /** Reports a failure of the engine, and returns the error to throw. */
  failure(what: string, cause: unknown): SessionError {
    const typed = cause instanceof SessionError ? cause : undefined;
    // Other errors, such as a record that is too large, are not the engine's fault.
    if (!typed || typed.code === "store-failed") {
      this.report("engine-error", cause);
    }
    return typed ?? new SessionError(
      "store-failed",
      `Cannot ${what}: the engine failed`,
      { cause },
    );
  }

  /**
   * Reports a conflict, and waits before the next attempt.
   *
   * @throws {SessionError} If that was the last attempt: `conflict`.
   */
  async backOff(what: string, attempt: number): Promise<void> {
    this.report("conflict");
    if (attempt === MAX_ATTEMPTS) {
      throw new SessionError(
        "conflict",
        `Cannot ${what}: other requests changed it first, ${MAX_ATTEMPTS} times in a row`,
      );
    }
    // After a wait, a request often finds another one at work and loses again. So every second attempt does not wait.
    if (attempt % 2 === 0) {
      await delay(Math.random() * Math.min(MAX_DELAY, 2 ** attempt));
    }
  }

  /** The life of a session after a save at `now`. */
  renew(
    life: Life | undefined,
    options: SaveOptions | undefined,
    now: number,
  ): Life {
    const lifetime = lifetimeOf(options) ?? life?.lifetime ?? null;
    const lasts = lifetime ?? lifetimeOf(options?.defaultLifetime) ??
      lifetimeOf(this.defaultLifetime);
    return { created: life?.created ?? now, ends: endOf(lasts, now), lifetime };
  }

  /**
   * Whether there is anything to save.
   *
   * @param unsent Whether the visitor's cookie does not have the session's id yet.
   */
  needsSave(
    state: SessionState,
    known: boolean,
    options: SaveOptions | undefined,
    unsent = false,
  ): boolean {
    if (state.dirty) return true;
    if (!known) return state.size > 0;
    if (!options?.renew && !unsent && lifetimeOf(options) === null) {
      return false;
    }
    // Decoding can show that the record is corrupt or expired. There is then nothing to renew.
    return state.record !== undefined;
  }

  /** Whether a deadline must be added to a format without one. */
  needsDeadline(life: Life): boolean {
    const { idleTimeout, absoluteTimeout } = this.timeouts;
    return life.lifetime !== null || idleTimeout !== undefined ||
      absoluteTimeout !== undefined;
  }

  /**
   * The deadline to write after a read; `undefined` if the stored one is close enough.
   *
   * @param expires The stored deadline; `Infinity` if the record does not have one.
   */
  nextDeadline(state: SessionState, expires: number): number | undefined {
    const { idleTimeout, absoluteTimeout, touchAfter = 0 } = this.timeouts;
    const timeout = idleTimeout ??
      (expires === Infinity ? absoluteTimeout : undefined);
    if (timeout === undefined) return undefined;
    const now = this.instant();
    const due = (next: number) =>
      next < expires || next > expires && next - expires >= touchAfter * 1000;
    // Usually the last request was recent, and the record need not be decoded.
    if (!due(now + timeout * 1000)) return undefined;
    const life = state.record;
    const next = life && deadline(life, this.timeouts, now);
    return next !== undefined && due(next) ? next : undefined;
  }

  /** Returns a decoded record. If it is corrupt, or expired by `absoluteTimeout`, reports that and returns `undefined`. */
  accept(
    record: SessionRecord | undefined,
    now: number,
  ): SessionRecord | undefined {
    if (!record) this.report("corrupt-record");
    else {
      const { absoluteTimeout = Infinity } = this.timeouts;
      if (isAhead(record.created + absoluteTimeout * 1000, now)) return record;
      this.report("expired");
    }
    return undefined;
  }
}
