// Special to Express: Remix 0.x's loaders, and responses that are written in parts.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Readable } from "node:stream";
import { loader, session } from "../../middleware/express.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { rowName } from "../_row.ts";
import { servingApp, withExpress } from "./_serve.ts";

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

await withExpress(
  (express, name) => {
    const serve = servingApp(express);

    Deno.test(`${name}: session() and loader() run the loaders of Remix 0.x, with the options of express-session`, async () => {
      const message = loader(({ session }) => {
        const message = session.get("receipt") || null;
        return { message };
      });
      const store = loader(({ params, session }) => {
        session.flash(
          "receipt",
          `Parcel ${params["parcel"]} is in the cellar`,
        );
        return Response.redirect("http://localhost/dashboard", 302);
      });
      await serve((app) => {
        app.use(
          session({
            secret: "sealing wax",
            name: "parcels",
            resave: false,
            saveUninitialized: false,
          }),
        );
        app.get("/dashboard", message);
        app.post("/store/:parcel", store);
        app.post(
          "/name",
          loader(({ session }) => {
            session.set("name", "Odile");
            session.unset("other");
            return session.get("name");
          }),
        );
        app.post("/logout", loader(async ({ session }) => session.destroy()));
        app.get("/save", loader(({ session }) => session.get("save") ?? null));
      }, async (client) => {
        const post = { method: "POST" };
        const stored = await client.request("/store/p1", "", post);
        assertEquals(stored.status, 302);
        assertEquals(
          stored.headers.get("location"),
          "http://localhost/dashboard",
        );
        const shown = await client.request("/dashboard", stored.cookie);
        assertEquals(
          shown.text,
          '{"message":"Parcel p1 is in the cellar"}',
        );
        assertEquals(
          (await client.request("/dashboard", shown.cookie)).text,
          '{"message":null}',
        );
        const named = await client.request("/name", "", post);
        assertEquals(named.text, '"Odile"');
        assertEquals(
          (await client.request("/save", named.cookie)).text,
          "null",
        );
        const out = await client.request("/logout", named.cookie, post);
        assertEquals(out.cookie, "parcels=");
      });
    });

    Deno.test(`${name}: session() holds back a response that is written in parts, and sends all of it`, async () => {
      const engine = new FakeEngine();
      const storage = createSessionStorage({ engine, cookie: {} });
      const seen: unknown[] = [];
      await serve((app) => {
        app.use(session(storage));
        app.get("/parts", (req: Any, res: Any) => {
          req.session.set("a", 1);
          res.status(201).setHeader("X-Part", "1");
          seen.push(res.write("a", () => seen.push("written")));
          seen.push(res.headersSent, res.writableEnded);
          try {
            res.setHeader("X-Late", "1");
          } catch (error) {
            seen.push((error as { code: string }).code);
          }
          res.status(500);
          res.write("b");
          res.end("c", () => seen.push("ended"));
        });
        app.get("/pipe", (req: Any, res: Any) => {
          req.session.set("a", 2);
          Readable.from(Array(50).fill("x".repeat(10_000))).pipe(res);
        });
        app.get("/head", (_req: Any, res: Any) => {
          res.writeHead(200, [
            ["Set-Cookie", "one=1"],
            ["Set-Cookie", "two=2"],
            ["Vary", "Accept"],
          ]);
          res.end();
        });
        app.get("/invalid", (req: Any, res: Any) => {
          req.session.set("a", 3);
          res.write(7);
        });
      }, async (client) => {
        const parts = await client.request("/parts");
        assertEquals([parts.status, parts.text], [201, "abc"]);
        assertEquals(parts.headers.get("x-part"), "1");
        assertEquals(parts.headers.get("x-late"), null);
        assertMatch(parts.cookie, /^__session=/);
        assertEquals(
          [...seen].sort(),
          [
            ...["ERR_HTTP_HEADERS_SENT", "ended"],
            ...[false, true, true, "written"],
          ],
        );
        const piped = await client.request("/pipe", parts.cookie);
        assertEquals(piped.text.length, 500_000);
        const head = await client.request("/head", parts.cookie);
        assertEquals(head.setCookies, ["one=1", "two=2"]);
        engine.calls = [];
        assertEquals((await client.request("/invalid")).status, 500);
        assertEquals(
          engine.calls,
          [],
          "a body that Node rejects commits nothing",
        );
      });
    });

    Deno.test(`${name}: session() stops a stream, when the session cannot be saved`, async () => {
      const engine = new FakeEngine();
      const storage = createSessionStorage({ engine, cookie: {} });
      const errors: Any[] = [];
      await serve((app) => {
        app.use(session(storage));
        app.get("/pipe", (req: Any, res: Any) => {
          req.session.set("a", 1);
          res.setHeader("Content-Length", "20");
          Readable.from(["0123456789", "0123456789"]).pipe(res);
        });
        app.get("/write", (req: Any, res: Any) => {
          req.session.set("a", new Date());
          res.write("never", (error: unknown) => {
            errors.push(error);
            res.write("later");
            res.end("last");
          });
        });
        app.use((error: Any, _req: Any, res: Any, _next: Any) => {
          errors.push(error);
          res.status(500).send("failed");
        });
      }, async (client) => {
        engine.play("write", "fail");
        const piped = await client.request("/pipe");
        assertEquals([piped.status, piped.text], [503, "Service Unavailable"]);
        const written = await client.request("/write");
        assertEquals([written.status, written.text], [500, "failed"]);
        assertEquals(written.cookie, "");
        assertEquals(
          errors.map(({ code }) => code),
          ["unserializable", "unserializable"],
        );
      });
      assertEquals(engine.records.size, 0);
    });

    Deno.test(`${name}: session() does not mix a stream into a long answer to an error`, async () => {
      const storage = createSessionStorage({
        engine: new FakeEngine(),
        cookie: {},
      });
      const page = "x".repeat(1_000_000);
      await serve((app) => {
        app.use(session(storage));
        app.get("/", (req: Any, res: Any) => {
          req.session.set("a", new Date());
          Readable.from(Array(50).fill("never")).pipe(res);
        });
        app.use((_error: Any, _req: Any, res: Any, _next: Any) => {
          res.status(500).write(page);
          res.once("drain", () => setImmediate(() => res.end("!")));
        });
      }, async (client) => {
        const { status, text } = await client.request("/");
        assertEquals([status, text.length], [500, 1_000_001]);
      });
    });

    Deno.test(`${name}: session() drops a change with an event, when the visitor has disconnected`, async () => {
      const engine = new FakeEngine();
      const events: string[] = [];
      const storage = createSessionStorage({
        engine,
        cookie: {},
        onEvent: ({ type }) => events.push(type),
      });
      const arrived = Promise.withResolvers<void>();
      const left = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<unknown>();
      await serve((app) => {
        app.use(session(storage));
        // Express 4 does not look at the promise, so a rejection would end the process.
        app.get("/", async (req: Any, res: Any) => {
          arrived.resolve();
          res.on("close", () => left.resolve());
          await left.promise;
          req.session.set("cart", []);
          req.session.get("cart").push("tea");
          req.session.flash("notice", "never seen");
          req.session.setMaxAge(60);
          req.session.regenerateId();
          ended.resolve(req.session.get("cart"));
          res.send("late");
        });
      }, async (client) => {
        const connection = await client.open("/");
        await arrived.promise;
        connection.close();
        assertEquals(await ended.promise, ["tea"], "the handler goes on");
      });
      assertEquals(engine.calls, []);
      assertEquals(events, ["late-save"], "reported once");
    });

    Deno.test(`${name}: session() commits once, when next is called twice at once`, async () => {
      const engine = new FakeEngine();
      const storage = createSessionStorage({ engine, cookie: {} });
      const errors: Any[] = [];
      await serve((app) => {
        app.use(session(storage));
        app.use((_req: Any, _res: Any, next: Any) => {
          next();
          next();
        });
        app.use((req: Any, res: Any) => {
          req.session.set("n", (req.session.get("n") ?? 0) + 1);
          res.send("sent");
        });
        app.use((error: Any, _req: Any, _res: Any, _next: Any) => {
          errors.push(error.code);
        });
      }, async (client) => {
        assertEquals((await client.request("/")).text, "sent");
      });
      assertEquals(engine.calls, ["write"]);
      assertEquals(errors, [], "no error reaches Express");
    });

    Deno.test(`${name}: session() throws, when it is mounted twice under one key`, async () => {
      const storage = createSessionStorage({
        engine: new FakeEngine(),
        cookie: {},
      });
      const errors: Any[] = [];
      await serve((app) => {
        app.use(session(storage), session(storage));
        app.use((error: Any, _req: Any, res: Any, _next: Any) => {
          errors.push(error.message);
          res.status(500).end();
        });
      }, async (client) => {
        assertEquals((await client.request("/")).status, 500);
      });
      assertMatch(
        errors.join(),
        /^Cannot mount session: req.session already holds a session; mount the middleware once, or pass another { key }$/,
      );
    });
  },
);

