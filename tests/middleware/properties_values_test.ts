// A session with properties, as in express-session: what is saved.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { loader } from "../../middleware/express.ts";
import { rowName } from "../_row.ts";
import { all, NOW, withProperties } from "./_properties.ts";
import { Visitor } from "./_visitor.ts";

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

await withProperties((test) => {
  test(
    "saves properties that were set, changed in place, or deleted",
    (app) => {
      app.get("/push", (req: Any, res: Any) => {
        req.session.cart.push("cups");
        delete req.session.name;
        req.session.none = undefined;
        res.end();
      });
    },
    async ({ ann, engine }) => {
      await ann.get('/set/cart?to=["tea"]');
      await ann.get('/set/name?to="Ann"');
      assertEquals(await all(ann), { cart: ["tea"], name: "Ann" });
      await ann.get("/push");
      assertEquals(await all(ann), { cart: ["tea", "cups"] });
      engine.calls = [];
      await all(ann);
      await ann.get('/set/cart?to=["tea","cups"]');
      assertEquals(
        engine.calls,
        ["read", "read"],
        "an equal value is no change",
      );
    },
  );

  test("does not call the engine for a visitor without values", (app) => {
    app.get("/look", (req: Any, res: Any) => {
      res.send(String(req.session.user));
    });
    app.get("/untouched", (_req: Any, res: Any) => res.send("fine"));
  }, async ({ ann, engine }) => {
    for (const path of ["/look", "/untouched"]) {
      assertEquals((await ann.get(path)).setCookies, [], path);
    }
    assertEquals(engine.calls, []);
  });

  test("shows its values as an object's own, and its methods not", (app) => {
    app.get("/keys", (req: Any, res: Any) => {
      const inherited = [];
      for (const key in req.session) inherited.push(key);
      res.json([
        Object.keys(req.session),
        inherited,
        "save" in req.session,
        Object.keys(JSON.parse(JSON.stringify(req.session))),
      ]);
    });
  }, async ({ ann }) => {
    await ann.get("/set/flash");
    const keys = ["cookie", "flash"];
    assertEquals(JSON.parse((await ann.get("/keys")).text), [
      keys,
      keys,
      true,
      keys,
    ]);
  });

  test("keeps names that an object cannot have as they are", (app) => {
    app.get("/names", (req: Any, res: Any) => {
      for (const key of ["constructor", "save", "id", "toString"]) {
        try {
          req.session[key] = { polluted: true };
        } catch {
          // `id` is read-only.
        }
      }
      req.session.fine = 1;
      res.json([{}.constructor === Object]);
    });
  }, async ({ ann, storage }) => {
    const before = await storage.getSession();
    before.set("save", "mine");
    before.set("__proto__", { polluted: true });
    const cookie = (await storage.commitSession(before)).split(";")[0]!;
    const init = { headers: { cookie } };
    const mallory = await ann.get("/names", init);
    assertEquals([mallory.status, mallory.text], [200, "[true]"]);
    const { data } = await storage.getSession(cookie);
    assertEquals(Object.keys(data).toSorted(), ["__proto__", "fine", "save"]);
    assertEquals(data["save"], "mine");
    assertEquals(({} as Any).polluted, undefined);
  });

  test(
    "saves what JSON.stringify converts, and refuses what it loses",
    (app) => {
      class User {
        readonly name = "Ann";
        readonly age = undefined;
      }
      const values: Record<string, () => unknown> = {
        date: () => new Date(0),
        user: () => new User(),
        nested: () => ({ list: [{ at: new Date(0) }], none: undefined }),
        id: () => ({ toJSON: () => "5f" }),
        map: () => new Map([["a", 1]]),
        fun: () => () => {},
        nan: () => ({ a: NaN }),
        cycle: () => {
          const cycle: Any = {};
          return cycle.self = cycle;
        },
      };
      app.get("/value/:kind", (req: Any, res: Any) => {
        req.session.value = values[req.params.kind]!();
        res.end();
      });
      app.get("/push-date", (req: Any, res: Any) => {
        req.session.value.list.push(new Date(0));
        res.end();
      });
    },
    async ({ ann, engine, errors }) => {
      const date = "1970-01-01T00:00:00.000Z";
      const rows: [string, unknown][] = [
        ["date", date],
        ["user", { name: "Ann" }],
        ["id", "5f"],
        ["nested", { list: [{ at: date }] }],
      ];
      for (const [kind, value] of rows) {
        assertEquals((await ann.get(`/value/${kind}`)).status, 200, kind);
        assertEquals((await all(ann)).value, value, kind);
      }
      await ann.get("/push-date");
      assertEquals((await all(ann)).value, { list: [{ at: date }, date] });
      const writes = () =>
        engine.calls.filter((call) => call === "write").length;
      const before = writes();
      for (const kind of ["map", "fun", "nan", "cycle"]) {
        assertEquals((await ann.get(`/value/${kind}`)).status, 500, kind);
        assertEquals(errors.at(-1).code, "unserializable", kind);
        assertMatch(errors.at(-1).message, /^Cannot store "value/, kind);
      }
      assertEquals(writes(), before);
    },
  );

  test("merges the changes of parallel requests", (app) => {
    let open = () => {};
    const opened = new Promise<void>((resolve) => open = resolve);
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => arrive = resolve);
    app.get("/slow", async (req: Any, res: Any) => {
      req.session.slow = req.session.seen;
      delete req.session.gone;
      arrive();
      await opened;
      res.end();
    });
    app.get("/fast", async (req: Any, res: Any) => {
      await arrived;
      req.session.fast = 1;
      req.session.seen = 2;
      res.end();
    });
    app.get("/open", (_req: Any, res: Any) => res.end(void open()));
  }, async ({ ann }) => {
    await ann.get("/set/seen");
    await ann.get("/set/gone");
    const slow = ann.get("/slow");
    await ann.get("/fast");
    await ann.get("/open");
    await slow;
    assertEquals(await all(ann), { seen: 2, slow: 1, fast: 1 });
  });

  test(
    "reports a property that is set after the response, once, and does not throw",
    (app) => {
      app.get("/late", (req: Any, res: Any) => {
        res.send("sent");
        req.session.late = 1;
        delete req.session.late;
      });
    },
    async ({ ann, events, engine }) => {
      assertEquals((await ann.get("/late")).text, "sent");
      assertEquals([events, engine.calls], [["late-save"], []]);
    },
  );

  test(
    "drops what was set before the visitor disconnected, but not a logout",
    (app) => {
      const leave = async (req: Any, res: Any) => {
        const left = new Promise((resolve) => res.on("close", resolve));
        req.socket.destroy();
        await left;
        res.send("late");
      };
      app.get("/gone", (req: Any, res: Any) => {
        req.session.name = "Ann";
        return leave(req, res);
      });
      app.get("/out", (req: Any, res: Any) => {
        delete req.session;
        return leave(req, res);
      });
    },
    async ({ ann, events, storage }) => {
      await ann.get("/set/cart");
      await ann.get("/gone").catch(() => {});
      assertEquals(await all(ann), { cart: 1 });
      // Deno's fetch() may send a request again on another connection.
      assertEquals([...new Set(events)], ["created", "late-save"]);
      await ann.get("/out").catch(() => {});
      await ann.get("/set/more");
      assertEquals((await storage.getSession(ann.cookie)).data, { more: 1 });
    },
  );

  test(
    "drops properties with an event, when the visitor has disconnected",
    (app) => {
      app.get("/gone", async (req: Any, res: Any) => {
        req.socket.destroy();
        await new Promise((resolve) => res.on("close", resolve));
        req.session.cart = ["tea"];
        req.session.name = "Ann";
        res.send("late");
      });
    },
    async ({ ann, events, engine }) => {
      await ann.get("/gone").catch(() => {});
      await ann.get("/all");
      // Deno's fetch() may send a request again on another connection.
      assertEquals([...new Set(events)], ["late-save"]);
      assertEquals(engine.calls, []);
    },
  );

  test("refuses another object in the place of the session", (app) => {
    app.get("/replace", (req: Any) => req.session = { user: "ann" });
    app.get("/cookie", (req: Any) => req.session.cookie = { maxAge: 1 });
    app.get("/flash", (req: Any) => req.session.__flash_a__ = 1);
  }, async ({ ann, errors }) => {
    const rows: Record<string, string> = {
      "/replace":
        "Cannot replace req.session: another object would not be saved; change the session itself, or set req.session to null to end it",
      "/cookie":
        "Cannot set session.cookie: another object would not be saved; set session.cookie.maxAge",
      "/flash":
        "Cannot set session.__flash_a__: such names are kept for flash messages; choose another name",
    };
    for (const [path, message] of Object.entries(rows)) {
      assertEquals((await ann.get(path)).status, 500, rowName(path));
      assertEquals(errors.at(-1).message, message, rowName(path));
    }
  });

  test(
    "sets the lifetime by cookie.maxAge and cookie.expires, in milliseconds",
    (app) => {
      app.get("/remember/:how", (req: Any, res: Any) => {
        const { cookie } = req.session;
        const before = [cookie.maxAge, cookie.expires, cookie.originalMaxAge];
        req.session.user = "ann";
        switch (req.params.how) {
          case "maxAge":
            cookie.maxAge = 60_000;
            break;
          case "expires":
            cookie.expires = new Date(NOW + 60_000);
            break;
          case "false":
            cookie.expires = false;
            break;
          case "null":
            cookie.maxAge = null;
            break;
          case "touch":
            req.session.touch();
        }
        res.json([
          before,
          Math.ceil(cookie.maxAge / 1000),
          cookie.originalMaxAge,
          cookie.httpOnly,
          cookie.path,
        ]);
      });
    },
    async ({ client, ann }) => {
      for (const how of ["maxAge", "expires"]) {
        const bob = new Visitor(client);
        const { text, setCookies } = await bob.get(`/remember/${how}`);
        assertEquals(
          JSON.parse(text),
          [[null, null, null], 60, 60_000, true, "/"],
          how,
        );
        assertMatch(setCookies[0]!, /Max-Age=60;/, how);
      }
      for (const how of ["false", "null"]) {
        await ann.get("/remember/maxAge");
        const [before] = JSON.parse((await ann.get("/remember/touch")).text);
        assertEquals([before[0], before[2]], [60_000, 60_000], how);
        const back = await ann.get(`/remember/${how}`);
        assertEquals(JSON.parse(back.text).slice(1, 3), [0, null], how);
        const sent = back.setCookies.join();
        assert(!/Max-Age/.test(sent), sent);
        assertEquals(
          JSON.parse((await ann.get("/remember/none")).text)[0],
          [null, null, null],
          how,
        );
      }
    },
  );

  test(
    "refuses an attribute of the cookie, and to take the storage's lifetime away",
    (app) => {
      app.get("/secure", (req: Any) => req.session.cookie.secure = true);
      app.get("/forget", (req: Any) => req.session.cookie.expires = false);
      app.get("/text", (req: Any) => req.session.cookie.maxAge = "1d");
      app.get("/nan", (req: Any) => req.session.cookie.maxAge = NaN);
      app.get("/read", (req: Any, res: Any) => res.json(req.session.cookie));
    },
    async ({ ann, errors }) => {
      const rows: Record<string, string> = {
        "/secure":
          "Cannot set cookie.secure: it belongs to the storage's cookie; write cookie: { secure: … } where you create the storage",
        "/forget":
          "Cannot take the session's lifetime away: the storage's cookie has one; leave maxAge out of that cookie, and set req.session.cookie.maxAge for the visitors to remember",
        "/text":
          "Cannot set cookie.maxAge: it must be a number of milliseconds, received a string",
        "/nan":
          "Cannot set cookie.maxAge: it must be a finite number of milliseconds, received NaN",
      };
      for (const [path, message] of Object.entries(rows)) {
        assertEquals((await ann.get(path)).status, 500, rowName(path));
        assertEquals(errors.at(-1).message, message, rowName(path));
      }
      const cookie = JSON.parse((await ann.get("/read")).text);
      assertEquals(cookie.originalMaxAge, 3_600_000);
      assertEquals(cookie.sameSite, "strict");
    },
    { maxAge: 3600, sameSite: "strict" },
  );

  test("gives loader() the session itself", (app) => {
    app.get(
      "/loader",
      loader(({ session }) => {
        session.flash("notice", "hello");
        return session.get("user");
      }),
    );
    app.get("/notice", loader(({ session }) => session.get("notice") ?? null));
  }, async ({ ann }) => {
    await ann.get('/set/user?to="ann"');
    assertEquals((await ann.get("/loader")).text, '"ann"');
    assertEquals(await all(ann), { user: "ann" }, "a flash is not a property");
    assertEquals((await ann.get("/notice")).text, '"hello"');
    assertEquals((await ann.get("/notice")).text, "null");
  });
});
