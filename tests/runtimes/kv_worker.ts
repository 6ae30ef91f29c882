/** A Worker as an application would write it; the test bundles it, and workerd runs it. */
import {
  createCookie,
  createWorkersKVSessionStorage,
  type KVNamespaceLike,
  withSession,
} from "../../mod.ts";

// In global scope, as applications have it: Workers refuse randomness and timers there.
const sessionCookie = createCookie("__session", {
  secrets: ["basalt"],
  sameSite: true,
});

const worker: {
  fetch(
    request: Request,
    env: { SESSIONS: KVNamespaceLike },
  ): Promise<Response>;
} = {
  async fetch(request, env) {
    const storage = createWorkersKVSessionStorage({
      kv: env.SESSIONS,
      cookie: sessionCookie,
    });
    const handle = withSession(storage, ({ url }, session) => {
      const path = new URL(url).pathname;
      if (path === "/login") {
        session.regenerateId();
        session.set("userId", "u1");
        session.flash("notice", "Welcome");
      }
      if (path === "/logout") session.destroy();
      const { destroyed } = session;
      const userId = destroyed ? null : session.get("userId") ?? null;
      const notice = destroyed || path === "/login"
        ? null
        : session.get("notice") ?? null;
      return Response.json({ userId, notice });
    });
    return await handle(request);
  },
};

export default worker;
