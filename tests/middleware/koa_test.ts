// Special to Koa: raw responses, its error handling, null, koa-passport.
import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { session } from "../../middleware/koa.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { withPackages } from "../engines/_packages.ts";
import { Fixture, serving } from "./_serve.ts";
import { Visitor } from "./_visitor.ts";

// deno-lint-ignore no-explicit-any -- Koa comes without types
type Any = any;

/** The versions of Koa that are supported. */
const KOA: [name: string, specifier: string][] = [
  ["Koa 3", "npm:koa@3.3.0"],
  ["Koa 2", "npm:koa@2.16.4"],
];

for (const [name, specifier] of KOA) {
  await withPackages(
    name,
    [specifier],
    async () => (await import(specifier)).default,
    (Koa: Any) => {
      const serve = async (
        build: (app: Any) => void,
        use: Parameters<typeof serving>[1],
      ) => {
        const app = new Koa();
        app.silent = true;
        build(app);
        await serving(app.callback(), use);
      };

      Deno.test(`${name}: session() commits before a handler's own headers, with ctx.respond = false`, async () => {
        const { storage, cookie, engine } = await Fixture.create();
        await serve((app) => {
          app.use(session(storage));
          app.use(async (ctx: Any) => {
            ctx.respond = false;
            await Promise.resolve();
            ctx.session.regenerateId();
            ctx.res.writeHead(201, { "X-Own": "1" });
            ctx.res.write("ra");
            ctx.res.end("w");
          });
        }, async (client) => {
          const answer = await client.request("/", cookie);
          assertEquals([answer.status, answer.text], [201, "raw"]);
          assertEquals(answer.headers.get("x-own"), "1");
          assertEquals(answer.setCookies.length, 1);
          engine.play("write", "fail");
          const failed = await client.request("/", answer.cookie);
          assertEquals([failed.status, failed.setCookies], [503, []]);
        });
      });

      Deno.test(`${name}: session() ends the session, when ctx.session is set to null`, async () => {
        const { storage, cookie } = await Fixture.create();
        await serve((app) => {
          app.use(session(storage));
          app.use((ctx: Any) => {
            ctx.session = ctx.path === "/replace" ? { userId: 8 } : null;
            ctx.body = String(ctx.session);
          });
        }, async (client) => {
          assertEquals((await client.request("/replace", cookie)).status, 500);
          assertEquals((await storage.getSession(cookie)).get("userId"), 7);
          const answer = await client.request("/", cookie);
          assertEquals([answer.text, answer.cookie], ["null", "__session="]);
        });
        assertEquals((await storage.getSession(cookie)).data, {});
      });

      Deno.test(`${name}: session() commits nothing but a logout, when a middleware answers the error that a handler threw`, async () => {
        const { storage, cookie } = await Fixture.create();
        await serve((app) => {
          app.use(async (ctx: Any, next: () => Promise<void>) => {
            try {
              await next();
            } catch (error) {
              ctx.status = 200;
              ctx.body = (error as Error).message;
            }
          });
          app.use(session(storage));
          app.use((ctx: Any) => {
            if (ctx.path === "/logout") ctx.session.destroy();
            else ctx.session.set("userId", 8);
            if (ctx.path === "/refused") ctx.throw(401, "refused");
            throw new Error("the handler failed");
          });
        }, async (client) => {
          const page = await client.request("/", cookie);
          assertEquals([page.status, page.text], [200, "the handler failed"]);
          assertEquals((await storage.getSession(cookie)).get("userId"), 7);
          await client.request("/refused", cookie);
          assertEquals((await storage.getSession(cookie)).get("userId"), 8);
          const out = await client.request("/logout", cookie);
          assertEquals([out.status, out.cookie], [200, "__session="]);
        });
        assertEquals((await storage.getSession(cookie)).data, {});
      });

      Deno.test(`${name}: session() sends the answer of onUnavailable`, async () => {
        const { storage, cookie, engine } = await Fixture.create();
        await serve((app) => {
          app.use(session(storage, {
            onUnavailable({ code }, { res }) {
              res.statusCode = 500;
              // It is sent after this function has returned.
              Readable.from(["failed: ", code]).pipe(res as ServerResponse);
            },
          }));
          app.use((ctx: Any) => {
            ctx.session.set("userId", 8);
            ctx.body = "fine";
          });
        }, async (client) => {
          for (const verb of ["read", "write"] as const) {
            engine.play(verb, "fail");
            const { status, text } = await client.request("/", cookie);
            assertEquals([status, text], [500, "failed: store-failed"], verb);
          }
        });
      });

      Deno.test(`${name}: session() with properties is written as koa-session's, and its callbacks' errors go to Koa`, async () => {
        const storage = createMemorySessionStorage();
        const errors: string[] = [];
        await serve((app) => {
          app.on("error", ({ message }: Error) => errors.push(message));
          app.use(session(storage, { properties: true }));
          app.use(async (ctx: Any) => {
            switch (ctx.path) {
              case "/count": {
                const { isNew } = ctx.session;
                ctx.session.views = (ctx.session.views || 0) + 1;
                ctx.body = `${ctx.session.views} ${isNew}`;
                return;
              }
              case "/remember":
                ctx.session.maxAge = 60_000;
                ctx.body = String(ctx.session.maxAge > 59_000);
                return;
              case "/out":
                ctx.session = null;
                ctx.body = "out";
                return;
              default:
                await new Promise(() => {
                  ctx.session.save(async () => {
                    throw new Error("in a callback");
                  });
                });
            }
          });
        }, async (client) => {
          const ann = new Visitor(client);
          assertEquals((await ann.get("/count")).text, "1 true");
          assertEquals((await ann.get("/count")).text, "2 false");
          const { text, setCookies } = await ann.get("/remember");
          assertEquals(text, "true");
          assertMatch(setCookies[0] ?? "", /Max-Age=60/);
          assertEquals((await ann.get("/throw")).status, 500);
          await ann.get("/out");
          assertEquals((await ann.get("/count")).text, "1 true");
        });
        assertEquals(errors, ["in a callback"]);
      });

      Deno.test(`${name}: session() throws, when it is mounted twice under one key`, async () => {
        const storage = createMemorySessionStorage();
        const errors: string[] = [];
        await serve((app) => {
          app.on("error", ({ message }: Error) => errors.push(message));
          app.use(session(storage)).use(session(storage));
        }, async (client) => {
          assertEquals((await client.request("/")).status, 500);
        });
        assertEquals(errors, [
          "Cannot mount session: ctx.session already holds a session; mount the middleware once, or pass another { key }",
        ]);
      });
    },
  );
}

