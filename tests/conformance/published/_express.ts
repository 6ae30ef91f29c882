/** What the targets of express-session's stores have in common. */
import {
  type ExpressStore,
  fromExpressStore,
  type StorageLike,
} from "../../../conformance/mod.ts";

/**
 * A store that still has a session in the last millisecond of its lifetime. No visitor notices that, so the suite's
 * lifetimes are shortened by it.
 */
export function withoutLastMillisecond(
  store: ExpressStore,
  maxAge: number | undefined,
): StorageLike {
  const less = (seconds?: number) =>
    seconds === undefined ? undefined : seconds - 0.001;
  const storage = fromExpressStore(store, { maxAge: less(maxAge) });
  return {
    ...storage,
    save: async (session, options) =>
      await storage.save?.(session, { maxAge: less(options?.maxAge) }) ?? null,
  };
}
