/**
 * Sessions that are kept in their cookie. The cookie protects them; this file checks their deadline.
 *
 * @module
 */
import { MAX_COOKIE, type SatchelCookie } from "../../core/cookie.ts";
import { deadline, isAhead } from "../../core/lifetime.ts";
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
} from "../../core/record.ts";
import { mintId, Session } from "../../core/session.ts";
import type { SessionState } from "../../core/session_state.ts";
import type {
  SaveOptions,
  SessionLike,
  StorageGuarantees,
} from "../contract.ts";
import { checkOwnable } from "./owners.ts";
import type { Policy } from "./policy.ts";
import { withMaxAge } from "./record_storage.ts";
import type { StoredRecord } from "./records.ts";
import { type Carried, requireState, type Sessions } from "./sessions.ts";
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

/** A record below this size fits into a cookie in every format. */
const SURELY_FITS = 1024;

/** A record that came in a cookie. */
export interface CookieRecord extends StoredRecord {
  /** Whether the id was created by this read, because the cookie does not contain one. */
  readonly unnamed?: boolean;
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
    return this.#cookie?.options.format === "react-router"
      ? JSON.parse(text)
      : text;
  }

  async read(carried: Carried): Promise<Session<Data, FlashData>> {
    const session = new Session<Data, FlashData>();
    const record = this.open(carried);
    if (record) requireState(session).attach(record, this);
    return session;
  }

  /** Returns the first live record in the cookies. If all are rejected or have expired, reports that. */
  open(carried: Carried): CookieRecord | undefined {
    if (carried.value === null && !carried.rejected) return undefined;
    let expired = false;
    for (let at: Carried | undefined = carried; at; at = at.next) {
      const { value, legacy, next } = at;
      // Older formats do not bind a value to its cookie, so the value could be the text of another cookie.
      const record = legacy ? this.#openPlain(value) : this.#open(value);
      if (!record) continue;
      if (!isAhead(record.expires, this.policy.now())) expired = true;
      else if (!next || record.decode()) return record;
    }
    this.policy.report(expired ? "expired" : "rejected-cookie");
    return undefined;
  }

  async save(
    session: SessionLike,
    options?: SaveOptions,
  ): Promise<string | null> {
    const state = requireState(session);
    if (state.blank) return null;
    return await inTurn(state, () => this.#save(state, options));
  }

  reportLate(): void {
    this.policy.report("late-save");
  }

  async #save(
    state: SessionState,
    options: SaveOptions | undefined,
  ): Promise<string | null> {
    const { policy } = this;
    if (state.destroyed) return this.#destroyed();
    options = withMaxAge(options, state.maxAge);
    const known = state.originIn(this) as CookieRecord | undefined;
    const slides = !policy.needsSave(state, known !== undefined, options);
    if (
      slides &&
      (!known || policy.nextDeadline(state, known.expires) === undefined)
    ) return null;

    const now = policy.instant();
    if (known && !isAhead(known.expires, now)) {
      policy.report("late-save");
      return null;
    }
    const { record } = state;
    const life = slides && record ? record : policy.renew(record, options, now);
    const expires = deadline(life, policy.timeouts, now);
    if (!isAhead(expires, now)) {
      state.end();
      return this.#destroyed();
    }
    // The application may have chosen an id that does not fit. Nothing is stored under it, so it can be replaced.
    const id = ID.test(state.id) ? state.id : mintId();
    const changes = state.takeChanges(this);
    const { created, ends, lifetime } = life;
    const draft = { created, ends, lifetime, entries: changes, expires };
    const encoded = encodeRecord("", draft);
    let text: string;
    try {
      text = this.#envelop(id, encoded, draft);
      await this.#checkFits(text, draft);
    } catch (error) {
      state.restore(changes);
      throw error;
    }
    policy.report(record ? "committed" : "created");
    const decode = () => decodeRecord("", encoded);
    const written = { ...this.#record(id, expires, decode), lifetime };
    state.committed(written, this, changes, false);
    return text;
  }

  #destroyed(): string {
    this.policy.report("destroyed");
    return "";
  }

  #envelop(id: string, encoded: string, draft: Draft): string {
    const format = this.#cookie?.options.format ?? "satchel";
    if (format === "satchel") {
      return `${id}.${Math.floor(draft.expires).toString(36)}.${encoded}`;
    }
    const withDeadline = this.policy.needsDeadline(draft);
    return format === "remix"
      ? encodeRemix(id, draft, withDeadline)
      : encodeReactRouter(draft, withDeadline);
  }

  #open(value: unknown): CookieRecord | undefined {
    if (typeof value === "string") {
      const [head, id, expires] = ENVELOPE.exec(value) ?? [];
      if (head !== undefined && id !== undefined && expires !== undefined) {
        const decode = () => decodeRecord("", value.slice(head.length));
        return this.#record(id, parseInt(expires, 36), decode);
      }
    }
    return this.#openPlain(value);
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
    const now = this.policy.now();
    return {
      id,
      version: undefined,
      expires,
      decode: () => this.policy.accept(decode(), now),
    };
  }

  async #checkFits(text: string, { entries }: Draft): Promise<void> {
    const cookie = this.#cookie;
    if (!cookie || text.length < SURELY_FITS) return;
    const size = await cookie.sizeOf(this.cookieValue(text));
    checkSize("a cookie", size, MAX_COOKIE, entries);
  }
}
