/**
 * What every storage does alike: the clock, the timeouts, telling events, and wrapping an engine's errors.
 *
 * @module
 */
import type { SessionState } from "../../core/session_state.ts";
import { CallTimeout } from "../../core/call_timeout.ts";
import { delay } from "../../core/runtime.ts";
import { SessionError } from "../../core/errors.ts";
import {
  checkSeconds,
  checkTimeouts,
  deadline,
  endOf,
  isAhead,
  type Life,
  type Lifetime,
  lifetimeOf,
  type StoredLifetime,
  type Timeouts,
} from "../../core/lifetime.ts";
import type { SessionRecord } from "../../core/record.ts";
import { stateOf } from "../../core/session.ts";
import type { SaveOptions, SessionEvent, StorageOptions } from "../contract.ts";

/** An index must outlive what stands in it. Browsers keep no cookie longer than this (RFC 6265bis, section 5.5). */
export const OWNED_LIFETIME: number = 400 * 24 * 60 * 60;

/** Dozens of writers on one record get through. */
export const MAX_ATTEMPTS = 50;
const MAX_DELAY = 40;

/** The options of a storage, checked. */
export class Policy {
  readonly timeouts: Timeouts;
  /** The clock as it is; what it gives may be broken. */
  readonly now: () => number;
  /** Whose session it is, by its values. */
  readonly owner: StorageOptions["owner"];
  /** The lifetime of a session that neither a commit nor a cookie gave one. */
  fallback: Lifetime | undefined;
  readonly #timeout: CallTimeout;
  readonly #onEvent: ((event: SessionEvent) => void) | undefined;

  // deno-lint-ignore no-explicit-any -- data of whatever shape
  constructor(options: StorageOptions<any>) {
    const { now = Date.now, onEvent, owner } = options;
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
    const { engineTimeout = 10 } = options;
    if (checkSeconds("engineTimeout", engineTimeout) === 0) {
      throw new RangeError(
        "Cannot use engineTimeout: it must be more than 0 seconds",
      );
    }
    this.#timeout = new CallTimeout(engineTimeout * 1000);
    this.now = now;
    this.#onEvent = onEvent;
  }

  /** The time of a save, on which deadlines rest. */
  instant(): number {
    const now = this.now();
    if (!Number.isFinite(now)) {
      throw new TypeError("Cannot save session: now() must give milliseconds");
    }
    return now;
  }

