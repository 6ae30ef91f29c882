// Middlewares that wrap a response's methods, mounted before session() and after it.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { session } from "../../middleware/express.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { withPackages } from "../engines/_packages.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { rowName } from "../_row.ts";
import { serving, withExpress } from "./_serve.ts";
import type { Answer } from "./lifecycle/_client.ts";

// deno-lint-ignore no-explicit-any -- Express and its middlewares come without types
type Any = any;

/** A middleware that wraps a response. */
interface Wrapper {
  readonly name: string;
  /** The middlewares, in order. */
  readonly mount: readonly Any[];
  /** Checks that the middleware still works. */
  check(answer: Answer): void;
}

const PARTS = ["x".repeat(5_000), "y".repeat(5_000), "z"];

let found: Any;
await withPackages(
  "compression, response-time, cookie-session, express-session",
  [
    "npm:compression@1.8.2",
    "npm:response-time@2.3.4",
    "npm:cookie-session@2.1.1",
    "npm:express-session@1.19.0",
  ],
  async () => ({
    compression: (await import("npm:compression@1.8.2")).default,
    responseTime: (await import("npm:response-time@2.3.4")).default,
    cookieSession: (await import("npm:cookie-session@2.1.1")).default,
    expressSession: (await import("npm:express-session@1.19.0")).default,
  }),
  (packages) => found = packages,
);

