/**
 * Sessions that are kept in their cookie. The cookie protects them; this file checks their deadline.
 *
 * @module
 */
import { after, attempt, type Awaitable } from "../../core/awaitable.ts";
import { MAX_COOKIE, type SatchelCookie } from "../../core/cookie.ts";
import {
  isAhead,
  lifetimeOf,
  type StoredLifetime,
  type Terms,
} from "../../core/lifetime.ts";
import {
  decodeReactRouter,
  decodeRemix,
  encodeReactRouter,
  encodeRemix,
} from "../../core/plain.ts";
import {
  checkSize,
  decodeRecord,
  type Draft,
  encodeRecord,
  parseJson,
  type SessionRecord,
  storedTexts,
} from "../../core/record.ts";
import { mintId, Session } from "../../core/session.ts";
import type { SessionState } from "../../core/session_state.ts";
import type { LegacyFormat } from "../../core/formats.ts";
import type {
  SaveOptions,
  SessionLike,
  StorageGuarantees,
} from "../contract.ts";
import { checkOwnable } from "./owners.ts";
import type { Policy } from "./policy.ts";
import { withMaxAge } from "./record_storage.ts";
import type { StoredRecord } from "./records.ts";
import {
  type Carried,
  NO_COOKIE,
  requireState,
  type Sessions,
} from "./sessions.ts";
import { inTurn } from "./turns.ts";

const GUARANTEES: StorageGuarantees = {
  compareAndSet: false,
  reads: "strong",
  revoke: false,
  durable: true,
  shared: true,
  selfContained: true,
  maxBytes: 2_900,
};

/** `id.expires.record`. The deadline is in base 36 and can be read without decoding the record. */
const ENVELOPE = /^([\w-]{22,64})\.([0-9a-z]{1,11})\./;

const ID = /^[\w-]{22,64}$/;

/** A record that came in a cookie. */
export interface CookieRecord extends StoredRecord {
  /** Whether the id was created by this read, because the cookie does not contain one. */
  readonly unnamed?: boolean | undefined;
  /** The cookies after this one, which were not tried. */
  readonly rest?: Carried | undefined;
}

