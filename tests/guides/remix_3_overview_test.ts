// The snippets of the overview of sessions of Remix 3. See the table in README.md.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { relative } from "node:path";
import { createClient } from "npm:redis@^6.3.1";
import {
  createCookie,
  createCookieSessionStorage,
  createFsSessionStorage,
  createMemcacheSessionStorage,
  createMemorySessionStorage,
  createRedisSessionStorage,
  Session,
  type SessionStorage,
} from "../../mod.ts";
import { withPackages } from "../engines/_packages.ts";
import { installed, startMemcached, startRedis } from "../engines/_servers.ts";
import { rowName } from "../_row.ts";
import { stopTime } from "./_clock.ts";
import {
  application,
  type Context,
  loadRouter,
  ROUTER,
  type RouterModule,
} from "./_remix_router.ts";
import { GONE, partsOf, type Visitor } from "./_visitor.ts";

const WEEK = 60 * 60 * 24 * 7;

await withPackages(
  "Remix 3's router, for the overview of its sessions",
  ROUTER,
  loadRouter,
  (router: RouterModule) => {
    const sessionCookie = createCookie("__session", { secrets: ["bark"] });

    /** Each visit does one thing, and the page shows the result. */
    function serveSteps(
      steps: ((context: Context) => unknown)[],
      storage: SessionStorage = createMemorySessionStorage(),
      cookie = sessionCookie,
    ): Visitor {
      return application(router, [cookie, storage], (router) => {
        router.get(
          "/",
          async (context) =>
            new Response(
              JSON.stringify(await steps.shift()?.(context) ?? null),
            ),
        );
      })();
    }

    async function look(visitor: Visitor): Promise<unknown> {
      return JSON.parse((await visitor.open("/")).text);
    }

    /** The same visit for every storage: a value, a message, a new id, a logout. */
    async function assertVisit(
      storage: SessionStorage,
      cookie = sessionCookie,
    ): Promise<{ set: string | undefined; cleared: string | undefined }> {
      const visitor = serveSteps(
        [
          ({ session }) => {
            session.set("tree", "oak");
            session.flash("notice", "planted");
          },
          ({ session }) => [session.get("tree"), session.get("notice")],
          ({ session }) => {
            session.regenerateId();
            return [session.get("tree"), session.has("notice")];
          },
          ({ session }) => session.destroy(),
          ({ session }) => session.data,
        ],
        storage,
        cookie,
      );
      const { setCookies: [set] } = await visitor.open("/");
      assertEquals(await look(visitor), ["oak", "planted"]);
      assertEquals(await look(visitor), ["oak", false]);
      const { setCookies: [cleared] } = await visitor.open("/");
      assertEquals(visitor.cookies(), "");
      assertEquals(await look(visitor), {});
      return { set, cleared };
    }

    Deno.test("Remix 3 overview, The Session API table: every method and property of the table works as described", async () => {
      const visitor = serveSteps([
        ({ session }) => {
          session.set("tree", "oak");
          session.set("rings", [1, 2]);
          session.flash("notice", "planted");
        },
        ({ session }) => [
          session.get("tree"),
          session.has("notice"),
          session.get("notice"),
          session.get("notice") ?? "gone",
        ],
        ({ session }) => {
          const { id } = session;
          session.unset("tree");
          session.regenerateId();
          return [session.id !== id, session.has("tree"), session.data];
        },
        ({ session }) => session.data,
        ({ session }) => session.destroy(),
        ({ session }) => session.data,
      ]);
      const seen: unknown[] = [];
      for (let visit = 0; visit < 6; visit++) seen.push(await look(visitor));
      assertEquals(seen, [
        null,
        ["oak", true, "planted", "gone"],
        [true, false, { rings: [1, 2] }],
        { rings: [1, 2] },
        null,
        {},
      ]);
    });

    Deno.test("Remix 3 overview, Quick Example 1: a handler gets the session by its class; it reads, writes and removes values", async () => {
      using clock = stopTime();
      const begun = Date.now();
      const visitor = application(
        router,
        [sessionCookie, createMemorySessionStorage()],
        (router) => {
          router.map("/sow", ({ session }) => {
            session.set("gardener", 4);
            session.set("basket", []);
            session.set("draft", "x");
            session.flash("message", "Good morning");
            return new Response("Sown");
          });
          router.map("/water", async (context) => {
            const session = context.get(Session);
            const gardener = session.get("gardener");
            session.set("watered", Date.now());
            const message = session.get("message");
            let place = "the path";
            if (session.has("basket")) place = "a basket";
            session.unset("draft");
            return new Response(`${message}, ${gardener}, by ${place}`);
          });
          router.map("/", ({ session }) => Response.json(session.data));
        },
      )();
      const water = async () => (await visitor.open("/water")).text;
      assertEquals(await water(), "undefined, undefined, by the path");
      assertEquals(await look(visitor), { watered: begun });

      clock.pass(60);
      await visitor.open("/sow");
      assertEquals(await water(), "Good morning, 4, by a basket");
      assertEquals(
        await look(visitor),
        { gardener: 4, basket: [], watered: begun + 60_000 },
      );
      assertEquals(await water(), "undefined, 4, by a basket");
    });

    Deno.test("Remix 3 overview, Storage Engines table: an application works on every storage without a change", async () => {
      const dir = await Deno.makeTempDir();
      try {
        const storages = [
          createCookieSessionStorage(),
          createFsSessionStorage(dir),
          createMemorySessionStorage(),
        ];
        for (const storage of storages) await assertVisit(storage);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });

    Deno.test("Remix 3 overview, Cookie Storage 1: the session is kept encrypted in a cookie that lasts a week", async () => {
      using clock = stopTime();
      const cookieOf = (stage: string) =>
        createCookie("__session", {
          httpOnly: true,
          secure: stage === "production",
          sameSite: "Lax",
          secrets: ["resin"],
          maxAge: 60 * 60 * 24 * 7,
        });
      const cookie = cookieOf("production");
      await assertVisit(createCookieSessionStorage(cookie), cookie);
      const plain = cookieOf("development");
      const { set, cleared } = await assertVisit(
        createCookieSessionStorage(plain),
        plain,
      );
      assertEquals(
        partsOf(set)[1],
        ["HttpOnly", `Max-Age=${WEEK}`, "Path=/", "SameSite=Lax"],
      );
      assertEquals(
        partsOf(cleared),
        ["__session=", [GONE, "HttpOnly", "Path=/", "SameSite=Lax"]],
      );

      const { getSession, commitSession } = createCookieSessionStorage(cookie);
      const session = await getSession();
      session.set("tree", "ginkgo");
      const setCookie = await commitSession(session);
      assertEquals(
        partsOf(setCookie)[1],
        ["HttpOnly", `Max-Age=${WEEK}`, "Path=/", "SameSite=Lax", "Secure"],
      );
      const [header = ""] = setCookie.split(";");
      const text = header.slice("__session=".length);
      const readable = text.split(".").map((part) =>
        atob(part.replaceAll("-", "+").replaceAll("_", "/"))
      ).join("");
      assertEquals(readable.includes("ginkgo"), false, "it is encrypted");
      clock.pass(WEEK - 1);
      assertEquals((await getSession(header)).get("tree"), "ginkgo");
      clock.pass(1);
      assertEquals((await getSession(header)).has("tree"), false);
    });

    Deno.test("Remix 3 overview, Filesystem Storage 1: sessions in a folder survive a restart", async () => {
      const dir = await Deno.makeTempDir();
      try {
        // Relative to the server's working directory, as in the guide.
        const start = () =>
          createFsSessionStorage(`./${relative(Deno.cwd(), dir)}/sessions`);
        await assertVisit(start());
        const before = serveSteps([
          ({ session }) => session.set("tree", "yew"),
        ], start());
        await look(before);
        const after = serveSteps(
          [({ session }) => session.get("tree")],
          start(),
        );
        const [, value = ""] = before.cookies().match(/=(.*)$/) ?? [];
        after.plant("__session", value);
        assertEquals(await look(after), "yew");
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });

    Deno.test("Remix 3 overview, Memory Storage 1: sessions in memory are lost in a restart", async () => {
      await assertVisit(createMemorySessionStorage());
      const before = serveSteps([({ session }) => session.set("tree", "yew")]);
      await look(before);
      const after = serveSteps([({ session }) => session.get("tree")]);
      const [, value = ""] = before.cookies().match(/=(.*)$/) ?? [];
      after.plant("__session", value);
      assertEquals(await look(after), null);
    });

    if (installed("redis")) {
      Deno.test("Remix 3 overview, Redis and Memcache 1: sessions in Redis are shared by all servers, for a week", async () => {
        const server = await startRedis();
        const url = `redis://127.0.0.1:${server.port}`;
        const start = () =>
          createRedisSessionStorage({ url, ttl: 60 * 60 * 24 * 7 });
        const [one, two] = [start(), start()];
        const client = createClient({ url });
        client.on("error", () => {});
        try {
          await assertVisit(one);
          const here = serveSteps(
            [({ session }) => session.set("tree", "yew")],
            one,
          );
          await look(here);
          const there = serveSteps([({ session }) => session.get("tree")], two);
          const [, value = ""] = here.cookies().match(/=(.*)$/) ?? [];
          there.plant("__session", value);
          assertEquals(await look(there), "yew");

          await client.connect();
          // Beside the sessions, the old id of a login is kept for a minute.
          const keys = await client.keys("*");
          const times = keys.map((key) => client.pTTL(key));
          const left = Math.max(...(await Promise.all(times)).map(Number));
          assert(left <= WEEK * 1000 && left > (WEEK - 60) * 1000);
        } finally {
          client.destroy();
          await one.close?.();
          await two.close?.();
          await server.stop();
        }
      });
    }

    if (installed("memcached")) {
      Deno.test("Remix 3 overview, Storage Engines table: sessions in Memcached work like the others", async () => {
        const server = await startMemcached();
        const url = `127.0.0.1:${server.port}`;
        const storage = createMemcacheSessionStorage({ url, ttl: WEEK });
        try {
          await assertVisit(storage);
        } finally {
          await storage.close?.();
          await server.stop();
        }
      });
    }

    Deno.test("Remix 3 overview, Flash Messages 1: a form's message is shown once, on the page after the redirect", async () => {
      const visitor = application(
        router,
        [sessionCookie, createCookieSessionStorage()],
        (router) => {
          router.post("/trees", ({ session }) => {
            session.flash("notice", "The tree is planted");
            return new Response(null, {
              status: 302,
              headers: { Location: "/trees" },
            });
          });
          router.get(
            "/trees",
            ({ session }) => new Response(String(session.get("notice"))),
          );
        },
      )();
      const { path, text } = await visitor.send("/trees");
      assertEquals([path, text], ["/trees", "The tree is planted"]);
      assertEquals((await visitor.open("/trees")).text, "undefined");
    });

    /** Signs in and out, as in the two snippets on security. */
    function orchard(): () => Visitor {
      const user = { id: 5 };
      return application(
        router,
        [sessionCookie, createMemorySessionStorage()],
        (router) => {
          router.post("/basket", ({ session }) => {
            session.set("basket", ["pear"]);
            return new Response();
          });
          router.post("/in", ({ session }) => {
            session.set("userId", user.id);
            session.regenerateId();
            return new Response();
          });
          router.post("/out", ({ session }) => {
            session.destroy();
            return new Response();
          });
          router.get("/", ({ session }) => Response.json(session.data));
        },
      );
    }

    Deno.test("Remix 3 overview, Session Security 1: a login replaces the cookie and keeps the data, and the earlier cookie stops working", async () => {
      const visitors = orchard();
      const visitor = visitors();
      await visitor.send("/basket");
      const before = visitor.cookies();
      await visitor.send("/in");
      assertNotEquals(visitor.cookies(), before);
      assertEquals(await look(visitor), { basket: ["pear"], userId: 5 });
      const attacker = visitors();
      attacker.plant("__session", before.slice("__session=".length));
      assertEquals(await look(attacker), {});
    });

    Deno.test("Remix 3 overview, Session Security 2: a logout clears the cookie and all data, and a copy of the cookie stops working", async () => {
      const visitors = orchard();
      const visitor = visitors();
      await visitor.send("/in");
      const copied = visitor.cookies();
      const { setCookies } = await visitor.send("/out");
      assertEquals(
        partsOf(setCookies[0]),
        ["__session=", [GONE, "HttpOnly", "Path=/", "SameSite=Lax"]],
      );
      assertEquals(visitor.cookies(), "");
      const copy = visitors();
      copy.plant("__session", copied.slice("__session=".length));
      for (const who of [visitor, copy]) {
        assertEquals(await look(who), {}, rowName(who));
      }
    });
  },
);
