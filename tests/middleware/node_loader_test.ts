// How Express sends a loader's `Response`: its stream, and its headers beside those that were set before.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { loader, session } from "../../middleware/express.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { Fixture, servingApp, withExpress } from "./_serve.ts";

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

await withExpress(
  (express, name) => {
    const serve = servingApp(express);

    /** A body that sends `parts` and does not end, and a promise for its cancellation. */
    function endless(...parts: string[]) {
      const cancelled = Promise.withResolvers<void>();
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const part of parts) {
            controller.enqueue(new TextEncoder().encode(part));
          }
        },
        cancel: () => cancelled.resolve(),
      });
      return { body, cancelled: cancelled.promise };
    }

    Deno.test(`${name}: loader() streams a body, and cancels it when the visitor disconnects`, async () => {
      const storage = createSessionStorage({
        engine: new FakeEngine(),
        cookie: {},
      });
      const { body, cancelled } = endless("data: 1\n\n");
      await serve((app) => {
        app.use(session(storage));
        app.get(
          "/",
          loader(({ session }) => {
            session.set("a", 1);
            return new Response(body, {
              headers: { "Content-Type": "text/event-stream" },
            });
          }),
        );
      }, async (client) => {
        const connection = await client.open("/");
        const decoder = new TextDecoder();
        let seen = "";
        while (!seen.includes("data: 1")) {
          const buffer = new Uint8Array(4096);
          const size = await connection.read(buffer);
          seen += decoder.decode(buffer.subarray(0, size ?? 0));
        }
        assertMatch(seen, /set-cookie: __session=/i);
        connection.close();
        await cancelled;
      });
    });

    Deno.test(`${name}: loader() does not read its body to the end, while the session is saved`, async () => {
      const engine = new FakeEngine();
      const storage = createSessionStorage({ engine, cookie: {} });
      const part = new TextEncoder().encode("x".repeat(10_000));
      const turns = async () => {
        for (let i = 0; i < 20; i++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      let pulled = 0;
      const held: number[] = [];
      engine.play("write", {
        async before() {
          await turns();
          held.push(pulled);
          await turns();
          held.push(pulled);
        },
      });
      await serve((app) => {
        app.use(session(storage));
        app.get(
          "/",
          loader(({ session }) => {
            session.set("a", 1);
            return new Response(
              new ReadableStream({
                pull(controller) {
                  if (pulled++ < 200) controller.enqueue(part);
                  else controller.close();
                },
              }),
            );
          }),
        );
      }, async (client) => {
        assertEquals((await client.request("/")).text.length, 2_000_000);
      });
      assertEquals(held[0], held[1]);
      assert(held[0]! < 20, `${held[0]} parts`);
    });

    Deno.test(`${name}: loader() cancels a body that is not sent`, async () => {
      const engine = new FakeEngine();
      const storage = createSessionStorage({ engine, cookie: {} });
      const unsaved = endless("never");
      const head = endless();
      await serve((app) => {
        app.use(session(storage));
        app.get(
          "/unsaved",
          loader(({ session }) => {
            session.set("a", 1);
            return new Response(unsaved.body);
          }),
        );
        app.get("/head", loader(() => new Response(head.body)));
      }, async (client) => {
        engine.play("write", "fail");
        assertEquals((await client.request("/unsaved")).status, 503);
        await unsaved.cancelled;
        const method = "HEAD";
        assertEquals(
          (await client.request("/head", "", { method })).status,
          200,
        );
        await head.cancelled;
      });
    });

    Deno.test(`${name}: loader() does not mix its body into the answer to an error`, async () => {
      await serve((app) => {
        app.use(session({ secret: "s" }));
        app.get(
          "/",
          loader(({ session }) => {
            session.set("a", new Date());
            return new Response(
              new ReadableStream({
                async pull(controller) {
                  await new Promise((resolve) => setTimeout(resolve));
                  controller.enqueue(new TextEncoder().encode("never"));
                },
              }),
            );
          }),
        );
        app.use((_error: Any, _req: Any, res: Any, _next: Any) => {
          res.status(500).write("failed");
          setTimeout(() => res.end("!"), 20);
        });
      }, async (client) => {
        const { status, text } = await client.request("/");
        assertEquals([status, text], [500, "failed!"]);
      });
    });

    Deno.test(`${name}: loader() sends a long body completely, and closes the connection when a body fails`, async () => {
      const parts = Array(50).fill("x".repeat(10_000));
      await serve((app) => {
        app.use(session({ secret: "s" }));
        app.get(
          "/long",
          loader(({ session }) => {
            session.set("a", 1);
            return new Response(
              ReadableStream.from(parts).pipeThrough(new TextEncoderStream()),
            );
          }),
        );
        app.get("/none", loader(() => new Response(null, { status: 204 })));
        app.get(
          "/broken",
          loader(() =>
            new Response(
              new ReadableStream({
                pull: () => Promise.reject(new Error("the body failed")),
              }),
            )
          ),
        );
      }, async (client) => {
        assertEquals((await client.request("/long")).text, parts.join(""));
        assertEquals((await client.request("/none")).status, 204);
        await assertRejects(() => client.request("/broken"), TypeError);
      });
    });

    Deno.test(`${name}: loader() passes an error to next(), and a logout before it holds`, async () => {
      const fixture = await Fixture.create();
      const errors: unknown[] = [];
      await serve((app) => {
        app.use(session(fixture.storage));
        app.get(
          "/throw",
          loader(() => {
            throw new Error("thrown");
          }),
        );
        app.get(
          "/reject",
          loader(({ session }) => {
            session.destroy();
            return Promise.reject(new Error("rejected"));
          }),
        );
        app.get(
          "/circular",
          loader(() => {
            const circular: Any = {};
            return circular.self = circular;
          }),
        );
        app.use((error: Any, _req: Any, res: Any, _next: Any) => {
          errors.push(error.name, error.message);
          res.status(500).end();
        });
      }, async (client) => {
        for (const path of ["/throw", "/circular", "/reject"]) {
          const { status, setCookies } = await client.request(
            path,
            fixture.cookie,
          );
          assertEquals(status, 500, path);
          assertEquals(setCookies.length, path === "/reject" ? 1 : 0, path);
        }
      });
      assertEquals(errors.slice(0, 3), ["Error", "thrown", "TypeError"]);
      assertEquals(errors.slice(4), ["Error", "rejected"]);
      assertEquals(await fixture.userId(), undefined);
    });

    Deno.test(`${name}: loader() replaces headers that were set before, except Set-Cookie and Vary`, async () => {
      await serve((app) => {
        app.use(session({ secret: "s" }));
        app.use((_req: Any, res: Any, next: Any) => {
          res.setHeader("Content-Type", "text/plain");
          res.setHeader("Set-Cookie", "a=1");
          res.setHeader("Vary", "Accept");
          next();
        });
        app.get(
          "/",
          loader(() =>
            new Response("<p>", {
              headers: [
                ["Content-Type", "text/html"],
                ["Set-Cookie", "b=2"],
                ["Set-Cookie", "c=3"],
                ["Vary", "Accept-Language"],
              ],
            })
          ),
        );
      }, async (client) => {
        const { status, text, headers, setCookies } = await client.request("/");
        assertEquals([status, text], [200, "<p>"]);
        assertEquals(headers.get("content-type"), "text/html");
        assertEquals(headers.get("vary"), "Accept, Accept-Language");
        assertEquals(setCookies, ["a=1", "b=2", "c=3"]);
      });
    });
  },
);
