/**
 * Takes over the sessions that React Router or Remix 1–2 kept on the server: in files, in Workers KV, in Architect's
 * table.
 *
 * Give it to `createReadThroughSessionStorage` as `from`. The old storage itself reads its sessions, by the id alone:
 * the cookie that carries the id is this library's to check.
 *
 * @module
 */
import type { Cookie, FourFunctions, SessionData } from "@satchel/session";

/** What is used of a session storage of React Router or Remix 1–2. */
export interface ReactRouterStorage {
  getSession(id: string): Promise<{ readonly data: SessionData }>;
  commitSession(session: never, end: { expires: Date }): Promise<unknown>;
  destroySession(session: never): Promise<unknown>;
}

/** In place of the old storage's cookie: an id as it is. */
const bareId: Pick<Cookie, "name" | "isSigned" | "parse" | "serialize"> = {
  name: "id",
  isSigned: true,
  parse: async (id) => id,
  serialize: async (id) => String(id),
};

/** The sessions of an old storage, which `open` creates with the cookie that it is handed. */
export function reactRouterSessions(
  open: (cookie: typeof bareId) => ReactRouterStorage,
): FourFunctions {
  const { getSession, commitSession, destroySession } = open(bareId);
  return {
    async readData(id) {
      const { data } = await getSession(id);
      // It takes an unknown id over, with nothing in it.
      return Object.keys(data).length > 0 ? data : null;
    },
    async updateData(id, _data, expires) {
      // What is only read here has the same data still, and another end.
      await commitSession(await getSession(id) as never, { expires });
    },
    async deleteData(id) {
      await destroySession(await getSession(id) as never);
    },
    createData() {
      throw new TypeError("Cannot create session: the storage is only emptied");
    },
  };
}
