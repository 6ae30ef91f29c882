/** The cookie jar for the tests of applications. */
import { assertEquals, assertThrows } from "@std/assert";
import { createServer } from "node:http";
import { session as express } from "../../middleware/express.ts";
import { session as hono } from "../../middleware/hono.ts";
import { withSession } from "../../middleware/with_session.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { CookieJar } from "../../testing/cookie_jar.ts";
import { rowName } from "../_row.ts";
import { Clock } from "../core/_support.ts";
import { withPackages } from "../engines/_packages.ts";

// deno-lint-ignore no-explicit-any -- packages without types
type Any = any;

/** An answer in the form of supertest and app.inject. */
function answer(...cookies: string[]): { headers: { "set-cookie": string[] } } {
  return { headers: { "set-cookie": cookies } };
}

Deno.test("header() returns what a browser would send", () => {
  const rows: [setCookie: string, to: string, header: string][] = [
    ["a=1", "/", "a=1"],
    ["a=1; Path=/", "/deep/page", "a=1"],
    ["a=1; Path=/admin", "/", ""],
    ["a=1; Path=/admin", "/admin", "a=1"],
    ["a=1; Path=/admin", "/admin/users", "a=1"],
    ["a=1; Path=/admin", "/administrator", ""],
    ["a=1; Path=nonsense", "/", "a=1"],
    ["a=1; Domain=example.com", "https://www.example.com/", "a=1"],
    ["a=1; Domain=.example.com", "https://example.com/", "a=1"],
    ["a=1; Domain=other.example", "https://example.com/", ""],
    ["a=1; Domain=ample.com", "https://example.com/", ""],
    ["a=1", "https://www.example.com/", ""],
    ["a=1; Secure", "https://example.com/", "a=1"],
    ["a=1; Secure", "http://example.com/", ""],
    ["a=1; Max-Age=60", "/", "a=1"],
    ["a=1; Max-Age=0", "/", ""],
    ["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", ""],
    ["a=1; Expires=nonsense", "/", "a=1"],
    ["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", "a=1"],
    ["a=b=c; HttpOnly; SameSite=Lax", "/", "a=b=c"],
    ["=1", "/", ""],
    ["", "/", ""],
  ];
  for (const [setCookie, to, header] of rows) {
    const jar = new CookieJar({ origin: "https://example.com" });
    jar.take(answer(setCookie));
    assertEquals(jar.header(to), header, rowName(setCookie, to));
  }
});

Deno.test("header() returns a cookie without a path below the folder of its page only", () => {
  const rows: [to: string, header: string][] = [
    ["/docs", "a=1"],
    ["/docs/other", "a=1"],
    ["/docs/page/deep", "a=1"],
    ["/", ""],
    ["/docsets", ""],
  ];
  const jar = new CookieJar();
  jar.take(answer("a=1"), "/docs/page");
  for (const [to, header] of rows) assertEquals(jar.header(to), header, to);
});

Deno.test("header() forgets a cookie at its end, and keeps the longest path first", () => {
  const clock = new Clock();
  const jar = new CookieJar({ now: clock.now });
  jar.take(answer("a=1; Path=/; Max-Age=60", "a=2; Path=/deep", "b=3; Path=/"));
  assertEquals(jar.header("/deep"), "a=2; a=1; b=3");
  clock.time += 60_000;
  assertEquals(jar.header("/deep"), "a=2; b=3");
  jar.take(answer("b=; Path=/; Max-Age=0", "a=4; Path=/deep"));
  assertEquals(jar.header("/deep"), "a=4");
  jar.clear();
  assertEquals(jar.header("/deep"), "");
});

Deno.test("take() ignores a cookie for another site", () => {
  const jar = new CookieJar();
  jar.take(answer("a=1; Domain=example.com"), "https://evil.example/");
  assertEquals(jar.header("https://example.com/"), "");
});

Deno.test("take() reads every form of an answer", () => {
  const headers = new Headers();
  headers.append("Set-Cookie", "a=1");
  headers.append("Set-Cookie", "b=2");
  const rows: [Parameters<CookieJar["take"]>[0], header: string][] = [
    [new Response(null, { headers }), "a=1; b=2"],
    [{ headers: { "set-cookie": ["a=1", "b=2"] } }, "a=1; b=2"],
    [{ headers: { "set-cookie": "a=1" } }, "a=1"],
    [{ headers: {} }, ""],
  ];
  for (const [from, header] of rows) {
    const jar = new CookieJar();
    jar.take(from);
    assertEquals(jar.header(), header, rowName(from));
  }
});

Deno.test("secureOverHttp sends __Host- cookies without TLS", () => {
  const set = answer("__Host-s=1; Path=/; Secure; HttpOnly");
  for (const secureOverHttp of [false, true]) {
    const jar = new CookieJar({ secureOverHttp });
    jar.take(set);
    const header = secureOverHttp ? "__Host-s=1" : "";
    const row = rowName(secureOverHttp);
    assertEquals(jar.header(), header, row);
    assertEquals(jar.header("https://localhost/"), "__Host-s=1", row);
  }
});

