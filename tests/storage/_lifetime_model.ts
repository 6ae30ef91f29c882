/**
 * A model of when a session ends, written from the documentation and not from the code.
 *
 * @module
 */
import type { Timeouts } from "../../core/lifetime.ts";
import { days, type Kind, SECOND, type Setting } from "./_lifetimes.ts";

/** When a session ends, by the documentation's words. All instants are in milliseconds. */
export class Model {
  readonly #kind: Kind;
  /** Whether a browser and a middleware are between the session and the visitor. */
  readonly #browses: boolean;
  #setting: Setting;
  #began: number;
  readonly #own: number | undefined;
  /** From when `maxAge` counts. */
  #saved: number;
  /** The last use that counts for `idleTimeout`. */
  #used: number;
  /** Until when the engine, the database or the cookie keeps the session. */
  #kept: number;
  /** Until when the browser keeps its cookie. */
  #cookie: number;
  /** Whether what is stored carries instants. */
  #dated: boolean;

  constructor(
    kind: Kind,
    setting: Setting,
    { now, browses, predecessors = false }: {
      now: number;
      browses: boolean;
      /** Whether another library wrote it. */
      predecessors?: boolean;
    },
  ) {
    this.#kind = kind;
    this.#browses = browses;
    this.#setting = setting;
    this.#own = setting.own;
    this.#began = this.#saved = this.#used = now;
    this.#kept = predecessors ? Infinity : this.#deadline();
    this.#cookie = predecessors ? Infinity : this.#browserKeeps(now);
    this.#dated = !predecessors && this.#writesInstants();
  }

  deploy(setting: Setting): void {
    this.#setting = setting;
  }

  /** The first instant at which the visitor does not find the session. */
  get end(): number {
    return Math.min(this.latest, this.#isKept() ? this.#kept : Infinity);
  }

  /** The end if only today's settings decided. */
  get latest(): number {
    return Math.min(this.#checked(), this.#cookie);
  }

  read(now: number): void {
    const { idleTimeout, absoluteTimeout, rolling = false } = this.#timeouts;
    // A session in its cookie is used when an answer sends the cookie again.
    if (this.#kind.inCookie && !this.#browses) return;
    if (!this.#dated) {
      const counts = this.#kind.database
        ? idleTimeout !== undefined || absoluteTimeout !== undefined ||
          rolling && this.#browses
        : this.#writesInstants();
      if (!counts) return;
      this.#began = this.#saved = this.#used = now;
      this.#kept = this.#deadline();
      this.#dated = true;
      this.#cookie = this.#browserKeeps(now);
      return;
    }
    const slides = idleTimeout !== undefined &&
      now - this.#used >= this.#touchAfter(idleTimeout, 60) * SECOND;
    const rewrites = this.#deadline() > this.#kept && !this.#kind.races;
    const rolls = this.#browses && rolling && this.#isDue(now);
    if (!slides && !rewrites && !rolls) return;
    if (rolls) this.#saved = Math.max(this.#saved, now);
    const before = this.#used;
    this.#used = Math.max(this.#used, now);
    this.#kept = this.#kind.races && !rolls
      ? this.#kept + this.#used - before
      : Math.max(this.#kept, this.#deadline());
    this.#dated = this.#writesInstants();
    if (rolls && this.#lasts() !== Infinity || this.#kind.inCookie) {
      this.#cookie = this.#browserKeeps(now);
    }
  }

  save(now: number): void {
    if (!this.#dated) this.read(now);
    const lasts = this.#own ?? this.#setting.maxAge;
    const renews = lasts === undefined || !this.#browses || !this.#dated ||
      this.#kind.inCookie === true || this.#isDue(now);
    // Without instants, there is nothing that a clock that is behind could respect.
    if (!this.#dated) this.#began = this.#saved = this.#used = now;
    this.#used = Math.max(this.#used, now);
    if (renews) this.#saved = Math.max(this.#saved, now);
    this.#kept = this.#deadline();
    this.#dated = this.#writesInstants();
    if (this.#kind.inCookie || renews && lasts !== undefined) {
      this.#cookie = this.#browserKeeps(now);
    }
  }

  get #timeouts(): Timeouts {
    return this.#setting.timeouts ?? {};
  }

  /** The seconds for which a session lasts after a save. */
  #lasts(): number {
    const { idleTimeout, absoluteTimeout } = this.#timeouts;
    const given = this.#own ?? this.#setting.maxAge;
    if (given !== undefined) return given;
    const isDefault = idleTimeout === undefined &&
      absoluteTimeout === undefined && !this.#kind.plain;
    return isDefault ? days(14) : Infinity;
  }

  #deadline(): number {
    const { idleTimeout = Infinity, absoluteTimeout = Infinity } =
      this.#timeouts;
    return Math.min(
      this.#saved + this.#lasts() * SECOND,
      this.#used + idleTimeout * SECOND,
      this.#began + absoluteTimeout * SECOND,
    );
  }

  /** The end by what the library checks with today's settings. */
  #checked(): number {
    const { idleTimeout = Infinity, absoluteTimeout = Infinity, notBefore } =
      this.#timeouts;
    if (notBefore && (!this.#dated || this.#began < notBefore.getTime())) {
      return -Infinity;
    }
    if (!this.#dated) return Infinity;
    // A database owns the lifetime of a session whose commits did not set one.
    const lasts = this.#kind.database ? this.#own ?? Infinity : this.#lasts();
    return Math.min(
      this.#saved + lasts * SECOND,
      this.#used + idleTimeout * SECOND,
      this.#began + absoluteTimeout * SECOND,
    );
  }

  /** Whether what is written now carries instants. */
  #writesInstants(): boolean {
    const { database, plain = false } = this.#kind;
    if (!database && !plain) return true;
    const { idleTimeout, absoluteTimeout, notBefore, rolling = false } =
      this.#timeouts;
    return this.#own !== undefined || idleTimeout !== undefined ||
      absoluteTimeout !== undefined || notBefore !== undefined ||
      (database ? rolling : this.#setting.maxAge !== undefined);
  }

  /** Whether the deadline that was counted when the session was written is observed. */
  #isKept(): boolean {
    return this.#dated || this.#kind.database === "observes";
  }

  #browserKeeps(now: number): number {
    const lasts = this.#own ?? this.#setting.maxAge;
    return this.#browses && lasts !== undefined
      ? now + lasts * SECOND
      : Infinity;
  }

  /** Whether a lifetime is to be counted anew. */
  #isDue(now: number): boolean {
    const lasts = this.#lasts();
    const most = this.#timeouts.rolling ? days(1) : 60;
    return lasts !== Infinity &&
      now - this.#saved >= this.#touchAfter(lasts, most) * SECOND;
  }

  #touchAfter(lasts: number, most: number): number {
    return this.#timeouts.touchAfter ?? Math.min(lasts / 10, most);
  }
}
