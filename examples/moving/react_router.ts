/** Moves sessions from a session storage of React Router or Remix 1–2 that keeps them on the server. */
import type { Cookie, FourFunctions, SessionData } from "@satchel/session";

/** The methods used of a session of React Router or Remix 1–2. */
export interface ReactRouterSession {
  readonly data: SessionData;
  set(key: string, value: unknown): void;
  unset(key: string): void;
}

/** The methods used of their session storage. */
export interface ReactRouterStorage {
  getSession(id?: string | null): Promise<ReactRouterSession>;
  commitSession(session: never, end: { expires: Date }): Promise<string>;
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

  // Flashes come and go under their names in the old storage, `__flash_NAME__`.
  async function save(id: string | null, data: SessionData, expires: Date) {
    const session = await getSession(id);
    for (const key of Object.keys(session.data)) {
      if (!Object.hasOwn(data, key)) session.unset(key);
    }
    for (const [key, value] of Object.entries(data)) session.set(key, value);
    return await commitSession(session as never, { expires });
  }

  return {
    async readData(id) {
      const { data } = await getSession(id);
      // For an unknown id, the old storage returns an empty session with that id.
      return Object.keys(data).length > 0 ? data : null;
    },
    createData: (data, expires) => save(null, data, expires),
    async updateData(id, data, expires) {
      await save(id, data, expires);
    },
    async deleteData(id) {
      await destroySession(await getSession(id) as never);
    },
  };
}
