/** Reads the sessions of iron-session, so that users stay signed in. */
import {
  type Cookie,
  createCookieSessionStorage,
  createSession,
} from "@satchel/session";
import { unsealData } from "npm:iron-session@^9.0.1";

const DAY = 24 * 60 * 60;

/** The cookie of iron-session. It is read, and never written again. */
export function ironCookie(
  name: string,
  options: { password: string | Record<string, string>; ttl?: number },
): Cookie {
  const { ttl = 14 * DAY } = options;
  const values = createCookieSessionStorage();
  return {
    name,
    isSigned: true,
    async parse(cookieHeader) {
      const seal = cookieHeader?.split(/; */)
        .find((pair) => pair.startsWith(`${name}=Fe26.2*`))
        ?.slice(name.length + 1);
      if (!seal) return null;
      const data = await unsealData<Record<string, unknown>>(seal, options);
      if (Object.keys(data).length === 0) return null;
      // The id is a hash of the seal, so every copy of the cookie has the same id. The text after the seal is not sealed.
      // If it were hashed too, a visitor could make any number of ids for one session.
      const [sealed = ""] = seal.split("~");
      const session = createSession(data, await idOf(sealed));
      // At least as long as the seal is valid, so that a revoked session stays revoked.
      return await values.save(session, {
        defaultLifetime: { maxAge: ttl || 400 * DAY },
      });
    },
    serialize() {
      throw new TypeError("Cannot write cookie: it is only read");
    },
  };
}

async function idOf(seal: string): Promise<string> {
  const bytes = new TextEncoder().encode(seal);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
