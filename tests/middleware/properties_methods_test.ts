// A session with properties, as in express-session: what its methods do.
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { session } from "../../middleware/express.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { all, withProperties } from "./_properties.ts";
import { type Data, servingApp } from "./_serve.ts";
import { Visitor } from "./_visitor.ts";

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

await withProperties((test, express, name) => {
  const serve = servingApp(express);
  test(
    "saves at once with save(), and sends the cookie with the response",
    (app) => {
      app.get("/save", (req: Any, res: Any, next: Any) => {
        req.session.step = 1;
        const returned = req.session.save((error?: unknown) => {
          if (error) return next(error);
          req.session.after = 1;
          res.status(Number(req.query.status)).send(req.sessionID);
        });
        if (returned !== req.session) next(new Error("save() does not chain"));
      });
      app.get("/save-and-go", (req: Any, res: Any) => {
        req.session.step = 2;
        req.session.save();
        res.redirect("/all");
      });
      app.get("/await", async (req: Any, res: Any) => {
        req.session.step = 3;
        await req.session.save();
        res.end();
      });
    },
    async ({ ann, client, engine }) => {
      const answer = await ann.get("/save?status=200");
      assertEquals([answer.status, answer.setCookies.length], [200, 1]);
      assertEquals(engine.calls.slice(0, 1), ["write"]);
      assertEquals(await all(ann), { step: 1, after: 1 });
      // What was saved by itself stays, and its cookie goes out, when the request then fails.
      const bob = new Visitor(client);
      assertEquals((await bob.get("/save?status=500")).setCookies.length, 1);
      assertEquals(await all(bob), { step: 1 });
      for (
        const [path, step] of [["/save-and-go", 2], ["/await", 3]] as const
      ) {
        const carl = new Visitor(client);
        assertEquals((await carl.get(path)).setCookies.length, 1, path);
        assertEquals(await all(carl), { step }, path);
      }
    },
  );

  test(
    "gives the engine's failure to the callback of save(), and tries again before the response",
    (app) => {
      app.get("/save", (req: Any, res: Any) => {
        req.session.step = 1;
        req.session.save((error?: Any) => res.send(String(error?.code)));
      });
      app.get("/save-and-go", (req: Any, res: Any) => {
        req.session.step = Number(req.query.step);
        req.session.save();
        res.send("gone");
      });
    },
    async ({ ann, engine }) => {
      engine.play("write", "fail");
      assertEquals((await ann.get("/save")).text, "store-failed");
      assertEquals(await all(ann), { step: 1 });
      engine.play("write", "fail");
      const answer = await ann.get("/save-and-go?step=2");
      assertEquals([answer.status, answer.text], [200, "gone"]);
      assertEquals(await all(ann), { step: 2 });
      engine.play("write", "fail", "fail");
      const failed = await ann.get("/save-and-go?step=3");
      assertEquals([failed.status, failed.text], [503, "Service Unavailable"]);
      assertEquals(await all(ann), { step: 2 });
    },
  );

  test(
    "sends the cookie of a login that was saved, even if the rest cannot be saved",
    (app) => {
      app.get("/login", async (req: Any, res: Any) => {
        await req.session.regenerate();
        req.session.user = "ann";
        await req.session.save();
        req.session.more = req.query.more ?? new Map();
        res.send("in");
      });
    },
    async ({ client, engine }) => {
      for (const [path, status] of [["?more=1", 503], ["", 500]] as const) {
        const ann = new Visitor(client);
        if (path) engine.play("write", "pass", "fail");
        const answer = await ann.get(`/login${path}`);
        const { setCookies } = answer;
        assertEquals([answer.status, setCookies.length], [status, 1], path);
        assertEquals(await all(ann), { user: "ann" }, path);
      }
    },
  );

  test(
    "keeps a lifetime that was set, when another session's cookie is assigned",
    (app) => {
      app.get("/remember", (req: Any, res: Any) => {
        req.session.user = "ann";
        req.session.cookie.maxAge = 60_000;
        res.end();
      });
      app.get("/again", (req: Any, res: Any, next: Any) => {
        const { cookie } = req.session;
        req.session.regenerate((error?: unknown) => {
          if (error) return next(error);
          if (req.query.keep) req.session.cookie = cookie;
          req.session.user = "ann";
          res.end();
        });
      });
    },
    async ({ ann }) => {
      await ann.get("/remember");
      const kept = await ann.get("/again?keep=1");
      assertMatch(kept.setCookies[0]!, /Max-Age=60;/);
      const anew = await ann.get("/again");
      assertFalse(/Max-Age/.test(anew.setCookies[0]!));
    },
  );

  test(
    "says that save(), reload() and regenerate() come too late, after the response",
    (app) => {
      app.get("/late", (req: Any, res: Any, next: Any) => {
        const { session } = req;
        session.step = 1;
        res.on("finish", async () => {
          const seen: Any[] = [];
          for (const method of ["save", "reload", "regenerate"]) {
            await new Promise<void>((resolve) =>
              session[method]((error: Any) => {
                seen.push([method, error.code]);
                resolve();
              })
            );
            try {
              session[method]();
            } catch (error) {
              seen.push([method, (error as Any).message]);
            }
          }
          next(seen);
        });
        res.end();
      });
    },
    async ({ ann, errors, storage }) => {
      await ann.get("/late");
      await ann.get("/all");
      const [seen] = errors;
      assertEquals(
        seen,
        ["save", "reload", "regenerate"].flatMap((method) => [
          [method, "late-change"],
          [
            method,
            `Cannot ${method} session: its response has already been sent, so the visitor cannot get the cookie; do it before you send anything`,
          ],
        ]),
      );
      assertEquals((await storage.getSession(ann.cookie)).data, { step: 1 });
    },
  );

  test(
    "begins anew with regenerate(), as another object, and revokes the old id",
    (app) => {
      app.get("/login", (req: Any, res: Any) => {
        const { session: old, sessionID } = req;
        let isSync = true;
        old.regenerate((error?: unknown) => {
          req.session.user = "ann";
          res.json([
            error ?? null,
            isSync,
            req.session === old,
            old.cart,
            old.id === sessionID,
            req.sessionID === sessionID,
          ]);
        });
        isSync = false;
      });
      app.get("/keep", async (req: Any, res: Any) => {
        req.session.more = ["cups"];
        req.session.other = 1;
        await req.session.regenerate(["cart", "more"]);
        res.end();
      });
    },
    async ({ ann, storage }) => {
      await ann.get("/set/cart");
      const before = ann.cookie;
      assertEquals(
        JSON.parse((await ann.get("/login")).text),
        [null, false, false, 1, true, false],
      );
      assertNotEquals(ann.cookie, before);
      assertEquals(await all(ann), { user: "ann" });
      assertEquals((await storage.getSession(before)).data, {});
      assert((await storage.getSession(ann.cookie)).authenticatedAt);
      await ann.get("/set/cart");
      await ann.get("/keep");
      assertEquals(await all(ann), { cart: 1, more: ["cups"] });
    },
  );

  test(
    "reads the session again with reload(), and drops the request's changes",
    (app) => {
      app.get("/reload", (req: Any, res: Any, next: Any) => {
        const old = req.session;
        old.mine = 1;
        req.session.reload((error?: unknown) => {
          if (error) return next(error);
          const { cookie: _, ...values } = req.session;
          req.session.more = 1;
          res.json([req.session === old, values, old.mine]);
        });
      });
      app.get("/saved", async (req: Any, res: Any) => {
        req.session.mine = 1;
        await req.session.save();
        await req.session.reload();
        res.json(req.session.mine);
      });
      app.get("/replaced", async (req: Any, res: Any, next: Any) => {
        await req.session.regenerate();
        req.session.reload(next);
        res.on("finish", () => {});
      });
    },
    async ({ ann, client, errors }) => {
      await ann.get("/set/theirs");
      assertEquals(
        JSON.parse((await ann.get("/reload")).text),
        [false, { theirs: 1 }, 1],
      );
      assertEquals(await all(ann), { theirs: 1, more: 1 });
      const bob = new Visitor(client);
      assertEquals((await bob.get("/saved")).text, "1");
      assertEquals(await all(bob), { mine: 1 });
      assertEquals((await new Visitor(client).get("/reload")).status, 500);
      assertEquals((await ann.get("/replaced")).status, 500);
      const message =
        "Cannot reload session: it is not stored; it has expired, was ended, or has not been saved under its id";
      assertEquals(errors.map((each) => each.message), [message, message]);
    },
  );

  test("ends the session with destroy(), null, undefined or delete", (app) => {
    app.get("/end/:how", (req: Any, res: Any, next: Any) => {
      const done = (error?: unknown) =>
        error ? next(error) : res.send(String(req.session));
      switch (req.params.how) {
        case "destroy":
          return req.session.destroy(done);
        case "null":
          req.session = null;
          break;
        case "undefined":
          req.session = undefined;
          break;
        case "delete":
          delete req.session;
      }
      done();
    });
  }, async ({ client, storage }) => {
    for (const how of ["destroy", "null", "undefined", "delete"]) {
      const ann = new Visitor(client);
      await ann.get("/set/user");
      const before = ann.cookie;
      const answer = await ann.get(`/end/${how}`);
      const expected = how === "null" ? "null" : "undefined";
      assertEquals([answer.status, answer.text], [200, expected], how);
      assertEquals(ann.cookie, "", how);
      assertEquals((await storage.getSession(before)).data, {}, how);
    }
  });

  test(
    "ends the session with destroy() after the response, and if the engine fails, says so",
    (app) => {
      app.get("/late", (req: Any, res: Any, next: Any) => {
        res.on(
          "finish",
          () => req.session.destroy((error?: Any) => next(error ?? "ended")),
        );
        res.send("bye");
      });
      app.get("/null", (req: Any, res: Any) => {
        res.on("finish", () => req.session = null);
        res.send("bye");
      });
      app.get("/fails", (req: Any, res: Any) => {
        req.session.destroy((error?: Any) => res.send(String(error?.code)));
      });
    },
    async ({ ann, engine, errors }) => {
      await ann.get("/set/user");
      engine.play("write", "fail");
      engine.play("delete", "fail");
      assertEquals((await ann.get("/fails")).text, "store-failed");
      assertEquals(ann.cookie, "", "the save before the response ended it");
      engine.forget();
      await ann.get("/set/user");
      await ann.get("/late");
      assertEquals(await all(ann), {});
      assertEquals(errors, ["ended"]);
      await ann.get("/set/user");
      await ann.get("/null");
      assertEquals(await all(ann), {});
    },
  );

  test(
    "gives what a callback throws to Express, asynchronous or not",
    (app) => {
      app.get("/throw", (req: Any) => {
        req.session.save(() => {
          throw new Error("at once");
        });
      });
      app.get("/reject", (req: Any) => {
        req.session.regenerate(async () => {
          await Promise.resolve();
          throw new Error("later");
        });
      });
    },
    async ({ ann, errors }) => {
      assertEquals((await ann.get("/throw")).text, "failed");
      assertEquals((await ann.get("/reject")).text, "failed");
      assertEquals(errors.map(({ message }) => message), ["at once", "later"]);
    },
  );

  Deno.test(`${name}: session() with properties says that a late destroy() cannot clear a cookie storage's cookie`, async () => {
    const storage = createCookieSessionStorage({ cookie: { secrets: ["s"] } });
    const errors: Any[] = [];
    await serve((app) => {
      app.use(session(storage, { properties: true }));
      app.get("/", (req: Any, res: Any) => {
        req.session.user = "ann";
        res.on(
          "finish",
          () => req.session.destroy((error: Any) => errors.push(error.code)),
        );
        res.end();
      });
    }, async (client) => {
      await client.request("/");
      await client.request("/");
    });
    assertEquals(errors.slice(0, 1), ["late-change"]);
  });

  Deno.test(`${name}: session() without properties ends the session, when req.session is set to null`, async () => {
    const engine = new FakeEngine();
    const storage = createSessionStorage<Data>({ engine, cookie: {} });
    await serve((app) => {
      app.use(session(storage));
      app.get("/in", (req: Any, res: Any) => {
        req.session.set("user", "ann");
        res.end();
      });
      app.get("/out", (req: Any, res: Any) => {
        req.session = null;
        res.json(req.session);
      });
      app.get("/replace", (req: Any, res: Any) => {
        req.session = { user: "bob" };
        res.send("replaced");
      });
      app.use((error: Any, _req: Any, res: Any, _next: Any) => {
        res.status(500).send(error.message);
      });
    }, async (client) => {
      const ann = new Visitor(client);
      await ann.get("/in");
      for (const visitor of [ann, new Visitor(client)]) {
        const { text } = await visitor.get("/replace");
        assertMatch(text, /^Cannot replace req\.session/, visitor.cookie);
      }
      assertEquals((await ann.get("/out")).text, "null");
      assertEquals([ann.cookie, engine.sessions], ["", 0]);
    });
  });

  Deno.test(`${name}: session() with properties throws, when it is mounted twice under one key`, async () => {
    const storage = createSessionStorage<Data>({
      engine: new FakeEngine(),
      cookie: {},
    });
    await serve((app) => {
      app.use(session(storage, { properties: true }), session(storage));
      app.use((error: Any, _req: Any, res: Any, _next: Any) => {
        res.status(500).send(error.message);
      });
    }, async (client) => {
      assertMatch(
        (await client.request("/")).text,
        /^Cannot mount session: req\.session already holds a session/,
      );
    });
  });
});
