/** Moves sessions from hono-sessions: its encrypted cookie, and its store or its `CookieStore`. */
import type {
  Cookie,
  CookieAttributes,
  FourFunctions,
  SessionData,
} from "@satchel/session";
import { decrypt, encrypt } from "npm:hono-sessions@0.8.1";
import { oldCookie, oldSessions, sealed } from "./bridge.ts";

/** A session as hono-sessions keeps it. */
export interface HonoRecord {
  _data: Record<string, { value: unknown; flash: boolean }>;
  _expire: string | null;
  _delete: boolean;
  _accessed: string | null;
}

/** The methods used of a store: the `MemoryStore`, the `BunSqliteStore` or another. */
export interface HonoStore {
  getSessionById(id: string): unknown;
  createSession(id: string, record: HonoRecord): unknown;
  persistSessionData(id: string, record: HonoRecord): unknown;
  deleteSession(id: string): unknown;
}

/** The cookie of hono-sessions with a store. @param key The `encryptionKey`, if there was one. */
export function honoCookie(
  name: string,
  key: string | undefined,
  attributes: CookieAttributes = {},
): Cookie {
  return oldCookie(name, attributes, {
    isSigned: key !== undefined,
    async read(text) {
      const id = key ? await decrypt(key, decodeURIComponent(text)) : text;
      return /^[\w-]{1,128}$/.test(String(id)) ? String(id) : null;
    },
    async write(id) {
      return encodeURIComponent(key ? await encrypt(key, id) : id);
    },
  });
}

/** The sessions in a store. */
export function honoSessions(store: HonoStore): FourFunctions {
  return oldSessions({
    async read(id) {
      return dataOf(await store.getSessionById(id) as HonoRecord | null);
    },
    async create(id, data, expires) {
      await store.createSession(id, recordOf(data, expires));
    },
    async write(id, data, expires) {
      await store.persistSessionData(id, recordOf(data, expires));
    },
    async remove(id) {
      await store.deleteSession(id);
    },
  });
}

/** The cookie of hono-sessions with its `CookieStore`, for a cookie storage. */
export function honoSealedCookie(
  name: string,
  { key, expireAfterSeconds = Infinity }: {
    key: string;
    expireAfterSeconds?: number;
  },
  attributes: CookieAttributes = {},
): Cookie {
  return oldCookie(
    name,
    attributes,
    sealed({
      async open(text) {
        const record = await decrypt(key, decodeURIComponent(text));
        const data = dataOf(JSON.parse(String(record)));
        return data && { data };
      },
      async seal(data) {
        const expires = new Date(Date.now() + expireAfterSeconds * 1000);
        const record = JSON.stringify(recordOf(data, expires));
        return encodeURIComponent(await encrypt(key, record));
      },
    }),
  );
}

function dataOf(record: HonoRecord | null | undefined): SessionData | null {
  if (!record || record._delete) return null;
  const { _data, _expire } = record;
  if (_expire !== null && new Date(_expire).getTime() <= Date.now()) {
    return null;
  }
  return Object.fromEntries(
    Object.entries(_data).map(([key, { value, flash }]) => [
      flash ? `__flash_${key}__` : key,
      value,
    ]),
  );
}

function recordOf(data: SessionData, expires: Date): HonoRecord {
  const entries = Object.entries(data).map(([name, value]) => {
    const flash = /^__flash_(.*)__$/s.exec(name)?.[1];
    return [flash ?? name, { value, flash: flash !== undefined }] as const;
  });
  return {
    _data: Object.fromEntries(entries),
    // An invalid date is none: the old application did not set a lifetime.
    _expire: Number.isNaN(expires.getTime()) ? null : expires.toISOString(),
    _delete: false,
    _accessed: new Date().toISOString(),
  };
}
