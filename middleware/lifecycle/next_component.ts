/**
 * The session of a component of Next, which can read it but cannot send a cookie.
 *
 * @module
 */
import type { Session } from "../../core/session.ts";
import type { SessionHeaders, SessionStorage } from "../../storage/contract.ts";

const CHANGES = new Set<string | symbol>([
  "set",
  "unset",
  "flash",
  "clear",
  "restart",
  "regenerateId",
  "setMaxAge",
  "destroy",
]);

/**
 * The same session, but its changes throw. A flash that is read is consumed at once: no handler would do it later.
 *
 * @param keepAlive Keeps the process alive until a promise is settled.
 */
export function readOnly<Data, FlashData>(
  storage: SessionHeaders<Data, FlashData>,
  session: Session<Data, FlashData>,
  keepAlive: ((promise: Promise<unknown>) => void) | undefined,
): Session<Data, FlashData> {
  let saved: Promise<unknown> | undefined;
  const save = () => {
    const { guarantees } = storage as Partial<SessionStorage>;
    if (guarantees?.selfContained) {
      throw new TypeError(
        "Cannot show flash: the session is in its cookie, which a component cannot change; read it in a route handler or a server action, or use a storage with a server",
      );
    }
    // One after the other: each saves what the earlier ones have not.
    saved = (saved ?? Promise.resolve()).then(() =>
      storage.commitSession(session, { renew: false })
      // The storage has reported its failure. The page is shown all the same.
    ).catch(() => {});
    keepAlive?.(saved);
  };
  return new Proxy(session, {
    get(target, name) {
      if (CHANGES.has(name)) {
        return () => {
          throw new TypeError(
            `Cannot call ${
              String(name)
            }: the session can only be read here; change it in a server action made by action(), or in a route handler made by route()`,
          );
        };
      }
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const [key] = args as Parameters<typeof target.has>;
        const had = name === "get" && target.has(key);
        const result: unknown = value.apply(target, args);
        // It was a flash: a value would still be there.
        if (had && !target.has(key)) save();
        return result;
      };
    },
  });
}