Deno.test("add() adds the cookies of a header, for the jar's host", () => {
  const jar = new CookieJar({ origin: "http://localhost:8000/" });
  jar.add("a=1; b=2");
  assertEquals(jar.header("/deep"), "a=1; b=2");
  assertEquals(jar.header("https://example.com"), "");
});

Deno.test("new CookieJar() throws, when origin is not a URL", () => {
  for (const origin of ["/", "localhost:8000", "example.com"]) {
    assertThrows(
      () => new CookieJar({ origin }),
      TypeError,
      "origin must be a URL",
      rowName(origin),
    );
  }
});

/** Counts the visits of the pages, and ends the session at `/leave`. */
async function follow(
  visit: (path: string) => Promise<string>,
  name: string,
): Promise<void> {
  assertEquals(await visit("/"), "1", name);
  assertEquals(await visit("/"), "2", name);
  await visit("/leave");
  assertEquals(await visit("/"), "1", name);
}

function storage(): SessionStorage<{ visits: number }> {
  const cookie = { name: "__Host-s", secrets: ["s3cr3t"], secure: true };
  return createMemorySessionStorage({ cookie });
}

type Visited = { get(key: "visits"): number | undefined } & {
  set(key: "visits", value: number): void;
  destroy(): void;
};

function page(path: string, session: Visited): string {
  if (path === "/leave") {
    session.destroy();
    return "left";
  }
  session.set("visits", (session.get("visits") ?? 0) + 1);
  return String(session.get("visits"));
}

Deno.test("fetch() sends and takes cookies, for a handler and over HTTP", async () => {
  const handler = withSession(
    storage(),
    (request, session) =>
      new Response(page(new URL(request.url).pathname, session)),
  );
  const direct = new CookieJar({ secureOverHttp: true }).fetch(handler);
  await follow(async (path) => await (await direct(path)).text(), "direct");

  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    handler,
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const jar = new CookieJar({ origin, secureOverHttp: true });
  const over = jar.fetch(fetch);
  await follow(async (path) => await (await over(path)).text(), "HTTP");
  const request = new Request(`${origin}/`, { headers: { Cookie: "own=1" } });
  assertEquals(await (await over(request)).text(), "2");
  await server.shutdown();
});

Deno.test("fetch() does not follow redirects, so that their cookies are kept", async () => {
  const handler = () =>
    new Response(null, {
      status: 303,
      headers: { Location: "/", "Set-Cookie": "a=1; Path=/" },
    });
  const jar = new CookieJar();
  const answer = await jar.fetch(handler)("/login", { method: "POST" });
  assertEquals([answer.status, jar.header()], [303, "a=1"]);
});

await withPackages(
  "Hono",
  ["npm:hono@4.13.19"],
  async () => await import("npm:hono@4.13.19"),
  ({ Hono }: Any) => {
    const name = "Hono";
    Deno.test(`${name}: a jar for app.request`, async () => {
      const app = new Hono();
      app.use(hono(storage()));
      app.get("*", (c: Any) => c.text(page(c.req.path, c.var.session)));
      const visit = new CookieJar({ secureOverHttp: true })
        .fetch((request) => app.request(request) as Promise<Response>);
      await follow(async (path) => await (await visit(path)).text(), name);
    });
  },
);

await withPackages(
  "supertest",
  ["npm:express@5.3.0", "npm:supertest@7.3.2"],
  async () => ({
    app: (await import("npm:express@5.3.0")).default,
    request: (await import("npm:supertest@7.3.2")).default,
  }),
  ({ app: create, request }: Any) => {
    const name = "supertest";
    Deno.test(`${name}: a jar for its answers`, async () => {
      const app = create();
      app.use(express(storage()));
      app.use((req: Any, res: Any) => res.send(page(req.path, req.session)));
      const server = createServer(app);
      await new Promise<void>((ready) => server.listen(0, ready));
      const jar = new CookieJar({ secureOverHttp: true });
      await follow(async (path) => {
        const answer = await request(server).get(path)
          .set("Cookie", jar.header(path));
        jar.take(answer, path);
        return answer.text;
      }, name);
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    });
  },
);

await withPackages(
  "app.inject",
  ["npm:fastify@5.12.8"],
  async () => (await import("npm:fastify@5.12.8")).default,
  (fastify: Any) => {
    const name = "app.inject";
    Deno.test(`${name}: a jar for its answers`, async () => {
      const { getSession, commitSession } = storage();
      const app = fastify();
      app.get("*", async (request: Any, reply: Any) => {
        const session = await getSession(request.headers.cookie);
        const text = page(request.url, session);
        const setCookie = await commitSession(session);
        return reply.header("Set-Cookie", setCookie).send(text);
      });
      const jar = new CookieJar({ secureOverHttp: true });
      await follow(async (url) => {
        const headers = { cookie: jar.header(url) };
        const answer = await app.inject({ url, headers });
        jar.take(answer, url);
        return answer.body;
      }, name);
      await app.close();
    });
  },
);
