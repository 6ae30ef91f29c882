/** Counts visits in a Worker, with sessions in Durable Objects: a logout holds at once, everywhere. */
import {
  createDurableObjectSessionStorage,
  type DurableObjectNamespaceLike,
  type Session,
  withSession,
} from "@satchel/session";

export { SessionObject } from "@satchel/session";

interface Env {
  SESSIONS: DurableObjectNamespaceLike;
  SESSION_SECRET?: string;
  PLAIN_HTTP?: string;
}

interface Data {
  name: string;
  visits: number;
}

interface Flash {
  notice: string;
}

let handler: ((request: Request) => Promise<Response>) | undefined;

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    handler ??= createHandler(env);
    return handler(request);
  },
};

function createHandler({ SESSIONS, SESSION_SECRET, PLAIN_HTTP }: Env) {
  const local = PLAIN_HTTP === "true";
  if (!SESSION_SECRET && !local) {
    throw new Error("Set SESSION_SECRET to 32 random bytes or more");
  }
  if (!SESSION_SECRET) {
    console.log(
      "Sessions end when the server stops; SESSION_SECRET in .dev.vars keeps them.",
    );
  }
  const storage = createDurableObjectSessionStorage<Data, Flash>({
    namespace: SESSIONS,
    cookie: {
      name: "__session",
      secrets: [SESSION_SECRET || crypto.randomUUID() + crypto.randomUUID()],
      maxAge: 7 * 24 * 60 * 60,
      secure: !local,
    },
  });
  return withSession(storage, async (request, session) => {
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && pathname === "/name") {
      // Anyone can post anything: JSON instead of a form, or a file as the name.
      const form = await request.formData().catch(() => undefined);
      const name = form?.get("name");
      if (typeof name !== "string" || !name) return badRequest();
      session.restart({ keep: ["visits"] });
      session.set("name", name.slice(0, 40));
      session.flash("notice", "Your name is kept.");
      return seeOther("/");
    }
    if (request.method === "POST" && pathname === "/leave") {
      session.destroy();
      return seeOther("/");
    }
    if (pathname !== "/") return new Response("Not found", { status: 404 });
    session.set("visits", (session.get("visits") ?? 0) + 1);
    return page(session);
  });
}

function page(session: Session<Data, Flash>): Response {
  const notice = session.get("notice");
  const html = `<!doctype html>
<html lang="en">
  <title>Visits</title>
  ${notice ? `<p role="status">${notice}</p>` : ""}
  <p>Hello ${escape(session.get("name") ?? "stranger")}, this is visit ${
    session.get("visits")
  }.</p>
  <form method="post" action="/name">
    <label>Your name <input name="name" required></label> <button>Keep it</button>
  </form>
  <form method="post" action="/leave"><button>Forget me</button></form>
</html>`;
  return new Response(html, {
    headers: { "Content-Type": "text/html; charset=utf-8" },
  });
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function badRequest(): Response {
  return new Response("Bad request", { status: 400 });
}

function seeOther(path: string): Response {
  return new Response(null, { status: 303, headers: { Location: path } });
}
