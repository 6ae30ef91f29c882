/** Counts visits with Express on Node, with sessions in files. */
import { createFileSessionStorage } from "@satchel/session";
import { session } from "@satchel/session/middleware/express";
import express from "express";
import { randomBytes } from "node:crypto";

const secret = process.env.SESSION_SECRET;

const storage = createFileSessionStorage({
  dir: process.env.SESSION_DIR ?? ".sessions",
  cookie: {
    name: "__session",
    secrets: [secret || randomBytes(32).toString("hex")],
    secure: process.env.NODE_ENV === "production",
  },
  idleTimeout: 7 * 24 * 60 * 60,
});

const app = express();
app.use(session(storage));
app.use(express.urlencoded({ extended: false }));

app.get("/", (req, res) => {
  req.session.set("visits", (req.session.get("visits") ?? 0) + 1);
  const notice = req.session.get("notice");
  res.send(`<!doctype html>
<html lang="en">
  <title>Visits</title>
  ${notice ? `<p role="status">${notice}</p>` : ""}
  <p>Hello ${escape(req.session.get("name") ?? "stranger")}, this is visit ${
    req.session.get("visits")
  }.</p>
  <form method="post" action="/name">
    <label>Your name <input name="name" required></label> <button>Keep it</button>
  </form>
  <form method="post" action="/leave"><button>Forget me</button></form>
</html>`);
});

app.post("/name", (req, res) => {
  // Anyone can post anything: JSON instead of a form, or a list as the name.
  const name = req.body?.name;
  if (typeof name !== "string" || !name) {
    return res.status(400).send("Bad request");
  }
  req.session.restart({ keep: ["visits"] });
  req.session.set("name", name.slice(0, 40));
  req.session.flash("notice", "Your name is kept.");
  res.redirect(303, "/");
});

app.post("/leave", (req, res) => {
  req.session.destroy();
  res.redirect(303, "/");
});

const server = app.listen(process.env.PORT ?? 8000, "127.0.0.1", () => {
  const address = `http://127.0.0.1:${server.address().port}/`;
  console.log(`Open ${address} and reload it: your visits are counted.`);
  if (!secret) {
    console.log(
      "Sessions end when the server stops. Set SESSION_SECRET to keep them.",
    );
  }
});

function escape(text) {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
