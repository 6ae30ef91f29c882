/**
 * Counts visits on Deno Deploy, with sessions in Deno KV. `deno task start` runs it on your machine.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command
import {
  createDenoKvSessionStorage,
  type Session,
  withSession,
} from "@satchel/session";
import { randomBytes } from "node:crypto";

interface Data {
  name: string;
  visits: number;
}

interface Flash {
  notice: string;
}

const deployed = Deno.env.has("DENO_DEPLOYMENT_ID");
const secret = Deno.env.get("SESSION_SECRET");
if (deployed && !secret) {
  throw new Error("Set SESSION_SECRET to 32 random bytes or more");
}

const storage = createDenoKvSessionStorage<Data, Flash>({
  kv: Deno.openKv(deployed ? undefined : Deno.env.get("KV_PATH")),
  cookie: {
    name: "__session",
    secrets: [secret || randomBytes(32).toString("hex")],
    secure: deployed,
  },
  idleTimeout: 7 * 24 * 60 * 60,
});

const handler = withSession(storage, async (request, session) => {
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

if (deployed) Deno.serve(handler);
else {
  Deno.serve({
    hostname: "127.0.0.1",
    port: Number(Deno.env.get("PORT") ?? 8000),
    onListen({ port }) {
      const address = `http://127.0.0.1:${port}/`;
      console.log(`Open ${address} and reload it: your visits are counted.`);
      if (!secret) {
        console.log(
          "Sessions end when the server stops. Set SESSION_SECRET to keep them.",
        );
      }
    },
  }, handler);
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
