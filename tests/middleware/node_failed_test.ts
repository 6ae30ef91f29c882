// deno-lint-ignore-file no-console -- the default onError prints there
// Handlers that fail: nothing is committed but a logout.
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { RequestListener } from "node:http";
import type { SessionStorage } from "../../storage/contract.ts";
import { session as express } from "../../middleware/express.ts";
import { session as node } from "../../middleware/node.ts";
import { rowName } from "../_row.ts";
import { type Data, Fixture, serving, withExpress } from "./_serve.ts";

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

interface Options {
  isFailure?: (status: number) => boolean;
}

/** Serves a handler that changes the session, then answers with a status or throws. */
type Host = (
  storage: SessionStorage<Data>,
  handle: (session: Any, req: Any, res: Any) => unknown,
  options?: Options,
) => RequestListener;

const onNode: Host = (storage, handle, options) =>
  node(
    storage,
    (req: Any, res: Any, session) => handle(session, req, res),
    options,
  );

/** Answers `/500` with 500, or throws at `/throw`. */
function answer(req: Any, res: Any): void {
  if (req.url === "/throw") throw new Error("the handler failed");
  res.statusCode = Number(req.url.slice(1));
  res.end("answered");
}

const CLEARED = /^__session=; .*Expires=Thu, 01 Jan 1970/;

function register(name: string, host: Host): void {
  const test = (title: string, fn: () => Promise<void>) =>
    Deno.test(`${name}: session() ${title}`, async () => {
      const { error } = console;
      console.error = () => {};
      try {
        await fn();
      } finally {
        console.error = error;
      }
    });

  test("commits nothing, when a handler fails, and everything otherwise", async () => {
    for (const path of ["/500", "/503", "/599", "/throw", "/404", "/303"]) {
      const fixture = await Fixture.create();
      const isFailure = /5|throw/.test(path);
      await serving(
        host(fixture.storage, (session, req, res) => {
          session.set("userId", 8);
          answer(req, res);
        }),
        async (client) => {
          const { status, setCookies } = await client.request(
            path,
            fixture.cookie,
          );
          const expected = path === "/throw" ? 500 : Number(path.slice(1));
          assertEquals(status, expected, path);
          // A save that keeps the id does not send the cookie again.
          assertEquals(setCookies, [], path);
        },
      );
      assertEquals(await fixture.userId(), isFailure ? 7 : 8, path);
    }
  });

  test("ends the record and clears the cookie, when a handler fails after a logout", async () => {
    for (const path of ["/500", "/503", "/throw", "/404", "/401", "/204"]) {
      const fixture = await Fixture.create();
      await serving(
        host(fixture.storage, (session, req, res) => {
          session.destroy();
          answer(req, res);
        }),
        async (client) => {
          const { status, setCookies, headers } = await client.request(
            path,
            fixture.cookie,
          );
          const expected = path === "/throw" ? 500 : Number(path.slice(1));
          assertEquals(status, expected, path);
          assertEquals(setCookies.length, 1, path);
          assertMatch(setCookies[0]!, CLEARED, rowName(path));
          assertMatch(headers.get("cache-control")!, /private|no-store/, path);
        },
      );
      assertEquals(await fixture.userId(), undefined, path);
    }
  });

  test("sends the answer to a failure all the same, when its logout cannot be saved", async () => {
    for (const path of ["/500", "/throw"]) {
      const fixture = await Fixture.create();
      await serving(
        host(fixture.storage, (session, req, res) => {
          session.destroy();
          for (const verb of ["write", "delete"] as const) {
            fixture.engine.play(verb, "fail", "fail");
          }
          answer(req, res);
        }),
        async (client) => {
          const answer = await client.request(path, fixture.cookie);
          assertEquals(answer.status, 500, path);
          if (path === "/500") assertEquals(answer.text, "answered", path);
          assertEquals(answer.setCookies, [], "a cookie that still works");
        },
      );
      assertEquals(fixture.events.includes("engine-error"), true, path);
    }
  });

  test("asks isFailure which status is a failure", async () => {
    const rows: [Options["isFailure"], string, saved: boolean][] = [
      [(status) => status >= 400, "/404", false],
      [(status) => status >= 400, "/303", true],
      [(status) => status !== 503 && status >= 500, "/503", true],
      [() => false, "/500", true],
      [() => true, "/200", false],
      [undefined, "/500", false],
    ];
    for (const [isFailure, path, saved] of rows) {
      const fixture = await Fixture.create();
      await serving(
        host(fixture.storage, (session, req, res) => {
          session.set("userId", 8);
          answer(req, res);
        }, isFailure && { isFailure }),
        async (client) => void await client.request(path, fixture.cookie),
      );
      assertEquals(
        await fixture.userId(),
        saved ? 8 : 7,
        rowName(isFailure, path),
      );
    }
  });
}

register("node:http", onNode);

await withExpress((application, name) => {
  register(name, (storage, handle, options) => {
    const app = application();
    app.set("env", "test"); // otherwise it prints errors
    app.use(express(storage, options));
    app.use((req: Any, res: Any) => handle(req.session, req, res));
    return app;
  });
});

Deno.test("session() commits nothing, when an asynchronous handler rejects", async () => {
  const fixture = await Fixture.create();
  await serving(
    node(
      fixture.storage,
      async (_req: Any, _res: Any, session) => {
        session.set("userId", 8);
        throw new Error("the handler failed");
      },
      {
        onError: (_error, _req, res: Any) => {
          res.statusCode = 404; // a thrown error is a failure with any status
          res.end("no such page");
        },
      },
    ),
    async (client) => {
      const { status, setCookies } = await client.request("/", fixture.cookie);
      assertEquals([status, setCookies], [404, []]);
    },
  );
  assertEquals(await fixture.userId(), 7);
});

Deno.test("session() saves a logout, when onError throws too", async () => {
  const fixture = await Fixture.create();
  const { error } = console;
  console.error = () => {};
  try {
    await serving(
      node(fixture.storage, (_req: Any, _res: Any, session) => {
        session.destroy();
        throw new Error("the handler failed");
      }, { onError: () => Promise.reject(new Error("so did this")) }),
      async (client) => {
        await client.request("/", fixture.cookie).catch(() => {});
        await fixture.committed.promise;
      },
    );
  } finally {
    console.error = error;
  }
  assertEquals(await fixture.userId(), undefined);
});

Deno.test("session() throws, when isFailure is not a function", () => {
  const { storage } = new Fixture();
  for (
    const mount of [
      () => express(storage, { isFailure: 500 } as Any),
      () => express({ secret: "s", isFailure: true } as Any),
      () => node(storage, () => {}, { isFailure: "500" } as Any),
    ]
  ) {
    assertThrows(
      mount,
      TypeError,
      ": isFailure must be a function, received",
      rowName(mount),
    );
  }
});
