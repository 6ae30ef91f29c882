/**
 * What all storages do in the same way: the clock, the timeouts, reporting events, and typing an engine's errors.
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

/** An owner's list must outlive the sessions in it. Browsers keep no cookie longer (RFC 6265bis, section 5.5). */
export const OWNED_LIFETIME: number = 400 * 24 * 60 * 60;

/** Enough for dozens of requests that write to one record. */
export const MAX_ATTEMPTS = 50;
const MAX_DELAY = 40;

/** The options of a storage, checked. */
export class Policy {
  readonly timeouts: Timeouts;
  /** The clock, unchecked: it may return anything. */
  readonly now: () => number;
  readonly owner: StorageOptions["owner"];
  /** The lifetime of a session if neither a commit nor a cookie sets one. */
  readonly defaultLifetime: Lifetime | undefined;
  readonly #timeout: CallTimeout;
  readonly #onEvent: ((event: SessionEvent) => void) | undefined;

  /** @param ttl The default lifetime, in seconds, of a storage that has one. */
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

  /** The time of a save, from which deadlines are counted. */
  instant(): number {
    const now = this.now();
    if (Number.isFinite(now)) return now;
    throw new TypeError(
      "Cannot save session: now() must return milliseconds, as Date.now does",
    );
  }

  /** Reports an event. An error of the listener, thrown at once or later, is ignored. */
  report(type: SessionEvent["type"], cause?: unknown): void {
    if (!this.#onEvent) return;
    try {
      const answer: unknown = this.#onEvent(
        cause === undefined ? { type } : { type, cause },
      );
      if (answer instanceof Promise) answer.catch(() => {});
    } catch {
      // The session matters more than its listener.
    }
  }

  /**
   * Makes a call to the engine.
   *
   * @throws {SessionError} If the engine fails, or does not answer in time: `store-failed`.
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
    // A session that is too large, say, is not the engine's fault.
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
   * Waits before the next attempt, after another request was faster.
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
    // A request that comes back from waiting usually finds another one at work, and loses again. So every second
    // attempt follows at once.
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
   * @param unsent Whether the visitor's cookie does not lead to the session yet.
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
    // Decoding may show that the record is corrupt or expired, so that there is no session to renew.
    return state.record !== undefined;
  }

  /** Whether a record whose format has no deadline must carry one. */
  needsDeadline(life: Life): boolean {
    const { idleTimeout, absoluteTimeout } = this.timeouts;
    return life.lifetime !== null || idleTimeout !== undefined ||
      absoluteTimeout !== undefined;
  }

  /**
   * The deadline to write after a read; `undefined` while the stored one is near enough.
   *
   * @param expires The stored deadline; `Infinity` for a record that has none.
   */
  nextDeadline(state: SessionState, expires: number): number | undefined {
    const { idleTimeout, absoluteTimeout, touchAfter = 0 } = this.timeouts;
    const timeout = idleTimeout ??
      (expires === Infinity ? absoluteTimeout : undefined);
    if (timeout === undefined) return undefined;
    const now = this.instant();
    const due = (next: number) =>
      next < expires || next > expires && next - expires >= touchAfter * 1000;
    // Most requests come soon after another one: they need not even decode the record.
    if (!due(now + timeout * 1000)) return undefined;
    const life = state.record;
    const next = life && deadline(life, this.timeouts, now);
    return next !== undefined && due(next) ? next : undefined;
  }

  /** A decoded record, unless it is corrupt, or expired at `now` by today's absolute timeout; reports that. */
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
