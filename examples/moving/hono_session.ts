/** Moves sessions from @hono/session: its encrypted token, and its storage. */
import type {
  Cookie,
  CookieAttributes,
  FourFunctions,
  SessionData,
} from "@satchel/session";
import {
  createEncryptionKey,
  jweEncrypt,
} from "npm:@hono/session@0.2.1/cookies";
import { jwtDecrypt } from "npm:jose@6.2.18";
import { oldCookie, oldSessions, sealed } from "./bridge.ts";

/** The options that the old application gave to `useSession`. */
export interface TokenOptions {
  /** Its `secret`, or `AUTH_SECRET`. */
  readonly secret: Parameters<typeof createEncryptionKey>[0];
  /** Its `duration`, in seconds. */
  readonly duration?: { absolute: number; inactivity?: number };
}

/** The cookie of @hono/session with a storage. */
export function tokenCookie(
  options: TokenOptions,
  attributes: CookieAttributes = {},
): Cookie {
  const { open, seal } = tokens(options);
  return oldCookie("sid", attributes, {
    isSigned: true,
    read: async (text) => (await open(text)).id,
    write: (id) => seal({}, id),
  });
}

/** The cookie of @hono/session without a storage, for a cookie storage. */
export function tokenSessionCookie(
  options: TokenOptions,
  attributes: CookieAttributes = {},
): Cookie {
  return oldCookie("sid", attributes, sealed(tokens(options)));
}

function tokens({ secret, duration }: TokenOptions) {
  const key = createEncryptionKey(secret);
  return {
    async open(text: string) {
      const { payload } = await jwtDecrypt(text, await key, {
        requiredClaims: ["sid"],
      });
      const { sid, iat: _iat, exp: _exp, ...data } = payload;
      return { data: data as SessionData, id: String(sid) };
    },
    async seal(data: SessionData, sid: string) {
      const { jwe } = await jweEncrypt({ ...data, sid }, await key, duration);
      return jwe;
    },
  };
}

/** The methods used of its storage. */
export interface TokenStorage {
  get(id: string): unknown;
  set(id: string, data: never): unknown;
  delete(id: string): unknown;
}

/** The sessions in its storage. The storage has no deadlines: the cookie had one. */
export function tokenSessions(storage: TokenStorage): FourFunctions {
  return oldSessions({
    async read(id) {
      return (await storage.get(id) ?? null) as SessionData | null;
    },
    async write(id, data) {
      await storage.set(id, data as never);
    },
    async remove(id) {
      await storage.delete(id);
    },
  });
}
