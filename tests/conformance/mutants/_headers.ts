import { createCookie, type SessionStorage } from "../../../mod.ts";
import type { StorageLike, Target } from "../../../conformance/mod.ts";

/** The cookie of the targets that are signed. */
const cookie = createCookie("session", { secrets: ["s3cr3t"] });

const cookieFor = async (id: string) =>
  (await cookie.serialize(id)).split(";", 1)[0] ?? "";

/** A storage that is right but for some of its functions. */
export function bound(
  target: Target,
  defect: (storage: SessionStorage) => StorageLike,
): Target {
  return {
    ...target,
    async open(options) {
      const opened = await target.open(options);
      const storage = opened.storage as SessionStorage;
      const { getSession, commitSession, destroySession } = storage;
      return {
        ...opened,
        cookieFor,
        storage: {
          getSession,
          commitSession,
          destroySession,
          listSessions: storage.listSessions,
          destroySessions: storage.destroySessions,
          ...storage.sweep ? { sweep: storage.sweep } : {},
          ...defect(storage),
        },
      };
    },
  };
}

/** A storage whose `Set-Cookie` headers are changed; `clearing` says that a header is the one of a logout. */
export function sending(
  target: Target,
  change: (header: string, clearing: boolean) => string,
): Target {
  return bound(target, (storage) => ({
    async commitSession(session, options) {
      const header = await storage.commitSession(session, options);
      return header && change(header, session.destroyed);
    },
    destroySession: async (session) =>
      change(await storage.destroySession(session), true),
  }));
}
