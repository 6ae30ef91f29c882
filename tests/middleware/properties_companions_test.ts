// What was written for express-session runs with { properties: true }: Passport, connect-flash, csrf-sync, and
// express-session's documented examples.
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { session } from "../../middleware/express.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { withPackages } from "../engines/_packages.ts";
import { servingApp, withExpress } from "./_serve.ts";
import { Visitor } from "./_visitor.ts";

// deno-lint-ignore no-explicit-any -- Express and its middlewares come without types
type Any = any;

const STORAGES: Record<string, () => SessionStorage> = {
  "memory": () => createMemorySessionStorage(),
  "the cookie": () =>
    createCookieSessionStorage({ cookie: { secrets: ["s3cr3t"] } }),
};

/** An application whose visitors sign in by Passport, with what Passport's documentation says. */
function passportRoutes(
  { app, express, passport, Strategy, flash, options = {} }: Any,
): void {
  const auth = new passport.Passport();
  auth.use(
    new Strategy((name: string, password: string, done: Any) =>
      password === "right"
        ? done(null, { name })
        : done(null, false, { message: "Wrong password" })
    ),
  );
  auth.serializeUser((user: Any, done: Any) => done(null, user.name));
  auth.deserializeUser((name: string, done: Any) => done(null, { name }));
  app.use(flash());
  app.use(express.urlencoded({ extended: false }));
  app.use(auth.initialize());
  app.use(auth.session());
  app.get("/", (req: Any, res: Any) => {
    const { user, session, sessionID } = req;
    res.json({
      user: user?.name ?? null,
      cart: session.cart ?? null,
      isOne: session.id === sessionID,
    });
  });
  app.get("/cart", (req: Any, res: Any) => {
    req.session.cart = ["tea"];
    res.end();
  });
  app.get("/login", (req: Any, res: Any) => res.json(req.flash("error")));
  app.post(
    "/login",
    auth.authenticate("local", {
      successRedirect: "/",
      failureRedirect: "/login",
      failureFlash: true,
      ...options,
    }),
  );
  app.post("/logout", (req: Any, res: Any, next: Any) => {
    req.logout(
      options,
      (error: unknown) => error ? next(error) : res.redirect("/"),
    );
  });
}

const ANN = { username: "ann", password: "right" };