Deno.test("session() throws on options of express-session that are not supported", () => {
  const refused: [Record<string, unknown>, string][] = [
    [
      { resave: true },
      "Cannot use resave: untouched sessions are never saved; leave it out or pass false",
    ],
    [
      { saveUninitialized: true },
      "Cannot use saveUninitialized: untouched sessions are never saved; leave it out or pass false",
    ],
    [
      { rolling: true },
      "Cannot use rolling: it is not supported; create a storage with rolling: true, and write session(storage)",
    ],
    [
      { store: {} },
      "Cannot use store: it is not supported; create a session storage, and write session(storage)",
    ],
    [
      { genid: () => "1" },
      "Cannot use genid: it is not supported, because the storage makes the ids; leave it out",
    ],
    [
      { unset: "destroy" },
      "Cannot use unset: it is not supported; call req.session.destroy() to end the session",
    ],
    [
      { proxy: true },
      "Cannot use proxy: it is not supported; set cookie.secure to true if your site uses HTTPS",
    ],
    [{ maxAge: 60 }, 'Cannot mount session: unknown option "maxAge"'],
    [{ nam: "sid" }, 'the nearest known one is "name"'],
    [{ secret: undefined }, "Cannot use secret: there is none; pass a string"],
    [{ secret: [] }, "Cannot use secret: there is none; pass a string"],
    [{ secret: "" }, ""],
  ];
  for (const [options, message] of refused) {
    assertThrows(
      () => session({ secret: "s", ...options } as Any),
      TypeError,
      message,
      rowName(options),
    );
  }
  session({ secret: "s", rolling: false, store: undefined } as Any);
});

Deno.test("session() throws and says what to pass, without arguments", () => {
  for (const nothing of [[], [undefined], [null], ["secret"]]) {
    assertThrows(
      () => (session as Any)(...nothing),
      TypeError,
      "Cannot mount session: write session(storage), session(cookie, storage) or session({ secret })",
      rowName(nothing),
    );
  }
});

Deno.test("loader() passes an error to next() that says what to mount, without a session", async () => {
  await assertRejects(
    () =>
      new Promise((_, next) =>
        loader(() => assert(false))({ session: {} }, {}, next)
      ),
    TypeError,
    "Cannot run loader: req.session is not a session of this library; call app.use(session(storage)) before the route",
  );
});
