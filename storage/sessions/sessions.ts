/**
 * The interface between a session's cookie and how sessions are kept: as records, in the cookie, or by another library.
 *
 * @module
 */
import type { Awaitable } from "../../core/awaitable.ts";
import type { SatchelCookie } from "../../core/cookie.ts";
import type { StoredLifetime } from "../../core/lifetime.ts";
import { type Session, stateOf } from "../../core/session.ts";
import type { SessionState } from "../../core/session_state.ts";
import type {
  ListSessionsOptions,
  OwnedSession,
  SaveOptions,
  SessionLike,
  SessionStorage,
  StorageGuarantees,
} from "../contract.ts";

/** What the session's cookie carries in a request. */
export interface Carried {
  /** The value; `null` if the cookie is absent, not authentic or cleared. */
  readonly value: unknown;
  /** The whole `Cookie` header. */
  readonly header?: string;
  /** Whether the value came in an older format. */
  readonly legacy?: boolean | undefined;
  /** The value's text in the header, if it can be sent again as it is. */
  readonly text?: string | undefined;
  /** Whether there is a cookie that is not authentic. */
  readonly rejected?: boolean;
  /** Whether the value came in an older format, or was written with an older secret. */
  readonly outdated?: boolean | undefined;
  /** Whether only this library can have written the value. */
  readonly signed?: boolean;
  /** The lifetime of the session's cookie, or `null`. */
  readonly lifetime?: StoredLifetime;
  /** The next authentic cookie of the same name. It is only tried if this one does not lead to a live session. */
  readonly next?: Carried | undefined;
}

/** A request without a cookie. */
export const NO_COOKIE: Carried = { value: null };

/** The values of all authentic cookies of the name, in the header's order. */
export function valuesOf(carried: Carried): unknown[] {
  const values: unknown[] = [];
  for (let at: Carried | undefined = carried; at; at = at.next) {
    values.push(at.value);
  }
  return values;
}

/** Keeps sessions. */
export interface Sessions<Data, FlashData> extends
  Partial<
    Pick<
      SessionStorage<Data, FlashData>,
      "sweep" | "close" | "destroySessions"
    >
  > {
  readonly guarantees?: StorageGuarantees | undefined;
  /** The clock. */
  readonly now?: () => number;
  /** See the contract. `cookie` is the lifetime of the session's cookie, or `null`. */
  listSessions?(
    owner: string,
    options: ListSessionsOptions | undefined,
    cookie: StoredLifetime,
  ): Promise<OwnedSession<Data>[]>;
  read(carried: Carried): Awaitable<Session<Data, FlashData>>;
  save(session: SessionLike, options?: SaveOptions): Awaitable<string | null>;
  /** The same sessions, kept in another cookie of this library. */
  withCookie?(cookie: SatchelCookie): Sessions<Data, FlashData>;
  /** Reports that a change of a session was dropped: `late-save`. */
  reportLate?(session: SessionLike): void;
  /** The cookie's value for a text that `save` returned. By default it is the text. */
  cookieValue?(text: string): unknown;
}

/**
 * The state of a session.
 *
 * @throws {TypeError} If it is not a session of this library.
 */
export function requireState(session: unknown): SessionState {
  const state = stateOf(session);
  if (state) return state;
  throw new TypeError(
    "Cannot save session: it is not a session of this library; pass the session that read() or getSession() returned",
  );
}