await withPackages(
  "Koa 3, koa-passport",
  [
    "npm:koa@3.3.0",
    "npm:koa-passport@6.0.0",
    "npm:passport-local@1.0.0",
  ],
  async () => ({
    Koa: (await import("npm:koa@3.3.0")).default as Any,
    passport: (await import("npm:koa-passport@6.0.0")).default as Any,
    Strategy: (await import("npm:passport-local@1.0.0")).Strategy as Any,
  }),
  ({ Koa, passport, Strategy }) => {
    Deno.test("koa-passport signs in and out with { properties: true }, and renews the id", async () => {
      const auth = new passport.KoaPassport();
      auth.use(
        new Strategy((name: string, password: string, done: Any) =>
          done(null, password === "right" && { name })
        ),
      );
      auth.serializeUser((user: Any, done: Any) => done(null, user.name));
      auth.deserializeUser((name: string, done: Any) => done(null, { name }));
      const storage = createMemorySessionStorage();
      const app = new Koa();
      app.use(session(storage, { properties: true }));
      app.use((ctx: Any, next: () => Promise<void>) => {
        ctx.request.body = Object.fromEntries(ctx.URL.searchParams);
        return next();
      });
      app.use(auth.initialize()).use(auth.session());
      app.use(async (ctx: Any, next: () => Promise<void>) => {
        switch (ctx.path) {
          case "/login":
            return await auth.authenticate("local", { successRedirect: "/" })(
              ctx,
              next,
            );
          case "/logout":
            await ctx.logout();
            return ctx.redirect("/");
          case "/cart":
            ctx.session.cart = ["tea"];
        }
        ctx.body = ctx.state.user?.name ?? "stranger";
      });
      await serving(app.callback(), async (client) => {
        const ann = new Visitor(client);
        await ann.get("/cart");
        const before = ann.cookie;
        const wrong = await ann.get("/login?username=ann&password=wrong");
        assertEquals(wrong.status, 401);
        const right = await ann.get("/login?username=ann&password=right");
        assertEquals(right.status, 302);
        assertNotEquals(ann.cookie, before);
        assertEquals((await storage.getSession(before)).data, {});
        assertEquals((await ann.get("/")).text, "ann");
        await ann.get("/logout");
        assertEquals((await ann.get("/")).text, "stranger");
      });
    });
  },
);

Deno.test("session() of Koa throws and says what to import, when another framework calls it", async () => {
  await assertRejects(
    () =>
      session(createMemorySessionStorage())(
        { headers: {} } as Any,
        async () => {},
      ),
    TypeError,
    "Cannot read session: this middleware is for Koa 2 and 3; for Express, import session from @satchel/session/middleware/express",
  );
});
