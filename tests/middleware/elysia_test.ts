// Special to Elysia: plugins, hooks, errors that it makes itself, and its two ways to run handlers.
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { createMemorySessionStorage } from "../../mod.ts";
import { session } from "../../middleware/elysia.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { cookieHeader } from "../core/_support.ts";
import { withPackages } from "../engines/_packages.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";

interface Data {
  visits: number;
}

await withPackages(
  "Elysia",
  ["npm:elysia@1.4.30"],
  () => import("npm:elysia@1.4.30"),
  ({ Elysia, NotFoundError, status, t }) => {
    const stored = () => createMemorySessionStorage<Data>({ cookie: {} });

    /** Requests a path, and returns the status, the text and how many visits the new cookie's session has. */
    async function visit(
      app: { handle(request: Request): Promise<Response> },
      storage: ReturnType<typeof stored>,
      path: string,
      init?: RequestInit,
    ): Promise<[status: number, text: string, visits: number | undefined]> {
      const response = await app.handle(
        new Request(`http://localhost${path}`, init),
      );
      const [setCookie = ""] = response.headers.getSetCookie();
      const found = await storage.getSession(cookieHeader(setCookie));
      return [response.status, await response.text(), found.get("visits")];
    }

    for (const aot of [true, false]) {
      Deno.test(`session() commits what Elysia answers itself, with aot: ${aot}`, async () => {
        const storage = stored();
        const app = new Elysia({ aot })
          .headers({ "X-App": "1" })
          .use(session(storage))
          .derive(({ session, request }) => {
            session.set("visits", 1);
            if (request.url.endsWith("/derived")) return status(403, "early");
            return {};
          })
          .get("/", () => "handled")
          .get("/derived", () => "never")
          .get("/missing", () => {
            throw new NotFoundError("nothing here");
          })
          .get("/checked", () => "never", {
            query: t.Object({ page: t.Numeric() }),
          });
        assertEquals(await visit(app, storage, "/"), [200, "handled", 1]);
        assertEquals(await visit(app, storage, "/derived"), [403, "early", 1]);
        assertEquals(
          (await visit(app, storage, "/missing")).toSpliced(1, 1),
          [404, 1],
        );
        const [code, text] = await visit(app, storage, "/checked");
        assertEquals(code, 422);
        assertMatch(text, /page/);
        const { headers } = await app.handle(new Request("http://localhost/"));
        assertEquals(headers.get("X-App"), "1", "only once");
      });

      Deno.test(`session() commits nothing when a handler throws, even if onError answers it, with aot: ${aot}`, async () => {
        const storage = stored();
        const app = new Elysia({ aot })
          .use(session(storage))
          .onError(() => new Response("sorry", { status: 202 }))
          .get("/", ({ session }) => {
            session.set("visits", 1);
            throw new Error("the handler failed");
          });
        assertEquals(await visit(app, storage, "/"), [202, "sorry", undefined]);
      });

      Deno.test(`session() leaves the request's body to the handler, with aot: ${aot}`, async () => {
        const storage = stored();
        const app = new Elysia({ aot })
          .use(session(storage))
          .post("/raw", async ({ request }) => await request.text(), {
            parse: "none",
          })
          .post("/parsed", ({ body }) => body);
        // Without aot, Elysia does not know `parse: "none"`.
        for (const path of aot ? ["/raw", "/parsed"] : ["/parsed"]) {
          const init = {
            method: "POST",
            body: '{"a":1}',
            headers: { "Content-Type": "application/json" },
          };
          const [, text] = await visit(app, storage, path, init);
          assertEquals(text, '{"a":1}', path);
        }
      });

      Deno.test(`session() of a plugin serves the plugin's routes, with aot: ${aot}`, async () => {
        const storage = stored();
        const plugin = new Elysia({ aot })
          .use(session(storage))
          .get("/plugin", ({ session }) => {
            session.set("visits", 1);
            return "plugin";
          });
        const app = new Elysia({ aot })
          .use(plugin)
          .get("/own", (context) => String("session" in context));
        assertEquals(await visit(app, storage, "/plugin"), [200, "plugin", 1]);
        assertEquals(
          await visit(app, storage, "/own"),
          [200, "false", undefined],
        );
      });
    }

    Deno.test("session() lets Elysia parse the body only where a handler uses it", async () => {
      const app = new Elysia()
        .use(session(stored()))
        .post("/", async ({ request }) => await request.text());
      const request = new Request("http://localhost/", {
        method: "POST",
        body: "raw",
        headers: { "Content-Type": "text/plain" },
      });
      assertEquals(await (await app.handle(request)).text(), "raw");
    });

    Deno.test("session() sends the cookie with a stream of a generator, after which a change throws", async () => {
      const storage = stored();
      const late: unknown[] = [];
      const app = new Elysia()
        .use(session(storage))
        .get("/", function* ({ session }) {
          session.set("visits", 1);
          yield "first";
          try {
            session.set("visits", 2);
          } catch (error) {
            late.push((error as { code?: unknown }).code);
          }
          yield "last";
        });
      const { headers, body } = await app.handle(
        new Request("http://localhost/"),
      );
      const cookie = cookieHeader(headers.get("Set-Cookie") ?? "");
      const reader = body!.getReader();
      while (!(await reader.read()).done);
      assertEquals(late, ["late-change"]);
      assertEquals((await storage.getSession(cookie)).get("visits"), 1);
    });

    Deno.test("session() is a 500, when a value cannot be saved", async () => {
      const app = new Elysia()
        .use(session(createMemorySessionStorage()))
        .get("/", ({ session }) => {
          session.set("when", new Date(0));
          return "handled";
        });
      const response = await app.handle(new Request("http://localhost/"));
      assertEquals(response.status, 500);
      assertMatch(await response.text(), /"when"/);
    });

    Deno.test("session() answers with onUnavailable, when the engine fails", async () => {
      const engine = new FakeEngine();
      const storage = createSessionStorage<Data>({ engine, cookie: {} });
      const urls: string[] = [];
      const app = new Elysia()
        .use(session(storage, {
          onUnavailable: ({ code }, { request }) => {
            urls.push(request.url);
            return new Response(code, { status: 502 });
          },
        }))
        .get("/", ({ session }) => {
          session.set("visits", 1);
          return "handled";
        });
      engine.play("write", "fail");
      const response = await app.handle(new Request("http://localhost/"));
      assertEquals([response.status, await response.text()], [
        502,
        "store-failed",
      ]);
      assertEquals(urls, ["http://localhost/"]);
    });

    Deno.test("session() refuses a second session under one key", async () => {
      const app = new Elysia()
        .use(session(stored()))
        .use(session(createMemorySessionStorage({ cookie: { name: "b" } })))
        .get("/", () => "handled");
      const response = await app.handle(new Request("http://localhost/"));
      assertEquals(response.status, 500);
      assertMatch(await response.text(), /pass another \{ key \}/);
    });

    Deno.test("session() refuses at mounting an older Elysia, and what is something else", () => {
      const old = {
        onRequest() {},
        onError() {},
        derive() {},
        handle: () => Promise.resolve(new Response()),
      };
      for (const app of [old, {}]) {
        assertThrows(
          () => session(stored())(app as never),
          TypeError,
          "this plugin is for Elysia 1.3 and later",
          rowName(app),
        );
      }
    });
  },
);
