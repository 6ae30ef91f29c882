/**
 * The property of a request that holds its session.
 *
 * @module
 */
import type { Session } from "../../core/session.ts";

/**
 * Puts a session into a request. Assigning `null` ends the session, as in cookie-session and koa-session.
 *
 * @param request The request, or the framework's context.
 * @param name What holds the session, for the error's message: `req.session`.
 */
export function hold<Data, FlashData>(
  request: object,
  key: string,
  session: Session<Data, FlashData>,
  name: string,
): void {
  let held: unknown = session;
  holdBy(request, key, {
    get: () => held,
    set(value) {
      mustBeNothing(value, name);
      session.destroy();
      held = value;
    },
  });
}

/** Defines the property, so that handlers can read, set and delete it. */
export function holdBy(
  request: object,
  key: string,
  accessor: { get(): unknown; set(value: unknown): void },
): void {
  Object.defineProperty(request, key, {
    ...accessor,
    configurable: true,
    enumerable: true,
  });
}

/** @throws {TypeError} If a handler replaces the session by something else: it would not be saved. */
export function mustBeNothing(value: unknown, name: string): void {
  if (value === null || value === undefined) return;
  throw new TypeError(
    `Cannot replace ${name}: another object would not be saved; change the session itself, or set ${name} to null to end it`,
  );
}
