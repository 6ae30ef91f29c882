/** Counts visits with Hono on Bun, with sessions in files. */
import { createFileSessionStorage } from "@satchel/session";
import {
  session,
  type SessionVariables,
} from "@satchel/session/middleware/hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { randomBytes } from "node:crypto";

interface Data {
  name: string;
  visits: number;
}

interface Flash {
  notice: string;
}

const secret = process.env.SESSION_SECRET;

const storage = createFileSessionStorage<Data, Flash>({
  dir: process.env.SESSION_DIR ?? ".sessions",
  cookie: {
    name: "__session",
    secrets: [secret || randomBytes(32).toString("hex")],
    secure: process.env.NODE_ENV === "production",
  },
  idleTimeout: 7 * 24 * 60 * 60,
});

const app = new Hono<{ Variables: SessionVariables<typeof storage> }>();
app.use(session(storage));

app.get("/", (c) => {
  const session = c.var.session;
  session.set("visits", (session.get("visits") ?? 0) + 1);
  const notice = session.get("notice");
  return c.html(html`<!doctype html>
<html lang="en">
  <title>Visits</title>
  ${notice ? html`<p role="status">${notice}</p>` : ""}
  <p>Hello ${session.get("name") ?? "stranger"}, this is visit ${
    session.get("visits")
  }.</p>
  <form method="post" action="/name">
    <label>Your name <input name="name" required></label> <button>Keep it</button>
  </form>
  <form method="post" action="/leave"><button>Forget me</button></form>
</html>`);
});

app.post("/name", async (c) => {
  // Anyone can post anything: JSON instead of a form, or a file as the name.
  const form = await c.req.parseBody().catch(() => undefined);
  const name = form?.name;
  if (typeof name !== "string" || !name) return c.text("Bad request", 400);
  c.var.session.restart({ keep: ["visits"] });
  c.var.session.set("name", name.slice(0, 40));
  c.var.session.flash("notice", "Your name is kept.");
  return c.redirect("/", 303);
});

app.post("/leave", (c) => {
  c.var.session.destroy();
  return c.redirect("/", 303);
});

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  fetch: app.fetch,
});
console.log(`Open ${server.url} and reload it: your visits are counted.`);
if (!secret) {
  console.log(
    "Sessions end when the server stops. Set SESSION_SECRET to keep them.",
  );
}
