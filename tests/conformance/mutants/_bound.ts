/**
 * How a broken storage is bound to a signed cookie, so that a changed id does not pass the signature.
 */
import { type Cookie, createCookie } from "../../../mod.ts";
import type { StorageLike, Target } from "../../../conformance/mod.ts";

/** How the rules can present an id to a bound storage: by its `read`, or by the target's `cookieFor`. */
export type Way = "read" | "cookieFor" | "none";

/**
 * A target with `read` and `save`, bound to a cookie.
 *
 * @param cookie By default, it is signed.
 */
export function bound(
  target: Target,
  way: Way,
  cookie: Pick<Cookie, "parse" | "serialize"> = createCookie("session", {
    secrets: ["s3cr3t"],
    httpOnly: true,
  }),
): Target {
  return {
    ...target,
    async open(options) {
      const opened = await target.open(options);
      const { read, save, ...others } = opened.storage as Required<StorageLike>;
      const commit = async (
        session: unknown,
        options?: { readonly maxAge?: number },
      ) => {
        const value = await save(session, options);
        if (value === null) return "";
        const { maxAge } = value ? options ?? {} : { maxAge: 0 };
        return await cookie.serialize(
          value,
          maxAge === undefined ? {} : { maxAge },
        );
      };
      const storage: StorageLike = {
        ...others,
        async getSession(header) {
          const value = await cookie.parse(header ?? null);
          return await read(typeof value === "string" ? value : null);
        },
        commitSession: commit,
        destroySession: async (session, options) => {
          session.destroy();
          return await commit(session, options);
        },
        ...way === "read" ? { read, save } : {},
      };
      if (way !== "cookieFor") return { ...opened, storage };
      const cookieFor = async (id: string) =>
        (await cookie.serialize(id)).split(";", 1)[0] ?? "";
      return { ...opened, storage, cookieFor };
    },
  };
}
