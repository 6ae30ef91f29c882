/** A Worker with sessions in D1: one storage for each request, and one for all of them. */
import {
  createSqlSessionStorage,
  type D1Like,
  type SessionStorage,
  withSession,
} from "../../mod.ts";

interface Env {
  DB: D1Like;
}

const cookie = { name: "session", secrets: ["s3cr3t"] };
let db: D1Like | undefined;
const shared = createSqlSessionStorage({
  ...{ cookie, createTable: true, dialect: "sqlite" },
  db: async () => db as D1Like,
});

function handle(storage: SessionStorage, request: Request): Promise<Response> {
  return withSession(storage, (request, session) => {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/logout")) session.destroy();
    else session.set(pathname, (session.get(pathname) ?? 0) + 1);
    return new Response(session.destroyed ? "" : JSON.stringify(session.data));
  })(request);
}

const worker = {
  async fetch(request: Request, env: Env): Promise<Response> {
    db = env.DB;
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/shared")) return await handle(shared, request);
    const own = createSqlSessionStorage({
      ...{ cookie, db: env.DB, createTable: true },
    });
    return await handle(own, request);
  },
};
export default worker;
