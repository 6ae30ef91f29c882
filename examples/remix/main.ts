/**
 * Counts visits with Remix 3's router, with sessions in an encrypted cookie. `deno task start` runs it.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command
import {
  createCookie,
  createCookieSessionStorage,
  type Session,
} from "@satchel/session";
import {
  session,
  type SessionContextEntry,
} from "@satchel/session/middleware/remix";
import {
  createRouter,
  type Middleware,
} from "npm:@remix-run/fetch-router@0.20.1";
import { randomBytes } from "node:crypto";

interface Data {
  name: string;
  visits: number;
}

interface Flash {
  notice: string;
}

const secret = Deno.env.get("SESSION_SECRET");

const sessionCookie = createCookie("__session", {
  secrets: [secret || randomBytes(32).toString("hex")],
  httpOnly: true,
  sameSite: "lax",
  secure: Deno.env.get("PLAIN_HTTP") !== "true",
  maxAge: 7 * 24 * 60 * 60,
});
const sessionStorage = createCookieSessionStorage<Data, Flash>();
const sessions: Middleware<SessionContextEntry<typeof sessionStorage>> =
  session(sessionCookie, sessionStorage);

const router = createRouter({ middleware: [sessions] });

router.get("/", ({ session }) => {
  session.set("visits", (session.get("visits") ?? 0) + 1);
  return page(session);
});

router.post("/name", async ({ request, session }) => {
  // Anyone can post anything: JSON instead of a form, or a file as the name.
  const form = await request.formData().catch(() => undefined);
  const name = form?.get("name");
  if (typeof name !== "string" || !name) return badRequest();
  session.restart({ keep: ["visits"] });
  session.set("name", name.slice(0, 40));
  session.flash("notice", "Your name is kept.");
  return seeOther("/");
});

router.post("/leave", ({ session }) => {
  session.destroy();
  return seeOther("/");
});

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
}, (request) => router.fetch(request));

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