/** Keeps sessions in their cookie. */
export class CookieStorage<Data, FlashData>
  implements Sessions<Data, FlashData> {
  readonly guarantees: StorageGuarantees = GUARANTEES;
  readonly policy: Policy;
  readonly now: () => number;
  readonly #cookie: SatchelCookie | undefined;

  /** @param cookie The cookie of the sessions, which decides about format and size. */
  constructor(policy: Policy, cookie?: SatchelCookie) {
    this.policy = policy;
    this.now = policy.now;
    if (policy.owner) checkOwnable(GUARANTEES);
    this.#cookie = cookie;
  }

  withCookie(cookie: SatchelCookie): CookieStorage<Data, FlashData> {
    return new CookieStorage(this.policy, cookie);
  }

  /** React Router's cookies carry JSON, not text. */
  cookieValue(text: string): unknown {
    return this.#format === "react-router" ? JSON.parse(text) : text;
  }

  read(carried: Carried): Awaitable<Session<Data, FlashData>> {
    const session = new Session<Data, FlashData>();
    const state = requireState(session);
    state.keepTime(this.now);
    if (carried === NO_COOKIE) return session;
    const record = this.open(carried);
    if (!record) return session;
    state.attach(record, this);
    return this.policy.schema
      ? this.#show(state, record).then(() => session)
      : session;
  }

  /** Shows a session as the schema converts it. If it does not fit, that of the next cookie. */
  async #show(state: SessionState, record: CookieRecord): Promise<void> {
    const { schema } = this.policy;
    if (await schema?.show(state, { id: namedId(record) })) return;
    const next = record.rest && this.open(record.rest);
    if (!next) return;
    state.attach(next, this);
    await this.#show(state, next);
  }

  /** Returns the first live record in the cookies. If all are rejected or have expired, reports that. */
  open(carried: Carried): CookieRecord | undefined {
    if (carried.value === null && !carried.rejected) return undefined;
    const terms = this.#terms(carried.lifetime ?? null);
    let expired: CookieRecord | undefined;
    for (let at: Carried | undefined = carried; at; at = at.next) {
      const { value, legacy, next, outdated } = at;
      // Older formats do not bind a value to its cookie, so the value could be the text of another cookie.
      const found = legacy ? this.#openPlain(value) : this.#open(value);
      if (!found) continue;
      const record = this.#checked(found, terms);
      if (!isAhead(record.expires, this.now())) expired = record;
      else if (!next || record.decode()) {
        return outdated || next
          ? { ...record, unsent: outdated, rest: next }
          : record;
      }
    }
    if (!expired) this.policy.report("rejected-cookie");
    else this.policy.report("expired", { id: namedId(expired) });
    return undefined;
  }

  save(
    session: SessionLike,
    options?: SaveOptions,
  ): Awaitable<string | null> {
    const state = requireState(session);
    if (state.blank) return null;
    return inTurn(state, () => this.#save(state, options));
  }

  reportLate(session: SessionLike): void {
    const known = requireState(session).originIn(this);
    this.policy.report("late-save", known && this.#about(known.id));
  }

  #save(
    state: SessionState,
    options: SaveOptions | undefined,
  ): Awaitable<string | null> {
    const { policy } = this;
    if (state.destroyed) return this.#destroyed(state);
    options = withMaxAge(options, state.maxAge);
    const cookie = lifetimeOf(options?.defaultLifetime);
    const terms = this.#terms(cookie);
    // Decoding can show that the record is corrupt or expired. The session is then a new one.
    const { record } = state;
    const known = state.originIn(this) as CookieRecord | undefined;
    const changed = policy.needsSave(state, known !== undefined, options);
    const renews = known !== undefined && state.seen &&
      (known.unsent === true || policy.mustRoll(state, cookie) ||
        this.#lacksInstants(state, cookie));
    const use = known && record &&
      policy.nextUse(record, known.expires, terms);
    if (!changed && !renews && !use) return null;

    const now = policy.instant();
    if (known && !state.restarts && !isAhead(known.expires, now)) {
      policy.report("late-save", this.#about(known.id));
      return null;
    }
    const changes = state.takeChanges(this);
    const { newId } = changes;
    const stored = record && known && { record, expires: known.expires };
    const renewing = { ...options, renew: true };
    // A use alone does not renew the lifetime, which counts from the last save.
    const life = stored && use && !changed && !renews
      ? { ...record, span: use.expires - use.used, expires: use.expires }
      : policy.renew(now, stored, renewing, changes, terms);
    const empty = changes.values.size + changes.flashes.size === 0;
    if (!isAhead(life.expires, now) || newId?.restart && empty) {
      state.end();
      return this.#destroyed(state);
    }
    // The application may have chosen an id that does not fit. Nothing is stored under it, so it can be replaced.
    const id = ID.test(state.id) ? state.id : mintId();
    const draft = { ...life, entries: changes };
    const encoded = encodeRecord("", draft);
    const decode = () => decodeRecord("", encoded);
    const { expires, lifetime } = life;
    const finish = (value: string, text?: string): string => {
      const size = text === undefined ? 0 : this.#cookie?.sizeOf(text) ?? 0;
      checkSize("a cookie", size, MAX_COOKIE, changes);
      policy.report(record ? "committed" : "created", this.#about(id));
      const carried = { value, text };
      const written: CookieRecord = {
        id,
        version: undefined,
        expires,
        decode,
        texts: (expected) => storedTexts(encoded, expected),
        lifetime,
        carried,
      };
      state.committed(written, this, changes, false);
      return value;
    };
    return attempt(() => {
      const value = this.#envelop(id, encoded, draft, cookie);
      // Once, and not again for the header.
      const text = this.#cookie?.encode(this.cookieValue(value));
      return after(text, (text) => finish(value, text));
    }, (error) => {
      state.restore(changes);
      throw error;
    });
  }

  /** Whether the cookie is another library's, and its lifetime must be added to it. */
  #lacksInstants({ record }: SessionState, cookie: StoredLifetime): boolean {
    return record?.undated === true &&
      this.policy.needsInstants(record, cookie);
  }

  /** What decides today when a session expires. The formats of other libraries do not have a default lifetime. */
  #terms(cookie: StoredLifetime): Terms {
    return this.#format === "satchel"
      ? this.policy.terms(cookie)
      : { timeouts: this.policy.timeouts, lifetime: cookie };
  }

  get #format(): "satchel" | LegacyFormat {
    return this.#cookie?.options.format ?? "satchel";
  }

  /** The id for an event, if the format has one. */
  #about(id: string): { id?: string } {
    return this.#format === "react-router" ? {} : { id };
  }

  #destroyed(state: SessionState): string {
    const known = state.originIn(this);
    this.policy.report("destroyed", known && this.#about(known.id));
    return "";
  }

  /** @param cookie The lifetime of the cookie, or `null`. */
  #envelop(
    id: string,
    encoded: string,
    draft: Draft,
    cookie: StoredLifetime,
  ): string {
    const format = this.#format;
    if (format === "satchel") {
      return `${id}.${Math.floor(draft.expires).toString(36)}.${encoded}`;
    }
    const withDeadline = this.policy.needsInstants(draft, cookie);
    return format === "remix"
      ? encodeRemix(id, draft, withDeadline)
      : encodeReactRouter(draft, withDeadline);
  }

  #open(value: unknown): CookieRecord | undefined {
    const found = typeof value === "string" ? ENVELOPE.exec(value) : null;
    if (typeof value !== "string" || !found) return this.#openPlain(value);
    const text = value.slice(found[0].length);
    return {
      id: found[1] as string,
      version: undefined,
      expires: parseInt(found[2] as string, 36),
      decode: () => decodeRecord("", text),
      texts: (expected) => storedTexts(text, expected),
    };
  }

  /** Decodes the format of an older application, if the cookie accepts it. */
  #openPlain(value: unknown): CookieRecord | undefined {
    const { format, accept = [] } = this.#cookie?.options ?? {};
    const accepts = (name: "react-router" | "remix") =>
      format === name || accept.includes(name);
    const now = this.policy.now();
    if (accepts("remix") && typeof value === "string") {
      const decode = () => decodeRemix(parseJson(value), now);
      const record = decode();
      if (!record) return undefined;
      const { id, expires } = record;
      return typeof id === "string" && ID.test(id)
        ? this.#record(id, expires, decode)
        : { ...this.#record(mintId(), expires, decode), unnamed: true };
    }
    if (accepts("react-router")) {
      const text = JSON.stringify(value);
      const decode = () => decodeReactRouter(parseJson(text), now);
      const record = decode();
      if (!record) return undefined;
      const { expires } = record;
      return { ...this.#record(mintId(), expires, decode), unnamed: true };
    }
    return undefined;
  }

  #record(
    id: string,
    expires = Infinity,
    decode: () => SessionRecord | undefined,
  ): CookieRecord {
    return { id, version: undefined, expires, decode };
  }

  /** A record that decodes only while it has not expired by today's settings. */
  #checked(found: CookieRecord, terms: Terms): CookieRecord {
    const { policy } = this;
    const { expires } = found;
    const id = namedId(found);
    const now = policy.now();
    const decode = () => policy.accept(found.decode(), expires, terms, now, id);
    const { version, unnamed, texts } = found;
    return { id: found.id, version, expires, unnamed, texts, decode };
  }
}

/** The id of a session, if its cookie has one. */
function namedId({ id, unnamed = false }: CookieRecord): string | undefined {
  return unnamed ? undefined : id;
}
