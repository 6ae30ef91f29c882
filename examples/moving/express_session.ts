/** Reads the sessions of express-session and of the first Remix, so that users stay signed in. */
import type { Cookie, FourFunctions, SessionData } from "@satchel/session";
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** The cookie of express-session, `s:ID.SIGNATURE`. It is read, and never written again. */
export function expressCookie(
  name: string,
  secrets: readonly string[],
): Cookie {
  return {
    name,
    isSigned: true,
    async parse(cookieHeader) {
      const pairs = cookieHeader?.split(/; */) ?? [];
      for (const pair of pairs) {
        if (!pair.startsWith(`${name}=`)) continue;
        const value = pair.slice(name.length + 1);
        const id = /^s%3A([\w-]{1,128})\./.exec(value)?.[1];
        if (!id) continue;
        const made = secrets.map((secret) => signed(id, secret));
        if (made.some((text) => isSame(text, value))) return id;
      }
      return null;
    },
    serialize() {
      throw new TypeError("Cannot write cookie: it is only read");
    },
  };
}

function signed(id: string, secret: string): string {
  const mac = createHmac("sha256", secret).update(id).digest("base64");
  return encodeURIComponent(`s:${id}.${mac.replace(/=+$/, "")}`);
}

function isSame(a: string, b: string): boolean {
  const [one, two] = [Buffer.from(a), Buffer.from(b)];
  return one.length === two.length && timingSafeEqual(one, two);
}

/** The methods used of an express-session `Store`: its `MemoryStore`, connect-redis or another. */
export interface ExpressStore {
  get(
    id: string,
    done: (error: unknown, session?: SessionData | null) => void,
  ): unknown;
  set(id: string, session: never, done: (error?: unknown) => void): unknown;
  destroy(id: string, done: (error?: unknown) => void): unknown;
}

/** The sessions in an express-session `Store`, without its own `cookie` field. */
export function expressSessions(store: ExpressStore): FourFunctions {
  const call = <T>(run: (done: (error: unknown, value?: T) => void) => void) =>
    new Promise<T | undefined>((resolve, reject) =>
      run((error, value) => error ? reject(error) : resolve(value))
    );
  return {
    async readData(id) {
      const session = await call<SessionData | null>((done) =>
        store.get(id, done)
      );
      if (!session) return null;
      const kept = Object.entries(session).filter(([key]) => key !== "cookie");
      // The first Remix keeps flashes under separate names.
      return Object.fromEntries(kept.map(([key, value]) => [
        key.replace(/^__flash__:(.*)$/s, "__flash_$1__"),
        value,
      ]));
    },
    async updateData(id, data, expires) {
      const cookie = { originalMaxAge: null, expires };
      await call((done) => store.set(id, { ...data, cookie } as never, done));
    },
    async deleteData(id) {
      await call((done) => store.destroy(id, done));
    },
    createData() {
      throw new TypeError(
        "Cannot create session: new sessions go to the new storage",
      );
    },
  };
}