  /** Tells an event; an observer that fails, at once or later, fails nobody else. */
  tell(type: SessionEvent["type"], cause?: unknown): void {
    try {
      const told: unknown = this.#onEvent?.(
        cause === undefined ? { type } : { type, cause },
      );
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      // The session matters more than what watches it.
    }
  }

  /** Runs a call to the engine; what it throws becomes a typed error, and so does no answer in time. */
  engine<T>(verb: string, call: () => Promise<T>): Promise<T> {
    return this.patiently(verb, () => this.#timeout.run(call));
  }

  /** As {@linkcode engine}, for what may take as long as it takes. */
  async patiently<T>(verb: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      const typed = cause instanceof SessionError;
      // That a session is too large, say, is nothing that the engine has done.
      if (!typed || cause.code === "store-failed") {
        this.tell("engine-error", cause);
      }
      if (typed) throw cause;
      throw new SessionError(
        "store-failed",
        `Cannot ${verb} session: the engine failed`,
        { cause },
      );
    }
  }

  /**
   * Lets another writer pass, who got ahead for the `count`th time.
   *
   * @throws {SessionError} If that is too often: `conflict`.
   */
  async giveWay(what: string, count: number): Promise<void> {
    this.tell("conflict");
    if (count === MAX_ATTEMPTS) {
      throw new SessionError(
        "conflict",
        `Cannot ${what}: other requests got ahead, ${MAX_ATTEMPTS} times in a row`,
      );
    }
    // Whoever comes back from waiting finds another request at it already, and loses; the attempt after that begins
    // with everybody else's.
    if (count % 2 === 0) {
      await delay(Math.random() * Math.min(MAX_DELAY, 2 ** count));
    }
  }

  /** What a save at `now` makes of a session's life. */
  renew(
    had: Life | undefined,
    options: SaveOptions | undefined,
    now: number,
  ): Life {
    const lifetime = lifetimeOf(options) ?? had?.lifetime ?? null;
    const lasts = lifetime ?? this.lastingOf(options);
    return { created: had?.created ?? now, ends: endOf(lasts, now), lifetime };
  }

  /** The lifetime where no commit gave one. */
  lastingOf(options: SaveOptions | undefined): StoredLifetime {
    return lifetimeOf(options?.fallback) ?? lifetimeOf(this.fallback);
  }

  /** Whether there is anything to save. */
  asksToSave(
    state: SessionState,
    known: boolean,
    options: SaveOptions | undefined,
  ): boolean {
    if (state.dirty) return true;
    if (!known) return state.size > 0;
    const renews = options?.renew || state.unsent;
    if (!renews && lifetimeOf(options) === null) return false;
    // Looking closer may show that the record is corrupt or over, and that there is no session to renew.
    return state.base !== undefined;
  }

  /** Whether a record whose own shape keeps no deadline must carry one. */
  needsDeadline(life: Life): boolean {
    const { idleTimeout, absoluteTimeout } = this.timeouts;
    return life.lifetime !== null || idleTimeout !== undefined ||
      absoluteTimeout !== undefined;
  }

  /**
   * Where the idle deadline must be moved to; `undefined` while it stands near enough.
   *
   * @param expires Where it stands; `Infinity` for a record that has none yet.
   */
  slide(
    life: () => Life | undefined,
    expires: number,
  ): number | undefined {
    const { idleTimeout, absoluteTimeout, touchAfter = 0 } = this.timeouts;
    const timed = idleTimeout ??
      (expires === Infinity ? absoluteTimeout : undefined);
    if (timed === undefined) return undefined;
    const now = this.instant();
    const due = (next: number) =>
      next < expires || next > expires && next - expires >= touchAfter * 1000;
    // Most requests come soon after another: they need not even decode the record.
    if (!due(now + timed * 1000)) return undefined;
    const known = life();
    const next = known && deadline(known, this.timeouts, now);
    return next !== undefined && due(next) ? next : undefined;
  }

  /** A record's decoder that tells what it finds: a record that is corrupt, or over by today's absolute timeout. */
  guard(
    decode: () => SessionRecord | undefined,
  ): () => SessionRecord | undefined {
    const readAt = this.now();
    const { absoluteTimeout = Infinity } = this.timeouts;
    return () => {
      const record = decode();
      if (!record) this.tell("corrupt-record");
      else if (isAhead(record.created + absoluteTimeout * 1000, readAt)) {
        return record;
      } else this.tell("expired");
      return undefined;
    };
  }
}

const policies = new WeakMap<object, Policy>();

/** Notes down which policy a storage follows. */
export function follow(storage: object, policy: Policy): void {
  policies.set(storage, policy);
}

/** The policy that a storage of this library follows. */
export function policyOf(storage: object): Policy | undefined {
  return policies.get(storage);
}

/**
 * The state of a session that this library made.
 *
 * @throws {TypeError} If it is another library's.
 */
export function requireState(session: unknown): SessionState {
  const state = stateOf(session);
  if (!state) {
    throw new TypeError(
      "Cannot save session: it was made by another library; use the session that read() or getSession() gave",
    );
  }
  return state;
}

/** Lets the saves of one session follow each other, each with the lifetime that the request gave the session. */
export async function inTurn<T>(
  state: SessionState,
  options: SaveOptions | undefined,
  save: (options: SaveOptions | undefined) => Promise<T>,
): Promise<T> {
  while (state.saving) await state.saving.catch(() => {});
  const { maxAge } = state;
  const given = maxAge !== undefined && lifetimeOf(options) === null;
  const saving = save(given ? { ...options, maxAge } : options);
  state.saving = saving;
  try {
    return await saving;
  } finally {
    if (state.saving === saving) state.saving = undefined;
  }
}
