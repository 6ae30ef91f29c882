/**
 * What all storages share: the clock, the timeouts and events.
 *
 * @module
 */
import { isThenable } from "../../core/awaitable.ts";
import type { Changes } from "../../core/changes.ts";
import { hashId } from "../../core/keys.ts";
import {
  checkDuration,
  checkTimeouts,
  deadline,
  DEFAULT_LIFETIME,
  isAhead,
  type Life,
  lifetimeOf,
  renewInterval,
  type StoredLifetime,
  type Terms,
  type Timeouts,
  touchInterval,
} from "../../core/lifetime.ts";
import { numberOrType } from "../../core/options.ts";
import type { SessionRecord } from "../../core/record.ts";
import type { SessionState } from "../../core/session_state.ts";
import type { SaveOptions, SessionEvent, StorageOptions } from "../contract.ts";
import type { EventDetails } from "./events.ts";
import { schemaOf, type SessionSchema } from "./schema.ts";

/**
 * The default `absoluteTimeout` with `owner`, because a list must outlive its sessions. Browsers do not keep a cookie
 * longer (RFC 6265bis, section 5.5).
 */
export const OWNED_LIFETIME: number = 34_560_000;

/** What a save means for a session's life. */
export interface Renewed extends Life {
  /** The deadline, in milliseconds. */
  readonly expires: number;
  /** Whether the cookie's own lifetime must be renewed. */
  readonly sends: boolean;
}

/** A use of a session that moves its deadline. */
export interface Use {
  /** When the session is used, in milliseconds. */
  readonly used: number;
  /** The deadline from then on, in milliseconds. */
  readonly expires: number;
  /** Whether time has passed. Otherwise only the settings were lengthened. */
  readonly slides: boolean;
}

/** The checked options of a storage. */
export class Policy {
  readonly timeouts: Timeouts;
  /** The clock. Its result is not checked. */
  readonly now: () => number;
  readonly owner: StorageOptions["owner"];
  readonly schema: SessionSchema | undefined;
  /** How long a call to the engine may take, in milliseconds. */
  readonly patience: number;
  /** The most sessions of one owner, if it was set. */
  readonly maxPerOwner: number | undefined;
  /** The lifetime if neither a commit nor the cookie sets one. */
  readonly #lifetime: StoredLifetime;
  readonly #onEvent: ((event: SessionEvent) => void) | undefined;