await withPackages(
  "Passport, connect-flash, csrf-sync",
  [
    "npm:passport@0.7.0",
    "npm:passport-local@1.0.0",
    "npm:connect-flash@0.1.1",
    "npm:csrf-sync@4.2.1",
    "npm:parseurl@1.3.3",
  ],
  async () => ({
    passport: (await import("npm:passport@0.7.0")).default as Any,
    Strategy: (await import("npm:passport-local@1.0.0")).Strategy as Any,
    flash: (await import("npm:connect-flash@0.1.1")).default as Any,
    csrfSync: (await import("npm:csrf-sync@4.2.1")).csrfSync as Any,
    parseurl: (await import("npm:parseurl@1.3.3")).default as Any,
  }),
  ({ passport, Strategy, flash, csrfSync, parseurl }) =>
    withExpress((express, name) => {
      const serve = servingApp(express);

      for (const [kind, create] of Object.entries(STORAGES)) {
        Deno.test(`Passport signs in and out with { properties: true }, and renews the id, in ${name} with ${kind}`, async () => {
          const storage = create();
          await serve((app) => {
            app.use(session(storage, { properties: true }));
            passportRoutes({ app, express, passport, Strategy, flash });
          }, async (client) => {
            const ann = new Visitor(client);
            await ann.get("/cart");
            const before = ann.cookie;
            const wrong = await ann.post("/login", { ...ANN, password: "x" });
            assertEquals(wrong.headers.get("location"), "/login");
            assertEquals((await ann.get("/login")).text, '["Wrong password"]');
            assertEquals((await ann.get("/login")).text, "[]", "shown once");

            const right = await ann.post("/login", ANN);
            assertEquals([right.status, right.headers.get("location")], [
              302,
              "/",
            ]);
            assertNotEquals(ann.cookie, before);
            assertEquals(JSON.parse((await ann.get("/")).text), {
              user: "ann",
              cart: null,
              isOne: true,
            });
            if (kind === "memory") {
              const old = await storage.getSession(before);
              assertEquals(old.data, {}, "the old id is revoked");
            }

            const signedIn = ann.cookie;
            await ann.post("/logout");
            assertEquals(JSON.parse((await ann.get("/")).text).user, null);
            if (kind === "memory") {
              assertEquals((await storage.getSession(signedIn)).data, {});
            }
          });
        });
      }

      Deno.test(`Passport keeps the values that keepSessionInfo asks for, in ${name}`, async () => {
        await serve((app) => {
          app.use(session(createMemorySessionStorage(), { properties: true }));
          const options = { keepSessionInfo: true };
          passportRoutes({ app, express, passport, Strategy, flash, options });
        }, async (client) => {
          const ann = new Visitor(client);
          await ann.get("/cart");
          const before = ann.cookie;
          await ann.post("/login", ANN);
          assertNotEquals(ann.cookie, before);
          const page = JSON.parse((await ann.get("/")).text);
          assertEquals([page.user, page.cart], ["ann", ["tea"]]);
          await ann.post("/logout");
          const after = JSON.parse((await ann.get("/")).text);
          assertEquals([after.user, after.cart], [null, ["tea"]]);
        });
      });

      Deno.test(`Passport signs in a visitor whose browser has no cookie yet, in ${name}`, async () => {
        await serve((app) => {
          app.use(session(createMemorySessionStorage(), { properties: true }));
          passportRoutes({ app, express, passport, Strategy, flash });
        }, async (client) => {
          const ann = new Visitor(client);
          const { setCookies } = await ann.post("/login", ANN);
          assertEquals(setCookies.length, 1);
          assertEquals(JSON.parse((await ann.get("/")).text).user, "ann");
        });
      });

      Deno.test(`connect-flash shows each visitor their own message, once, in ${name}`, async () => {
        await serve((app) => {
          app.use(session(createMemorySessionStorage(), { properties: true }));
          app.use(flash());
          app.get("/write", (req: Any, res: Any) => {
            req.flash("info", "for %s", req.query.who);
            res.redirect("/read");
          });
          app.get("/read", (req: Any, res: Any) => res.json(req.flash("info")));
          app.get("/all", (req: Any, res: Any) => res.json(req.flash()));
        }, async (client) => {
          const [ann, bob] = [new Visitor(client), new Visitor(client)];
          await ann.get("/write?who=ann");
          await bob.get("/read");
          await bob.get("/write?who=bob");
          assertEquals((await bob.get("/read")).text, '["for bob"]');
          assertEquals((await ann.get("/all")).text, '{"info":["for ann"]}');
          assertEquals((await ann.get("/read")).text, "[]");
        });
      });

      Deno.test(`csrf-sync accepts its token and no other, also after a login, in ${name}`, async () => {
        await serve((app) => {
          const { csrfSynchronisedProtection } = csrfSync({
            getTokenFromRequest: (req: Any) => req.body.token,
          });
          app.use(session(createMemorySessionStorage(), { properties: true }));
          app.use(express.urlencoded({ extended: false }));
          app.use(csrfSynchronisedProtection);
          app.get("/form", (req: Any, res: Any) => res.send(req.csrfToken()));
          app.post("/pay", (_req: Any, res: Any) => res.send("paid"));
          app.post("/login", (req: Any, res: Any, next: Any) => {
            req.session.regenerate((error: unknown) => {
              if (error) return next(error);
              res.send(req.csrfToken(true));
            });
          });
        }, async (client) => {
          const ann = new Visitor(client);
          const { text: token } = await ann.get("/form");
          assertEquals((await ann.get("/form")).text, token);
          assertEquals((await ann.post("/pay", { token })).text, "paid");
          assertEquals((await ann.post("/pay", { token: "x" })).status, 403);
          const stranger = new Visitor(client);
          assertEquals((await stranger.post("/pay", { token })).status, 403);
          const { text: next } = await ann.post("/login", { token });
          assertNotEquals(next, token);
          assertEquals((await ann.post("/pay", { token })).status, 403);
          assertEquals((await ann.post("/pay", { token: next })).text, "paid");
        });
      });

      Deno.test(`the examples of express-session run with { properties: true }, in ${name}`, async () => {
        await serve((app) => {
          app.use(session(
            createMemorySessionStorage({ cookie: { maxAge: 60 } }),
            { properties: true },
          ));
          app.use((req: Any, _res: Any, next: Any) => {
            if (!req.session.views) {
              req.session.views = {};
            }
            const { pathname } = parseurl(req);
            req.session.views[pathname] = (req.session.views[pathname] || 0) +
              1;
            next();
          });
          app.get("/foo", (req: Any, res: Any) => {
            res.send(`you viewed this page ${req.session.views["/foo"]} times`);
          });
          app.get("/expires", (req: Any, res: Any) => {
            res.write(
              `<p>expires in: ${req.session.cookie.maxAge / 1000}s</p>`,
            );
            res.end();
          });
          app.get("/", (req: Any, res: Any) => {
            res.send(
              req.session.user ? `hello, ${req.session.user}!` : "login",
            );
          });
          app.post(
            "/login",
            express.urlencoded({ extended: false }),
            (req: Any, res: Any, next: Any) => {
              req.session.regenerate((err: unknown) => {
                if (err) next(err);
                req.session.user = req.body.user;
                req.session.save((err: unknown) => {
                  if (err) return next(err);
                  res.redirect("/");
                });
              });
            },
          );
          app.get("/logout", (req: Any, res: Any, next: Any) => {
            req.session.user = null;
            req.session.save((err: unknown) => {
              if (err) next(err);
              req.session.regenerate((err: unknown) => {
                if (err) next(err);
                res.redirect("/");
              });
            });
          });
        }, async (client) => {
          const ann = new Visitor(client);
          const first = await ann.get("/foo");
          assertEquals(first.text, "you viewed this page 1 times");
          assertMatch(first.setCookies[0] ?? "", /Max-Age=60/);
          assertEquals(
            (await ann.get("/foo")).text,
            "you viewed this page 2 times",
          );
          const [, seconds] = (await ann.get("/expires")).text
            .match(/^<p>expires in: ([\d.]+)s<\/p>$/) ?? [];
          assert(Number(seconds) > 0 && Number(seconds) <= 60, seconds);
          const before = ann.cookie;
          await ann.post("/login", { user: "ann" });
          assertNotEquals(ann.cookie, before);
          assertEquals((await ann.get("/")).text, "hello, ann!");
          await ann.get("/logout");
          assertEquals((await ann.get("/")).text, "login");
        });
      });
    }),
);
