/**
 * Reads the sessions that React Router or Remix 1–2 kept on the server: in files, in Workers KV or in Architect's
 * table.
 *
 * Pass it to `createReadThroughSessionStorage` as `from`. The old storage reads a session by its id; this library
 * checks the cookie that carries the id.
 *
 * @module
 */
import type { Cookie, FourFunctions, SessionData } from "@satchel/session";

/** The methods used of a session storage of React Router or Remix 1–2. */
export interface ReactRouterStorage {
  getSession(id: string): Promise<{ readonly data: SessionData }>;
  commitSession(session: never, end: { expires: Date }): Promise<unknown>;
  destroySession(session: never): Promise<unknown>;
}

/** Replaces the old storage's cookie: its value is the plain id. */
const bareId: Pick<Cookie, "name" | "isSigned" | "parse" | "serialize"> = {
  name: "id",
  isSigned: true,
  parse: async (id) => id,
  serialize: async (id) => String(id),
};

/** The sessions of an old storage. `open` creates that storage with the cookie it receives. */
export function reactRouterSessions(
  open: (cookie: typeof bareId) => ReactRouterStorage,
): FourFunctions {
  const { getSession, commitSession, destroySession } = open(bareId);
  return {
    async readData(id) {
      const { data } = await getSession(id);
      // For an unknown id, the old storage returns an empty session with that id.
      return Object.keys(data).length > 0 ? data : null;
    },
    async updateData(id, _data, expires) {
      // The data has not changed, so only the expiry has to be written.
      await commitSession(await getSession(id) as never, { expires });
    },
    async deleteData(id) {
      await destroySession(await getSession(id) as never);
    },
    createData() {
      throw new TypeError(
        "Cannot create session: new sessions go to the new storage",
      );
    },
  };
}