if (found) {
  const { compression, responseTime, cookieSession, expressSession } = found;
  await withExpress((express, version) => {
    const writeTheirs = (req: Any, _res: Any, next: Any) => {
      req.session.user = 1;
      next();
    };
    const wrappers: Wrapper[] = [
      {
        name: "compression",
        mount: [(compression as Any)({ threshold: 0 })],
        check: ({ headers }) =>
          assertMatch(headers.get("vary") ?? "", /Accept-Encoding/),
      },
      {
        name: "response-time",
        mount: [(responseTime as Any)()],
        check: ({ headers }) => assert(headers.has("x-response-time")),
      },
      {
        name: "cookie-session",
        mount: [
          (cookieSession as Any)({ name: "theirs", secret: "s" }),
          writeTheirs,
        ],
        check: ({ cookie }) => assertMatch(cookie, /\btheirs=/),
      },
      {
        name: "express-session",
        mount: [
          (expressSession as Any)({
            name: "theirs",
            secret: "s",
            resave: false,
            saveUninitialized: false,
          }),
          writeTheirs,
        ],
        check: ({ cookie }) => assertMatch(cookie, /\btheirs=/),
      },
    ];

    /** Serves pages that are sent in different ways, with a wrapper before or after the session. */
    async function pages(
      { mount }: Wrapper,
      place: "before" | "after",
      use: Parameters<typeof serving>[1],
      engine = new FakeEngine(),
    ): Promise<void> {
      const storage = createSessionStorage({ engine, cookie: {} });
      const app = express();
      app.set("env", "test"); // otherwise it prints errors
      if (place === "before") app.use(...mount as Any);
      app.use(session(storage, { key: "mine" }));
      if (place === "after") app.use(...mount as Any);
      app.get("/:change/:way", (req: Any, res: Any) => {
        const { mine, params } = req;
        if (params.change === "look") mine.get("userId");
        if (params.change === "login") mine.set("userId", 7);
        if (params.change === "renew") mine.regenerateId();
        if (params.change === "bad") mine.set("when", new Date());
        res.type("text");
        if (params.way === "send") return res.send(PARTS.join(""));
        if (params.way === "head") res.writeHead(200, { "X-Head": "1" });
        if (params.way === "flush") res.flushHeaders();
        res.write(PARTS[0]);
        res.write(PARTS[1]);
        if (params.way !== "later") return res.end(PARTS[2]);
        setTimeout(() => res.end(PARTS[2]), 5);
      });
      app.use((error: Any, _req: Any, res: Any, _next: Any) => {
        res.status(500).send(`failed: ${error.code}`);
      });
      await serving(app as Any, use);
    }

    const ours = /__session=([^;]+)/;
    for (const wrapper of wrappers) {
      for (const place of ["before", "after"] as const) {
        const title = `${version}: ${wrapper.name} ${place} session()`;

        Deno.test(`${title} sends both the cookie and the body`, async () => {
          await pages(wrapper, place, async (client) => {
            for (const way of ["send", "write", "head", "flush", "later"]) {
              const looked = await client.request(`/look/${way}`);
              assertEquals(
                [looked.status, looked.text],
                [200, PARTS.join("")],
                rowName(way),
              );
              assert(!ours.test(looked.cookie), "untouched");
              wrapper.check(looked);

              const login = await client.request(`/login/${way}`);
              assertEquals(
                [login.status, login.text],
                [200, PARTS.join("")],
                rowName(way),
              );
              assertMatch(login.cookie, ours, rowName(way));
              wrapper.check(login);

              const again = await client.request(`/look/${way}`, login.cookie);
              assertEquals(again.text, PARTS.join(""), rowName(way));

              const renewed = await client.request(
                `/renew/${way}`,
                login.cookie,
              );
              assertEquals(renewed.text, PARTS.join(""), rowName(way));
              assertMatch(renewed.cookie, ours, rowName(way));
              assert(
                ours.exec(renewed.cookie)![1] !== ours.exec(login.cookie)![1],
                rowName(way),
              );
            }
          });
        });

        Deno.test(`${title} sends the complete answer to an error`, async () => {
          const engine = new FakeEngine();
          await pages(wrapper, place, async (client) => {
            for (const way of ["send", "write", "head", "flush", "later"]) {
              engine.play("write", "fail");
              const down = await client.request(`/login/${way}`);
              assertEquals(
                [down.status, down.text],
                [503, "Service Unavailable"],
                rowName(way),
              );
              const bad = await client.request(`/bad/${way}`);
              assertEquals(
                [bad.status, bad.text],
                [500, "failed: unserializable"],
                rowName(way),
              );
            }
          }, engine);
          assertEquals(engine.records.size, 0);
        });
      }
    }

    for (const place of ["before", "after"]) {
      Deno.test(`${version}: compression ${place} session() sends at once what is flushed`, async () => {
        const storage = createSessionStorage({
          engine: new FakeEngine(),
          cookie: {},
        });
        const app = express();
        if (place === "before") app.use((compression as Any)());
        app.use(session(storage));
        if (place === "after") app.use((compression as Any)());
        app.get("/", (req: Any, res: Any) => {
          req.session.set("a", 1);
          res.type("text/event-stream").write("data: 1\n\n");
          res.flush();
        });
        await serving(app as Any, async ({ origin }) => {
          const response = await fetch(origin);
          assert(response.headers.has("content-encoding"));
          const reader = response.body!.getReader();
          // The answer never ends.
          const { value } = await reader.read();
          assertEquals(new TextDecoder().decode(value), "data: 1\n\n");
          await reader.cancel();
        });
      });
    }

    Deno.test(`${version}: session() keeps methods of a response that were wrapped by hand`, async () => {
      const engine = new FakeEngine();
      const storage = createSessionStorage({ engine, cookie: {} });
      const seen: string[] = [];
      const app = express();
      app.use(session(storage));
      app.use((_req: Any, res: Any, next: Any) => {
        for (const name of ["writeHead", "write", "end"]) {
          const method = res[name];
          res[name] = function (...args: unknown[]) {
            seen.push(name);
            return method.apply(this, args);
          };
        }
        next();
      });
      app.get("/", (req: Any, res: Any) => {
        if (req.query.login) req.session.set("userId", 7);
        res.write("a");
        res.write("b");
        res.end("c");
      });
      await serving(app as Any, async (client) => {
        for (const path of ["/", "/?login=1"]) {
          seen.length = 0;
          assertEquals((await client.request(path)).text, "abc", rowName(path));
          assertEquals(
            seen.sort(),
            ["end", "write", "write", "writeHead"],
            rowName(path),
          );
        }
      });
      assertEquals(engine.calls, ["write"]);
    });
  });
}