  /** @param ttl The default lifetime, in seconds. */
  // deno-lint-ignore no-explicit-any -- data of any shape
  constructor(options: StorageOptions<any>, ttl?: number) {
    const { now = Date.now, onEvent, owner, engineTimeout = 10 } = options;
    const { migrate } = options;
    const functions = { now, onEvent, owner, migrate };
    for (const [name, value] of Object.entries(functions)) {
      if (value !== undefined && typeof value !== "function") {
        throw new TypeError(
          `Cannot create storage: ${name} must be a function`,
        );
      }
    }
    const { idleTimeout, absoluteTimeout, maxPerOwner } = options;
    const { touchAfter, rolling, notBefore } = options;
    this.timeouts = checkTimeouts({
      idleTimeout,
      absoluteTimeout: absoluteTimeout ?? (owner && OWNED_LIFETIME),
      touchAfter,
      rolling,
      notBefore,
    }, now);
    this.owner = owner;
    this.maxPerOwner = checkMaxPerOwner(maxPerOwner, owner !== undefined);
    const timed = idleTimeout !== undefined || absoluteTimeout !== undefined;
    this.#lifetime = ttl !== undefined
      ? checkDuration("ttl", ttl)
      : timed
      ? null
      : DEFAULT_LIFETIME;
    this.patience = checkDuration("engineTimeout", engineTimeout) * 1000;
    this.now = now;
    this.#onEvent = onEvent;
    this.schema = schemaOf(
      options,
      onEvent && ((details) => this.report("misfit", details)),
    );
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
  report(
    type: SessionEvent["type"],
    { id, key, ...details }: EventDetails = {},
  ): void {
    if (!this.#onEvent) return;
    const session = key ?? (id === undefined ? undefined : hashId(id));
    const event = { type, ...details };
    try {
      const answer: unknown = this.#onEvent(
        session === undefined ? event : { ...event, session },
      );
      if (isThenable(answer)) answer.then(undefined, () => {});
    } catch {
      // An event must not fail the request.
    }
  }

  /** What decides today when a session expires whose cookie has a lifetime, or `null`. */
  terms(cookie: StoredLifetime): Terms {
    return { timeouts: this.timeouts, lifetime: cookie ?? this.#lifetime };
  }

  /** The life of a new session, or of a session after a save at `now`. */
  renew(
    now: number,
    stored:
      | { readonly record: SessionRecord; readonly expires: number }
      | undefined,
    options: SaveOptions | undefined,
    changes: Pick<Changes, "newId" | "maxAge">,
    terms: Terms = this.terms(lifetimeOf(options?.defaultLifetime)),
  ): Renewed {
    const { restart } = changes.newId ?? {};
    const before = stored?.record;
    const set = lifetimeOf(options);
    const inherited =
      changes.maxAge === null || restart?.keepsLifetime === false
        ? null
        : before?.lifetime ?? null;
    const lifetime = set ?? inherited;
    const cookie = lifetime ?? lifetimeOf(options?.defaultLifetime);
    // A clock that is behind must not end a session. So no instant moves backwards.
    const dated = before && !before.undated && !restart ? before : undefined;
    const counts = dated && set === null && !options?.renew &&
      typeof cookie === "number" &&
      now - dated.saved < renewInterval(cookie, this.timeouts);
    const saved = counts ? dated.saved : Math.max(now, dated?.saved ?? now);
    const used = dated && stored
      ? Math.max(now, usedAt(dated, stored.expires))
      : now;
    const created = before && !restart ? before.created : now;
    const authenticated = restart ? restart.at ?? now : before?.authenticated;
    // Objects are written out: to spread one takes longer than the rest of this function.
    const life = { created, saved, lifetime, span: 0, authenticated };
    const expires = deadline(life, terms, used);
    const span = Math.max(0, expires - used);
    const had = before?.lifetime ?? null;
    const changed = lifetime !== had && String(lifetime) !== String(had);
    const sends = changed || typeof cookie === "number" && !counts;
    return { created, saved, lifetime, span, authenticated, expires, sends };
  }

  /** Whether there is anything to save. */
  needsSave(
    state: SessionState,
    known: boolean,
    options: SaveOptions | undefined,
  ): boolean {
    if (state.dirty) return true;
    if (!known) return state.size > 0;
    if (!options?.renew && lifetimeOf(options) === null) return false;
    // Decoding can show that the record is corrupt or expired. There is then nothing to renew.
    return state.record !== undefined;
  }

  /**
   * Whether an unchanged session must be saved, because its lifetime counts from its last use.
   *
   * @param cookie The lifetime of the cookie, or `null`.
   */
  mustRoll(
    { record }: Pick<SessionState, "record">,
    cookie: StoredLifetime,
  ): boolean {
    if (!this.timeouts.rolling) return false;
    const lasts = record?.lifetime ?? this.terms(cookie).lifetime;
    if (!record || typeof lasts !== "number") return false;
    // If it does not carry instants, its lifetime counts from this request.
    return record.undated === true ||
      this.instant() - record.saved >= renewInterval(lasts, this.timeouts);
  }

  /**
   * Whether instants must be added to a format that does not have them.
   *
   * @param cookie The lifetime of the cookie that the library must check, or `null`.
   */
  needsInstants(life: Life, cookie: StoredLifetime): boolean {
    const { idleTimeout, absoluteTimeout, notBefore } = this.timeouts;
    return (life.lifetime ?? cookie) !== null || idleTimeout !== undefined ||
      absoluteTimeout !== undefined || notBefore !== undefined ||
      life.authenticated !== undefined;
  }

  /**
   * The use of a session by a request, if it is to be written; otherwise `undefined`.
   *
   * @param expires The stored deadline; `Infinity` if the record does not have one.
   */
  nextUse(
    life: Life | undefined,
    expires: number,
    terms: Terms,
  ): Use | undefined {
    if (!life) return undefined;
    const { timeouts } = this;
    const { idleTimeout, absoluteTimeout } = timeouts;
    const now = this.instant();
    if (life.undated) {
      return idleTimeout === undefined && absoluteTimeout === undefined
        ? undefined
        : { used: now, expires: deadline(life, terms, now), slides: true };
    }
    const last = usedAt(life, expires);
    const slides = idleTimeout !== undefined &&
      now - last >= touchInterval(timeouts);
    // A deadline in a cookie is rounded to a millisecond.
    const lengthened = deadline(life, terms, last) - expires >= 1;
    if (!slides && !lengthened) return undefined;
    const used = Math.max(now, last);
    return { used, expires: deadline(life, terms, used), slides };
  }

  /**
   * Returns a decoded record. If it is corrupt, or has expired by today's settings, reports that and returns `undefined`.
   *
   * @param expires The stored deadline; `Infinity` if the record does not have one.
   * @param id The session's id, for the event.
   */
  accept(
    record: SessionRecord | undefined,
    expires: number,
    terms: Terms,
    now: number,
    id?: string,
  ): SessionRecord | undefined {
    const dated = record?.undated !== true;
    // An endless deadline would count as a use that never ends.
    if (!record || dated && !Number.isFinite(expires)) {
      this.report("corrupt-record", { id });
    } else {
      const used = dated ? usedAt(record, expires) : now;
      if (isAhead(deadline(record, terms, used), now)) return record;
      this.report("expired", { id });
    }
    return undefined;
  }
}

/** When a session was last used, in milliseconds. */
export function usedAt({ span }: Life, expires: number): number {
  return expires - span;
}

function checkMaxPerOwner(
  max: number | undefined,
  owned: boolean,
): number | undefined {
  if (max === undefined) return undefined;
  if (!Number.isInteger(max) || max < 1) {
    throw new RangeError(
      `Cannot create storage: maxPerOwner must be a positive integer, received ${
        numberOrType(max)
      }`,
    );
  }
  if (owned) return max;
  throw new TypeError(
    "Cannot create storage: maxPerOwner requires owner; add owner: (data) => data.userId",
  );
}
