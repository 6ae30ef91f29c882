/**
 * Between a storage of this library and another library's cookie and store: what all the examples of
 * `docs/coming-from.md` need.
 *
 * @module
 */
import {
  type Cookie,
  type CookieAttributes,
  createCookie,
  createCookieSessionStorage,
  createSession,
  type FourFunctions,
  type SessionData,
} from "@satchel/session";
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** How the old library writes a value into its cookie. */
export interface OldFormat {
  /** Whether a visitor cannot forge it. */
  readonly isSigned: boolean;
  /** The value; `null`, or an error, if the text is not authentic. */
  read(text: string): Promise<string | null>;
  /** The text for a value. */
  write(value: string): Promise<string>;
}

/** The cookie of the old library, with the attributes that the old application gives it. */
export function oldCookie(
  name: string,
  attributes: CookieAttributes,
  { isSigned, read, write }: OldFormat,
): Cookie {
  const own = createCookie(name, { httpOnly: true, ...attributes });
  const cookie: Cookie = {
    name,
    isSigned,
    async parse(cookieHeader) {
      const texts = cookieHeader?.split(/; */)
        .filter((pair) => pair.startsWith(`${name}=`))
        .map((pair) => pair.slice(name.length + 1)) ?? [];
      // A visitor can send any number of them, and each costs a decryption.
      for (const text of texts.slice(0, 3)) {
        const value = await read(text).catch(() => null);
        if (value !== null) return value;
      }
      return null;
    },
    async serialize(value, options) {
      const text = value === "" ? "" : await write(String(value));
      if (name.length + text.length > 4096) {
        throw new RangeError(`Cannot write cookie "${name}": it is too large`);
      }
      const cleared = await own.serialize("", options);
      return cleared.replace("=", () => `=${text}`);
    },
  };
  // The lifetime of the sessions, if the cookie has one.
  if (own.expires) {
    Object.defineProperty(cookie, "expires", { get: () => own.expires });
  }
  return cookie;
}

/** An id with its HMAC-SHA-256, as express-session and svelte-kit-sessions write it. The first secret writes. */
export function signedId(
  secrets: readonly (string | Uint8Array)[],
  prefix = "",
): OldFormat {
  const sign = (id: string, secret: string | Uint8Array): string => {
    const mac = createHmac("sha256", secret).update(id).digest("base64");
    return encodeURIComponent(`${prefix}${id}.${mac.replace(/=+$/, "")}`);
  };
  const isSame = (one: Buffer, two: Buffer) =>
    one.length === two.length && timingSafeEqual(one, two);
  return {
    isSigned: true,
    async read(text) {
      const [head = ""] = decodeURIComponent(text).split(".");
      const id = head.slice(prefix.length);
      if (!/^[\w-]{1,128}$/.test(id)) return null;
      const isAuthentic = secrets.some((secret) =>
        isSame(Buffer.from(sign(id, secret)), Buffer.from(text))
      );
      return isAuthentic ? id : null;
    },
    async write(id) {
      const [secret] = secrets;
      if (secret === undefined) {
        throw new TypeError("Cannot write cookie: it has no secret");
      }
      return sign(id, secret);
    },
  };
}

/** How the old library keeps a whole session in its cookie. */
export interface OldSeal {
  /** The values and, if the library has one, the id. `null`, or an error, if the text is not authentic. */
  open(text: string): Promise<{ data: SessionData; id?: string } | null>;
  /** The text for the values. */
  seal(data: SessionData, id: string): Promise<string>;
}

/** Sessions in the old library's cookie, for the cookie of a `createCookieSessionStorage`. */
export function sealed({ open, seal }: OldSeal): OldFormat {
  const sessions = createCookieSessionStorage();
  return {
    isSigned: true,
    async read(text) {
      const opened = await open(text);
      if (!opened || Object.keys(opened.data).length === 0) return null;
      const { data, id = text } = opened;
      const session = createSession({}, await idOf(id));
      for (const [key, value] of Object.entries(data)) {
        const flash = /^__flash_(.*)__$/s.exec(key)?.[1];
        if (flash !== undefined) session.flash(flash, value);
        else session.set(key, value);
      }
      return await sessions.save(session);
    },
    async write(value) {
      const { data, id } = await sessions.read(value);
      return await seal(data, id);
    },
  };
}

/** The id of a session that has another one, or none: a hash, so that every copy of a cookie has the same id. */
async function idOf(text: string): Promise<string> {
  if (/^[\w-]{22,64}$/.test(text)) return text;
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Buffer.from(hash).toString("hex");
}

/** The store of the old library. */
export interface OldStore {
  /** The values under an id; `null` if it is unknown or has expired. Flashes are `__flash_NAME__`. */
  read(id: string): Promise<SessionData | null>;
  /** Replaces the values under an id. */
  write(id: string, data: SessionData, expires: Date): Promise<void>;
  /** Ends a session. */
  remove(id: string): Promise<void>;
  /** Stores the values under a new id, if it is not the same as `write`. */
  create?(id: string, data: SessionData, expires: Date): Promise<void>;
}

/** The sessions in the store of the old library. */
export function oldSessions(
  { read, write, remove, create = write }: OldStore,
): FourFunctions {
  return {
    readData: read,
    updateData: write,
    deleteData: remove,
    async createData(data, expires) {
      const bytes = crypto.getRandomValues(new Uint8Array(24));
      const id = Buffer.from(bytes).toString("hex");
      await create(id, data, expires);
      return id;
    },
  };
}
