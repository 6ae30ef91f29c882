/**
 * The property of a request that holds its session.
 *
 * @module
 */
import { type Session, stateOf } from "../../core/session.ts";
import type { OtherChanges } from "./node_response.ts";

/**
 * Puts a session into a request. A handler that sets the property to `null` ends the session, as in cookie-session and
 * koa-session.
 *
 * @param request The request, or the framework's context.
 * @param name What holds the session, for the error's message: `req.session`.
 */
export function hold<Data, FlashData>(
  request: object,
  key: string,
  session: Session<Data, FlashData>,
  name: string,
): OtherChanges<Data, FlashData> {
  const holder = request as Record<string, unknown>;
  holder[key] = session;
  return {
    apply() {
      const found = holder[key];
      if (found !== session) {
        mustBeNothing(found, name);
        if (!stateOf(session)?.closed) session.destroy();
      }
      return session;
    },
    setCookie: () => "",
  };
}

/** @throws {TypeError} If a handler has replaced the session by something else: it would not be saved. */
export function mustBeNothing(value: unknown, name: string): void {
  if (value === null || value === undefined) return;
  throw new TypeError(
    `Cannot replace ${name}: another object would not be saved; change the session itself, or set ${name} to null to end it`,
  );
}
