// Special to h3 1 and Nitro 2: responses that are a mock, requests to itself, cached handlers and prerendering.
import {
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { createMemorySessionStorage, type Session } from "../../mod.ts";
import { session } from "../../middleware/nitro.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { cookieHeader } from "../core/_support.ts";
import { withPackages } from "../engines/_packages.ts";
import { quietly } from "../_quiet.ts";
import { serving } from "./_serve.ts";
import { rowName } from "../_row.ts";

type Data = Record<string, unknown>;

await withPackages(
  "h3 1",
  ["npm:h3@1.15.11", "npm:node-mock-http@1.0.5", "npm:h3@2.0.8"],
  async () => ({
    h3: await import("npm:h3@1.15.11"),
    mock: await import("npm:node-mock-http@1.0.5"),
    h3v2: await import("npm:h3@2.0.8"),
  }),
  ({ h3, mock, h3v2 }) => {
    /** The session of an event. */
    const sessionOf = (event: { context: unknown }) =>
      (event.context as { session: Session<Data> }).session;

    class Site {
      readonly engine = new FakeEngine();
      readonly storage = createSessionStorage<Data>({
        engine: this.engine,
        cookie: {},
      });
      readonly app = h3.createApp({});
      readonly errors: string[] = [];

      constructor(
        routes: Record<string, (event: Any) => unknown>,
        options?: { onError: boolean },
      ) {
        if (options?.onError) {
          this.app.options.onError = ({ message }, event) => {
            this.errors.push(message);
            event.node.res.end("error page");
          };
        }
        session(this.storage)(this.app);
        for (const [path, handler] of Object.entries(routes)) {
          this.app.use(path, h3.eventHandler(handler));
        }
      }

      /** Requests a path, as on a runtime without Node's server. */
      async request(path: string, cookie = "", headers = {}): Promise<Seen> {
        const response = await h3.toWebHandler(this.app)(
          new Request(`http://localhost${path}`, {
            headers: { ...headers, ...(cookie && { cookie }) },
          }),
        );
        const [setCookie = "", ...others] = response.headers.getSetCookie();
        assertEquals(others, []);
        return {
          status: response.status,
          text: await response.text(),
          cookie: cookieHeader(setCookie),
          headers: response.headers,
        };
      }

      /** What a session holds. */
      async data(cookie: string): Promise<unknown> {
        return (await this.storage.getSession(cookie)).data;
      }
    }

    interface Seen {
      status: number;
      text: string;
      cookie: string;
      headers: Headers;
    }

    const login = (event: Any) => sessionOf(event).set("user", "ann");
    const answers: Record<string, [(event: Any) => unknown, number, string]> = {
      "a text": [() => "Welcome", 200, "Welcome"],
      "an object": [() => ({ a: 1 }), 200, '{"a":1}'],
      "nothing": [() => null, 204, ""],
      "a stream": [
        () => ReadableStream.from([bytes("Welcome")]),
        200,
        "Welcome",
      ],
      "a Response": [
        () => new Response("Welcome", { status: 201 }),
        201,
        "Welcome",
      ],
      "a redirect": [
        (event) => h3.sendRedirect(event, "/home", 303),
        303,
        "/home",
      ],
      "an HTTP error": [
        () => {
          throw h3.createError({ statusCode: 404, message: "gone" });
        },
        404,
        '"statusCode": 404',
      ],
    };
    for (const [name, [answer, status, text]] of Object.entries(answers)) {
      Deno.test(`session() commits before a mock is sent, when a handler answers with ${name}`, async () => {
        const site = new Site({
          "/": (event) => {
            login(event);
            return answer(event);
          },
        });
        const seen = await site.request("/");
        assertEquals(seen.status, status);
        assertStringIncludes(seen.text, text);
        assertEquals(await site.data(seen.cookie), { user: "ann" });
        assertEquals(seen.headers.get("Cache-Control"), "private, no-store");
      });
    }

    Deno.test("session() commits nothing but a logout in a mock, when a handler throws", async () => {
      const site = new Site({
        "/login": login,
        "/throw": (event) => {
          login(event);
          throw new Error("the handler failed");
        },
        "/logout": (event) => {
          sessionOf(event).destroy();
          throw new Error("the handler failed");
        },
      }, { onError: true });
      const failed = await site.request("/throw");
      assertEquals([failed.status, failed.cookie], [500, ""]);
      const session = await site.storage.getSession();
      session.set("user", "ann");
      const cookie = cookieHeader(await site.storage.commitSession(session));
      const gone = await site.request("/logout", cookie);
      assertEquals([gone.status, gone.text], [500, "error page"]);
      assertMatch(gone.headers.get("Set-Cookie") ?? "", /^__session=;/);
      assertEquals(await site.data(cookie), {});
      assertEquals(site.errors, ["the handler failed", "the handler failed"]);
    });

    Deno.test("session() commits nothing, when a handler throws and the page of the error has another status", async () => {
      const site = new Site({
        "/": (event) => {
          login(event);
          throw new Error("the handler failed");
        },
      });
      site.app.options.onError = (_error, event) => {
        event.node.res.statusCode = 200;
        event.node.res.end("sorry");
      };
      const { status, text, cookie } = await site.request("/");
      assertEquals([status, text, cookie], [200, "sorry", ""]);
      await serving(h3.toNodeListener(site.app), async (client) => {
        const { status, text, cookie } = await client.request("/");
        assertEquals([status, text, cookie], [200, "sorry", ""], "on Node");
      });
    });

    for (const [name, body] of [["text", "Welcome"], ["stream", null]]) {
      Deno.test(`session() answers with 503 in a mock, when the engine fails and the answer is a ${name}`, async () => {
        let cancelled = false;
        const site = new Site({
          "/": (event) => {
            login(event);
            return body ?? new ReadableStream({
              cancel() {
                cancelled = true;
              },
            });
          },
        });
        site.engine.play("write", "fail");
        const seen = await site.request("/");
        assertEquals([seen.status, seen.text, seen.cookie], [
          503,
          "Service Unavailable",
          "",
        ]);
        assertEquals(cancelled, body === null);
      });
    }

    Deno.test("session() leaves the error to the application, when a value cannot be saved", async () => {
      const site = new Site({
        "/": (event) => {
          sessionOf(event).set("when", new Date(0));
          return "Welcome";
        },
      }, { onError: true });
      const seen = await site.request("/");
      assertEquals([seen.status, seen.text, seen.cookie], [
        500,
        "error page",
        "",
      ]);
      assertMatch(site.errors.join(), /"when"/);
      const bare = new Site({
        "/": (event) => {
          sessionOf(event).set("when", new Date(0));
          return "Welcome";
        },
      });
      const { status, text } = await quietly("error", () => bare.request("/"));
      assertEquals([status, text], [500, "Internal Server Error"]);
    });

    /** Requests a route of the same application, as Nitro's `$fetch` does. */
    const fetchItself = (site: Site, path: string, cookie?: string) =>
      mock.fetchNodeRequestHandler(
        h3.toNodeListener(site.app) as never,
        path,
        { headers: cookie ? { cookie } : {} } as never,
      );

    /** A site whose page requests its own API, with the visitor's cookie, with another one, or with none. */
    function nesting(cached = false): Site {
      const site: Site = new Site({
        "/api": (event) => {
          const session = sessionOf(event);
          session.set("inner", session.get("outer") ?? "unknown");
          return "api";
        },
        "/page": async (event) => {
          const session = sessionOf(event);
          session.set("outer", "known");
          if (cached) event.context.cache = { options: { getKey() {} } };
          const { headers } = await fetchItself(
            site,
            "/api",
            h3.getQuery(event)["cookie"] as string,
          );
          assertEquals(headers.getSetCookie().length, cached ? 1 : 0);
          return "page";
        },
      });
      return site;
    }

    Deno.test("session() shares the session with a request to the application itself, and sends one cookie", async () => {
      const site = nesting();
      const first = await site.request("/page");
      const all = { outer: "known", inner: "known" };
      assertEquals(await site.data(first.cookie), all);
      for (const sent of ["", encodeURIComponent(first.cookie)]) {
        site.engine.calls = [];
        const { cookie } = await site.request(
          `/page?cookie=${sent}`,
          first.cookie,
        );
        assertEquals(cookie, "", sent);
        assertEquals(site.engine.calls, ["read", "write"], sent);
      }
      assertEquals(await site.data(first.cookie), all);
    });

    Deno.test("session() does not share the session with what a cached handler requests", async () => {
      const site = nesting(true);
      const { cookie } = await site.request("/page");
      assertEquals(await site.data(cookie), { outer: "known" });
    });

    Deno.test("session() throws in a cached handler", async () => {
      const site = new Site({
        "/own": (event) => {
          event.context.cache = new Map();
          return sessionOf(event).get("user") ?? "nobody";
        },
        "/": (event) => {
          // As Nitro does before it runs one.
          event.context.cache = { options: { getKey() {} } };
          return sessionOf(event).id;
        },
      }, { onError: true });
      assertEquals((await site.request("/")).status, 500);
      assertMatch(site.errors.join(), /this handler is cached/);
      assertEquals((await site.request("/own")).text, "nobody");
    });

    Deno.test("session() ignores the header of Nitro's prerenderer, when a visitor sends it", async () => {
      const site = new Site({
        "/": (event) => sessionOf(event).get("user") ?? "nobody",
      });
      const headers = { "X-Nitro-Prerender": "/" };
      assertEquals((await site.request("/", "", headers)).text, "nobody");
    });

    Deno.test("session() refuses a second session under one key, and a session put in its place", async () => {
      const site = new Site({
        "/": (event) => {
          event.context.session = other;
        },
      }, { onError: true });
      const other = await site.storage.getSession();
      assertEquals((await site.request("/")).status, 500);
      assertMatch(site.errors.join(), /has replaced the session/);
      session(createMemorySessionStorage({ cookie: { name: "b" } }))(site.app);
      assertEquals((await site.request("/")).status, 500);
      assertMatch(site.errors.at(-1) ?? "", /pass another \{ key \}/);
    });

    Deno.test("session() refuses at mounting what is not h3 1", () => {
      const plugin = session(createMemorySessionStorage());
      for (const app of [{}, { h3App: {} }, new h3v2.H3()]) {
        assertThrows(
          () => plugin(app as never),
          TypeError,
          "in Nitro 3 and h3 2, write app.use(session(storage))",
          rowName(app),
        );
      }
    });
  },
);

// deno-lint-ignore no-explicit-any -- an event of h3
type Any = any;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
