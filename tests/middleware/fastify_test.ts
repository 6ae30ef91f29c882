// Special to Fastify: hijacked replies, encapsulation, versions, @fastify/passport.
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { session } from "../../middleware/fastify.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { withPackages } from "../engines/_packages.ts";
import { Client } from "./lifecycle/_client.ts";
import { Fixture } from "./_serve.ts";
import { Visitor } from "./_visitor.ts";

// deno-lint-ignore no-explicit-any -- Fastify's types are those of one major version
type Any = any;

/** The versions of Fastify that are supported. */
const FASTIFY: [name: string, specifier: string][] = [
  ["Fastify 5", "npm:fastify@5.12.8"],
  ["Fastify 4", "npm:fastify@4.29.1"],
];

/** Serves an application while `use` runs. */
async function serving(
  app: Any,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  try {
    await use(new Client(origin));
  } finally {
    await app.close();
  }
}

for (const [name, specifier] of FASTIFY) {
  await withPackages(
    name,
    [specifier],
    async () => (await import(specifier)).fastify,
    (create: Any) => {
      const fastify = () => create({ forceCloseConnections: true });

      Deno.test(`${name}: session() commits before the headers of a hijacked reply`, async () => {
        const { storage, cookie, engine } = await Fixture.create();
        const app = fastify();
        app.register(session(storage));
        app.get("/", (request: Any, reply: Any) => {
          reply.hijack();
          request.session.regenerateId();
          reply.raw.writeHead(201, { "X-Own": "1" });
          reply.raw.end("raw");
        });
        await serving(app, async (client) => {
          const answer = await client.request("/", cookie);
          assertEquals([answer.status, answer.text], [201, "raw"]);
          assertEquals(answer.setCookies.length, 1);
          engine.play("write", "fail");
          const failed = await client.request("/", answer.cookie);
          assertEquals([failed.status, failed.setCookies], [503, []]);
        });
      });

      Deno.test(`${name}: session() answers once, when a handler replies twice and the engine is slow`, async () => {
        const { storage, cookie, engine } = await Fixture.create();
        const { promise: answered, resolve: answer } = Promise.withResolvers<
          void
        >();
        const app = fastify();
        app.register(session(storage));
        app.get("/", (request: Any, reply: Any) => {
          request.session.set("userId", 8);
          reply.send("first");
          reply.send("second");
          answer();
        });
        await serving(app, async (client) => {
          engine.play("write", { before: () => answered });
          const { status, text } = await client.request("/", cookie);
          assertEquals([status, text], [200, "first"]);
        });
        assertEquals((await storage.getSession(cookie)).get("userId"), 8);
      });

      Deno.test(`${name}: session() commits what the pages for errors and missing pages change`, async () => {
        const { storage, cookie } = await Fixture.create();
        const app = fastify();
        app.register(session(storage));
        app.setNotFoundHandler((request: Any, reply: Any) => {
          request.session.set("userId", 8);
          reply.code(404).send("missing");
        });
        app.setErrorHandler((_error: Error, request: Any, reply: Any) => {
          request.session.destroy();
          reply.code(418).send("teapot");
        });
        app.get("/throw", () => {
          throw new Error("the handler failed");
        });
        await serving(app, async (client) => {
          assertEquals((await client.request("/", cookie)).status, 404);
          assertEquals((await storage.getSession(cookie)).get("userId"), 8);
          const thrown = await client.request("/throw", cookie);
          assertEquals([thrown.status, thrown.cookie], [418, "__session="]);
        });
      });

      Deno.test(`${name}: session() reaches the routes of the instance that registers it, and no others`, async () => {
        const app = fastify();
        const answer = async (request: Any) => ({
          site: typeof request.session,
          admin: typeof request.admin,
        });
        app.register(async (child: Any) => {
          child.register(session(createMemorySessionStorage()));
          child.get("/child", answer);
        });
        app.register(async (child: Any) => {
          const storage = createMemorySessionStorage({ cookie: {} });
          child.register(session(storage, { key: "admin" }));
          child.get("/admin", answer);
        });
        app.get("/outside", answer);
        const rows: Record<string, [string, string]> = {
          "/child": ["object", "undefined"],
          "/admin": ["undefined", "object"],
          "/outside": ["undefined", "undefined"],
        };
        await serving(app, async (client) => {
          for (const [path, [site, admin]] of Object.entries(rows)) {
            const { text } = await client.request(path);
            assertEquals(JSON.parse(text), { site, admin }, path);
          }
        });
      });

      Deno.test(`${name}: session() ends the session, when request.session is set to null`, async () => {
        const { storage, cookie } = await Fixture.create();
        const app = fastify();
        app.register(session(storage));
        app.get("/", async (request: Any) => {
          request.session = null;
          return "out";
        });
        await serving(app, async (client) => {
          const answer = await client.request("/", cookie);
          assertEquals([answer.text, answer.cookie], ["out", "__session="]);
        });
        assertEquals((await storage.getSession(cookie)).data, {});
      });

      Deno.test(`${name}: session() keeps the headers of other plugins in the answer to a failed engine`, async () => {
        const { storage, cookie, engine } = await Fixture.create();
        const app = fastify();
        app.addHook("onRequest", async (_request: Any, reply: Any) => {
          reply.header("Access-Control-Allow-Origin", "*");
        });
        app.register(session(storage));
        app.get("/", (request: Any, reply: Any) => {
          request.session.set("userId", 8);
          reply.header("ETag", '"1"').header("Set-Cookie", "a=1").send("fine");
        });
        await serving(app, async (client) => {
          for (const verb of ["read", "write"] as const) {
            engine.play(verb, "fail");
            const answer = await client.request("/", cookie);
            const { status, text, headers, setCookies } = answer;
            assertEquals([status, text], [503, "Service Unavailable"], verb);
            assertEquals(headers.get("access-control-allow-origin"), "*", verb);
            assertEquals([headers.get("etag"), setCookies], [null, []], verb);
          }
        });
      });

      Deno.test(`${name}: session() works with inject()`, async () => {
        const app = fastify();
        app.register(session(createMemorySessionStorage()));
        app.get("/", async ({ session }: Any) => {
          session.set("visits", (session.get("visits") ?? 0) + 1);
          return session.get("visits");
        });
        const { cookies: [cookie] } = await app.inject("/");
        assert(cookie.httpOnly);
        const cookies = { [cookie.name]: cookie.value };
        const second = await app.inject({ url: "/", cookies });
        assertEquals([second.body, second.cookies], ["2", []]);
        await app.close();
      });

      Deno.test(`${name}: session() fails at mounting, when requests have a property of that name`, async () => {
        const storage = createMemorySessionStorage();
        const app = fastify();
        app.register(session(storage)).register(session(storage));
        await assertRejects(
          async () => await app.ready(),
          TypeError,
          "Cannot mount session: request.session is already there; register the plugin once, without another plugin for sessions, or pass another { key }",
        );
      });
    },
  );
}

