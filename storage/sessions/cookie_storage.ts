/**
 * Sessions that travel in their cookie, whole. The cookie protects them; this keeps their deadline.
 *
 * @module
 */
import type { Origin, SessionState } from "../../core/session_state.ts";
import { type Cookie, MAX_COOKIE, SatchelCookie } from "../../core/cookie.ts";
import { deadline, isAhead } from "../../core/lifetime.ts";
import {
  fromReactRouter,
  fromRemix,
  type PlainDraft,
  toReactRouter,
  toRemix,
} from "../../core/plain.ts";
import {
  checkSize,
  decodeRecord,
  encodeRecord,
  type EntryTexts,
  type SessionRecord,
} from "../../core/record.ts";
import {
  createSession,
  mintId,
  type Session,
  stateOf,
} from "../../core/session.ts";
import { checkOwnable } from "./owners.ts";
import { follow, inTurn, type Policy, requireState } from "./policy.ts";
import type {
  SaveOptions,
  SessionStorage,
  StorageGuarantees,
} from "../contract.ts";

const GUARANTEES: StorageGuarantees = {
  compareAndSet: false,
  reads: "strong",
  revoke: false,
  durable: true,
  shared: true,
  selfContained: true,
  maxBytes: 2_900,
};

/** `id.expires.record`, the deadline in base 36: read without decoding the record. */
const ENVELOPE = /^([\w-]{22,64})\.([0-9a-z]{1,11})\./;

const ID = /^[\w-]{22,64}$/;

/** Below this no format's overhead brings a record near the limit of a cookie. */
const SURELY_FITS = 1024;

/** Keeps sessions in their cookie. */
export class CookieStorage<Data, FlashData>
  implements SessionStorage<Data, FlashData> {
  readonly guarantees: StorageGuarantees = GUARANTEES;
  readonly #policy: Policy;
  readonly #cookie: SatchelCookie | undefined;

  /** @param cookie The cookie that the storage is bound to; it decides on the format and the space there is. */
  constructor(policy: Policy, cookie?: SatchelCookie) {
    this.#policy = policy;
    if (policy.owner) checkOwnable(GUARANTEES);
    follow(this, policy);
    this.#cookie = cookie;
  }

  /** The same storage in a cookie. */
  in(cookie: SatchelCookie): CookieStorage<Data, FlashData> {
    return new CookieStorage(this.#policy, cookie);
  }

  /** @param legacy Whether the value came in an older format, which may carry another cookie's text. */
  async read(
    value: unknown,
    legacy = false,
  ): Promise<Session<Data, FlashData>> {
    const session = createSession<Data, FlashData>();
    if (value === null) return session;
    const origin = legacy ? this.#openPlain(value) : this.#open(value);
    if (!origin) this.#policy.tell("rejected-cookie");
    else if (!isAhead(origin.expires, this.#policy.now())) {
      this.#policy.tell("expired");
    } else stateOf(session)?.attach(origin);
    return session;
  }

  async save(
    session: Session<Data, FlashData>,
    options?: SaveOptions,
  ): Promise<string | null> {
    const state = requireState(session);
    if (state.blank) return null;
    return await inTurn(
      state,
      options,
      (options) => this.#save(state, options),
    );
  }

  async #save(
    state: SessionState,
    options: SaveOptions | undefined,
  ): Promise<string | null> {
    const policy = this.#policy;
    if (state.destroyed) return this.#destroyed();
    const known = state.origin?.home === this ? state.origin : undefined;
    const slides = !policy.asksToSave(state, known !== undefined, options);
    if (
      slides && (known === undefined ||
        policy.slide(() => state.base, known.expires) === undefined)
    ) return null;

    const now = policy.instant();
    if (known && !isAhead(known.expires, now)) {
      policy.tell("late-save");
      return null;
    }
    const { base } = state;
    // An id that an application made up may be of a shape that no cookie is read with; nothing is kept under it anyway.
    const id = ID.test(state.id) ? state.id : mintId();
    const life = slides && base ? base : policy.renew(base, options, now);
    const expires = deadline(life, policy.timeouts, now);
    if (!isAhead(expires, now)) {
      state.end();
      return this.#destroyed();
    }
    const changes = state.takeChanges(this);
    const record = encodeRecord("", life, changes);
    let text: string;
    try {
      text = this.#envelop(id, record, { life, entries: changes, expires });
      await this.#checkFits(text, changes);
    } catch (error) {
      state.restore(changes);
      throw error;
    }
    policy.tell(base ? "committed" : "created");
    state.regenerated = false;
    const decode = () => decodeRecord("", record);
    state.committed(this.#origin(id, expires, decode), changes, false);
    return text;
  }

  #destroyed(): string {
    this.#policy.tell("destroyed");
    return "";
  }

  #envelop(id: string, record: string, draft: PlainDraft): string {
    const format = this.#cookie?.options.format ?? "satchel";
    const expires = Math.floor(draft.expires ?? 0);
    if (format === "satchel") return `${id}.${expires.toString(36)}.${record}`;
    const plain = this.#policy.needsDeadline(draft.life)
      ? draft
      : { ...draft, expires: undefined };
    return format === "remix" ? toRemix(id, plain) : toReactRouter(plain);
  }

  #open(value: unknown): Origin | undefined {
    if (typeof value === "string") {
      const [head, id, expires] = ENVELOPE.exec(value) ?? [];
      if (head !== undefined && id !== undefined && expires !== undefined) {
        const decode = () => decodeRecord("", value.slice(head.length));
        return this.#origin(id, parseInt(expires, 36), decode);
      }
    }
    return this.#openPlain(value);
  }

  /** Reads what an older application wrote, if the cookie takes that. */
  #openPlain(value: unknown): Origin | undefined {
    const { format, accept = [] } = this.#cookie?.options ?? {};
    const takes = (name: "react-router" | "remix") =>
      format === name || accept.includes(name);
    const now = this.#policy.now();
    if (takes("remix") && typeof value === "string") {
      const decode = () => fromRemix(parse(value), now);
      const record = decode();
      if (!record) return undefined;
      return typeof record.id === "string" && ID.test(record.id)
        ? this.#origin(record.id, record.expires, decode)
        : this.#unnamed(record.expires, decode);
    }
    if (takes("react-router")) {
      const text = JSON.stringify(value);
      const decode = () => fromReactRouter(parse(text), now);
      const record = decode();
      if (record) return this.#unnamed(record.expires, decode);
    }
    return undefined;
  }

  #unnamed(expires: number, decode: () => SessionRecord | undefined): Origin {
    return { ...this.#origin(mintId(), expires, decode), unnamed: true };
  }

  #origin(
    id: string,
    expires: number,
    decode: () => SessionRecord | undefined,
  ): Origin {
    const version = undefined;
    return {
      id,
      home: this,
      version,
      expires,
      decode: this.#policy.guard(decode),
    };
  }

  async #checkFits(text: string, entries: EntryTexts): Promise<void> {
    const cookie = this.#cookie;
    if (!cookie || text.length < SURELY_FITS) return;
    const size = await cookie.sizeOf(cookieValue(cookie, text));
    checkSize("a cookie", size, MAX_COOKIE, entries);
  }
}

/** What a cookie carries for the text that the storage made: React Router's cookies carry JSON, not text. */
export function cookieValue(cookie: Cookie, text: string): unknown {
  return cookie instanceof SatchelCookie &&
      cookie.options.format === "react-router"
    ? JSON.parse(text)
    : text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
