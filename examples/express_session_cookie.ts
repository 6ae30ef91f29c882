/**
 * The cookie of express-session, read and never written: for moving its sessions to a storage of this library.
 *
 * @module
 */
import type { Cookie } from "@satchel/session";
import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * A cookie that gives the ids that express-session has signed.
 *
 * @param secrets Its `secret`, all of them if there are several.
 * @param name Its `name`.
 */
export function expressSessionCookie(
  secrets: readonly string[],
  name: string = "connect.sid",
): Cookie {
  const encoder = new TextEncoder();
  function sign(id: string, secret: string): Uint8Array {
    const mac = createHmac("sha256", secret).update(id).digest("base64");
    const signed = `s:${id}.${mac.replace(/=+$/, "")}`;
    return encoder.encode(encodeURIComponent(signed));
  }
  return {
    name,
    isSigned: true,
    async parse(cookieHeader) {
      for (const pair of cookieHeader?.split(";") ?? []) {
        const [key, value = ""] = pair.trim().split("=");
        const id = key === name && /^s%3A([\w-]{22,64})\./.exec(value)?.[1];
        if (!id) continue;
        const given = encoder.encode(value);
        const isSigned = secrets.some((secret) => {
          const good = sign(id, secret);
          return good.length === given.length && timingSafeEqual(good, given);
        });
        if (isSigned) return id;
      }
      return null;
    },
    serialize: () => Promise.reject(new Error("this cookie is only read")),
  };
}
