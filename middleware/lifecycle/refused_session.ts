/**
 * The place of a session in a page that is made before any visitor asks for it.
 *
 * @module
 */

/**
 * Stands in for the session where there is no visitor: whatever is done with it throws. An empty session would be worse:
 * the page of a stranger would be made once, and sent to everybody.
 *
 * @param why Completes the message, and says what to do instead.
 */
export function refusedSession(why: string): object {
  const refuse = () => {
    throw new TypeError(`Cannot use session: ${why}`);
  };
  return new Proxy({}, {
    // Symbols are asked by the runtime and by debuggers, not by the application.
    get: (_, name) => typeof name === "symbol" ? undefined : refuse(),
    set: refuse,
    has: refuse,
    deleteProperty: refuse,
    ownKeys: refuse,
  });
}