await withPackages(
  "Fastify 3",
  ["npm:fastify@3.29.5"],
  async () => (await import("npm:fastify@3.29.5")).default as Any,
  (fastify) => {
    Deno.test("session() fails at mounting, in Fastify 3", async () => {
      const app = fastify();
      app.register(session(createMemorySessionStorage()));
      await assertRejects(
        async () => await app.ready(),
        TypeError,
        "Cannot mount session: this plugin is for Fastify 4 and 5, and this is Fastify 3; use one of those, or session of @satchel/session/middleware/node around the server's handler",
      );
    });
  },
);

await withPackages(
  "Fastify 5, @fastify/passport",
  [
    "npm:fastify@5.12.8",
    "npm:@fastify/passport@4.0.3",
    "npm:passport-local@1.0.0",
  ],
  async () => ({
    fastify: (await import("npm:fastify@5.12.8")).fastify as Any,
    Authenticator: (await import("npm:@fastify/passport@4.0.3"))
      .Authenticator as Any,
    Strategy: (await import("npm:passport-local@1.0.0")).Strategy as Any,
  }),
  ({ fastify, Authenticator, Strategy }) => {
    for (const keepSessionInfo of [false, true]) {
      const kept = keepSessionInfo ? " and keeps values" : "";
      Deno.test(`@fastify/passport signs in and out with { properties: true }, renews the id${kept}`, async () => {
        const auth = new Authenticator();
        auth.use(
          new Strategy((name: string, password: string, done: Any) =>
            done(null, password === "right" && { name })
          ),
        );
        auth.registerUserSerializer(async ({ name }: Any) => name);
        auth.registerUserDeserializer(async (name: string) => ({ name }));
        const storage = createMemorySessionStorage();
        const app = fastify({ forceCloseConnections: true });
        app.register(session(storage, { properties: true }));
        app.register(auth.initialize()).register(auth.secureSession());
        app.get("/cart", async (request: Any) => {
          request.session.cart = ["tea"];
          return "";
        });
        app.get("/login", {
          preValidation: auth.authenticate("local", {
            successRedirect: "/",
            keepSessionInfo,
          }),
        }, () => {});
        app.get("/logout", async (request: Any, reply: Any) => {
          await request.logout();
          return reply.redirect("/");
        });
        app.get("/", async ({ user, session }: Any) => ({
          user: user?.name,
          cart: session.cart,
        }));
        await serving(app, async (client) => {
          const ann = new Visitor(client);
          await ann.get("/cart");
          const before = ann.cookie;
          const wrong = await ann.get("/login?username=ann&password=wrong");
          assertEquals(wrong.status, 401);
          const right = await ann.get("/login?username=ann&password=right");
          assertEquals([right.status, right.headers.get("location")], [
            302,
            "/",
          ]);
          assertNotEquals(ann.cookie, before);
          assertEquals((await storage.getSession(before)).data, {});
          const cart = keepSessionInfo ? { cart: ["tea"] } : {};
          assertEquals(JSON.parse((await ann.get("/")).text), {
            user: "ann",
            ...cart,
          });
          await ann.get("/logout");
          assertEquals(JSON.parse((await ann.get("/")).text), {});
        });
      });
    }
  },
);
