/**
 * How sessions are kept, as the storage that a factory returns sees it: in records, in the cookie itself, or by a third
 * party.
 *
 * @module
 */
import type { SatchelCookie } from "../../core/cookie.ts";
import { type Session, stateOf } from "../../core/session.ts";
import type { SessionState } from "../../core/session_state.ts";
import type {
  SaveOptions,
  SessionLike,
  SessionStorage,
  StorageGuarantees,
} from "../contract.ts";

/** What the session's cookie carries in a request. */
export interface Carried {
  /** The value; `null` if there is no cookie that is authentic, or it was cleared. */
  readonly value: unknown;
  /** The whole `Cookie` header. */
  readonly header?: string;
  /** Whether the value came in an older format. */
  readonly legacy?: boolean;
  /** The value as it is written in the header, if it can be sent again as it is. */
  readonly text?: string | undefined;
  /** Whether there is a cookie, but none that is authentic. */
  readonly rejected?: boolean;
}

/** Keeps sessions. */
export interface Sessions<Data, FlashData> extends
  Partial<
    Pick<
      SessionStorage<Data, FlashData>,
      "sweep" | "close" | "listSessions" | "destroySessions"
    >
  > {
  readonly guarantees?: StorageGuarantees | undefined;
  read(carried: Carried): Promise<Session<Data, FlashData>>;
  save(session: SessionLike, options?: SaveOptions): Promise<string | null>;
  /** The same sessions, in another cookie of this library. */
  in?(cookie: SatchelCookie): Sessions<Data, FlashData>;
  /** What the cookie carries for a text that `save` returned, if it is not the text itself. */
  cookieValue?(text: string): unknown;
}

/**
 * The state of a session that this library made.
 *
 * @throws {TypeError} If another library made it.
 */
export function requireState(session: unknown): SessionState {
  const state = stateOf(session);
  if (state) return state;
  throw new TypeError(
    "Cannot save session: it is not a session of this library; pass the session that read() or getSession() returned",
  );
}
