// Headers that handlers make once and send to every visitor, and the headers for caches.
import { assertEquals, assertMatch } from "@std/assert";
import type { RequestListener } from "node:http";
import type { SessionStorage } from "../../storage/contract.ts";
import { SHARED_CACHE_HEADERS } from "../../middleware/lifecycle/cache.ts";
import { session as express } from "../../middleware/express.ts";
import { session as node } from "../../middleware/node.ts";
import { rowName } from "../_row.ts";
import { type Data, Fixture, serving, withExpress } from "./_serve.ts";

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

type Host = (
  storage: SessionStorage<Data>,
  handle: (session: Any, req: Any, res: Any) => unknown,
) => RequestListener;

/** Ways to send headers that were made once. Some change what they are given, if nobody copied it. */
const SHARED: [name: string, make: () => (res: Any) => unknown][] = [
  ["writeHead(headers)", () => {
    const shared = Object.freeze({ "Set-Cookie": ["own=1"], "X-A": "1" });
    return (res) => res.writeHead(200, shared).end("a");
  }],
  ["writeHead(text, headers)", () => {
    const shared = { "set-cookie": "own=1", Vary: ["Accept"] };
    return (res) => res.writeHead(200, "Fine", shared).end("a");
  }],
  ["writeHead(list)", () => {
    const shared = ["Set-Cookie", "own=1", "X-A", "1"];
    return (res) => res.writeHead(200, shared).end("a");
  }],
  ["writeHead(pairs)", () => {
    const shared = [["Set-Cookie", "own=1"], ["Cache-Control", "public"]];
    return (res) => res.writeHead(200, shared).end("a");
  }],
  ["setHeader(array)", () => {
    const cookies = ["own=1"];
    const vary = ["Accept"];
    return (res) => {
      res.setHeader("Set-Cookie", cookies);
      res.setHeader("Vary", vary);
      res.end("a");
    };
  }],
  ["setHeaders(Headers)", () => {
    const shared = new Headers({ "Set-Cookie": "own=1", "X-A": "1" });
    return (res) => {
      res.setHeaders(shared);
      res.end("a");
    };
  }],
  ["set(object)", () => {
    const shared = { "Set-Cookie": ["own=1"], "Cache-Control": "public" };
    return (res) => {
      if (res.set) res.set(shared).send("a");
      else res.writeHead(200, shared).end("a");
    };
  }],
];

/** Cache-Control as a handler sets it, and as it is sent with a cookie. */
const CACHED: [given: string | string[] | undefined, sent: string][] = [
  [undefined, "private, no-store"],
  ["public, max-age=600", "private, max-age=600"],
  [["s-maxage=600", "max-age=60"], "private, max-age=60"],
  ["private, max-age=60", "private, max-age=60"],
  ["no-store", "no-store"],
];

function register(name: string, host: Host): void {
  Deno.test(`${name}: session() adds no visitor's cookie to headers that are made once`, async () => {
    for (const [way, make] of SHARED) {
      const fixture = await Fixture.create();
      const { storage, cookie } = fixture;
      const send = make();
      await serving(
        host(storage, (session, req, res) => {
          if (req.url.startsWith("/in")) session.set("userId", req.url);
          if (req.url.startsWith("/out")) session.destroy();
          send(res);
        }),
        async (client) => {
          const visits = Array.from({ length: 100 }, async (_, i) => {
            const what = ["in", "out", "stranger", "look"][i % 4]!;
            const { headers, setCookies } = await client.request(
              `/${what}/${i}`,
              what === "look" || what === "out" ? cookie : "",
            );
            const own = setCookies.filter((each) => each === "own=1");
            const ours = setCookies.filter((each) => each !== "own=1");
            const row = rowName(way, what, i);
            assertEquals(own, ["own=1"], row);
            const isQuiet = what === "stranger" || what === "look";
            // Of several logouts at once, each clears the cookie.
            assertEquals(ours.length, isQuiet ? 0 : 1, row);
            const vary = headers.get("vary") ?? "";
            assertEquals(/cookie/i.test(vary), !isQuiet, row);
            const cached = headers.get("cache-control") ?? "";
            assertEquals(/private|no-store/.test(cached), !isQuiet, row);
            if (what === "in") {
              const session = await storage.getSession(ours[0]!.split(";")[0]);
              assertEquals(session.get("userId"), `/in/${i}`, row);
            }
          });
          await Promise.all(visits);
        },
      );
    }
  });

  Deno.test(`${name}: session() keeps an answer with a cookie out of shared caches`, async () => {
    for (const [given, sent] of CACHED) {
      for (const change of ["set", "destroy", "look"]) {
        const { storage, cookie } = await Fixture.create();
        await serving(
          host(storage, (session, _req, res) => {
            if (change === "set") session.regenerateId();
            if (change === "destroy") session.destroy();
            if (given) res.setHeader("Cache-Control", given);
            const targeted = SHARED_CACHE_HEADERS.map((name) => [
              name,
              "max-age=600",
            ]);
            res.writeHead(200, Object.fromEntries(targeted));
            res.end("a");
          }),
          async (client) => {
            const { headers } = await client.request("/", cookie);
            const row = rowName(given, change);
            const isQuiet = change === "look";
            assertEquals(
              headers.get("cache-control"),
              isQuiet ? given && [given].flat().join(", ") || null : sent,
              row,
            );
            for (const name of SHARED_CACHE_HEADERS) {
              assertEquals(headers.has(name), isQuiet, rowName(row, name));
            }
            if (!isQuiet) assertMatch(headers.get("vary")!, /cookie/i, row);
          },
        );
      }
    }
  });
}

register("node:http", (storage, handle) =>
  node(
    storage,
    (req: Any, res: Any, session) => handle(session, req, res),
  ));

await withExpress((application, name) => {
  register(name, (storage, handle) => {
    const app = application();
    app.use(express(storage));
    app.use((req: Any, res: Any) => handle(req.session, req, res));
    return app;
  });
});
