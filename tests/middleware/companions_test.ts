// Middlewares from npm that write into a session as into a plain object.
import { assertEquals, assertFalse } from "@std/assert";
import { session } from "../../middleware/express.ts";
import { withPackages } from "../engines/_packages.ts";
import { rowName } from "../_row.ts";
import { Fixture, servingApp } from "./_serve.ts";

// deno-lint-ignore no-explicit-any -- Express and its middlewares come without types
type Any = any;

const METHOD = "it is a method; call session.flash(…), or write";
const NOT_PLAIN = "a session is not a plain object; write";

/** Asserts that each path answers with its error, to a visitor with a session and to a stranger, and saves nothing. */
async function assertRefused(
  express: Any,
  routes: (app: Any) => void,
  refusals: Record<string, string>,
): Promise<void> {
  const { cookie, engine, storage } = await Fixture.create();
  await servingApp(express)((app) => {
    app.use(session(storage));
    routes(app);
    app.use((error: Any, _req: Any, res: Any, _next: Any) => {
      res.status(500).send(`${error.name}: ${error.message}`);
    });
  }, async (client) => {
    for (const [path, message] of Object.entries(refusals)) {
      for (const visitor of [cookie, ""]) {
        const answer = await client.request(path, visitor);
        assertEquals(
          [answer.status, answer.text, answer.setCookies],
          [500, `TypeError: Cannot set ${message}`, []],
          rowName(path),
        );
      }
    }
  });
  assertFalse(engine.calls.includes("write"));
}

await withPackages(
  "Express 5 and 4, connect-flash, csrf-sync",
  [
    "npm:express@5.3.0",
    "npm:express@4.22.3",
    "npm:connect-flash@0.1.1",
    "npm:csrf-sync@4.2.1",
  ],
  async () => ({
    versions: {
      "Express 5": (await import("npm:express@5.3.0")).default,
      "Express 4": (await import("npm:express@4.22.3")).default,
    },
    flash: (await import("npm:connect-flash@0.1.1")).default as Any,
    csrfSync: (await import("npm:csrf-sync@4.2.1")).csrfSync as Any,
  }),
  ({ versions, flash, csrfSync }) => {
    for (const [name, express] of Object.entries(versions)) {
      Deno.test(`session() lets connect-flash fail at its first call, so that no visitor reads another's message, in ${name}`, async () => {
        const message = `session.flash: ${METHOD} session.set("flash", …)`;
        await assertRefused(express, (app) => {
          app.use(flash());
          app.get("/write", (req: Any, res: Any) => {
            req.flash("info", "hush");
            res.send("written");
          });
          app.get("/read", (req: Any, res: Any) => res.send(req.flash("info")));
          app.get("/all", (req: Any, res: Any) => res.send(req.flash()));
        }, { "/write": message, "/read": message, "/all": message });
      });

      Deno.test(`session() lets csrf-sync fail at its first token, in ${name}`, async () => {
        await assertRefused(express, (app) => {
          app.use(csrfSync().csrfSynchronisedProtection);
          app.get("/form", (req: Any, res: Any) => res.send(req.csrfToken()));
        }, {
          "/form":
            `session.csrfToken: ${NOT_PLAIN} session.set("csrfToken", …)`,
        });
      });

      Deno.test(`session() lets the examples of express-session fail at their first write, in ${name}`, async () => {
        await assertRefused(express, (app) => {
          app.get("/views", (req: Any, res: Any) => {
            if (req.session.views) req.session.views++;
            else req.session.views = 1;
            res.send("welcome");
          });
          app.get("/login", (req: Any, res: Any) => {
            req.session.user = req.query.user;
            res.redirect("/");
          });
        }, {
          "/views": `session.views: ${NOT_PLAIN} session.set("views", …)`,
          "/login?user=ann":
            `session.user: ${NOT_PLAIN} session.set("user", …)`,
        });
      });
    }
  },
);
