import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { assertSessionError, cookieHeader } from "../core/_support.ts";
import { createCookie } from "../../core/cookie.ts";
import { SessionError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import {
  type RequestHandler,
  type SessionHandler,
  withSession,
} from "../../middleware/with_session.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { rowName } from "../_row.ts";

type Handler = SessionHandler<
  Record<string, unknown>,
  Record<string, unknown>,
  unknown[]
>;

/** Serves on a free port while `use` runs. */
async function serve(
  handler: RequestHandler<[Deno.ServeHandlerInfo<Deno.NetAddr>]>,
  use: (url: string) => Promise<void>,
): Promise<unknown[]> {
  const errors: unknown[] = [];
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    onError(error) {
      errors.push(error);
      return new Response("failed", { status: 500 });
    },
  }, handler);
  try {
    await use(`http://127.0.0.1:${server.addr.port}/`);
  } finally {
    await server.shutdown();
  }
  return errors;
}

/** Sends a request, as a browser without a cookie jar. */
async function request(
  url: string,
  cookie = "",
  init: RequestInit = {},
): Promise<{ response: Response; text: string; cookie: string }> {
  const response = await fetch(url, {
    redirect: "manual",
    headers: cookie ? { cookie } : {},
    ...init,
  });
  const text = await response.text();
  const set = response.headers.getSetCookie();
  return { response, text, cookie: set.map(cookieHeader).join("; ") };
}

function memory(): SessionStorage<Record<string, unknown>> {
  return createMemorySessionStorage({ cookie: { secrets: ["s3cr3t"] } });
}

const count: Handler = (_request, session) => {
  const visits = Number(session.get("visits") ?? 0) + 1;
  session.set("visits", visits);
  return new Response(`visit ${visits}`);
};

Deno.test("withSession() carries a session from request to request", async () => {
  const storages = {
    memory: memory(),
    cookie: createCookieSessionStorage({ cookie: { secrets: ["s3cr3t"] } }),
  };
  for (const [name, storage] of Object.entries(storages)) {
    const errors = await serve(withSession(storage, count), async (url) => {
      const first = await request(url);
      assertEquals(first.text, "visit 1", name);
      const second = await request(url, first.cookie);
      assertEquals(second.text, "visit 2", name);
      assertEquals(
        (await request(url, "__session=forged")).text,
        "visit 1",
        name,
      );
    });
    assertEquals(errors, [], name);
  }
});

Deno.test("withSession() adds nothing to a response, when nothing changed", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine, cookie: {} });
  const looks = withSession(storage, (_request, session) => {
    session.get("visits");
    return new Response("hello");
  });
  const writes = withSession(storage, count);
  const visitor = (await writes(new Request("http://a/"))).headers
    .getSetCookie()
    .map(cookieHeader).join();
  engine.calls = [];
  await serve(looks, async (url) => {
    for (const cookie of ["", "other=1", visitor]) {
      const { response } = await request(url, cookie);
      for (const name of ["set-cookie", "cache-control"]) {
        assertEquals(response.headers.get(name), null, name);
      }
      assert(
        !/cookie/i.test(response.headers.get("vary") ?? ""),
        rowName(cookie),
      );
    }
  });
  assertEquals(engine.calls, ["read"]);
});

Deno.test("withSession() returns the handler's own response object, when it does not send a cookie", async () => {
  const response = new Response("hello");
  const handler = withSession(memory(), () => response);
  assert(await handler(new Request("http://a/")) === response);
});

Deno.test("withSession() keeps shared caches from a response that sets the cookie", async () => {
  const cases: [HeadersInit, string, string][] = [
    [{}, "Cookie", "private, no-store"],
    [
      { "Cache-Control": "private, max-age=60" },
      "Cookie",
      "private, max-age=60",
    ],
    [{ "Cache-Control": "public" }, "Cookie", "private"],
    [
      { "Cache-Control": "public, s-maxage=60, max-age=600" },
      "Cookie",
      "private, max-age=600",
    ],
    [{ "Cache-Control": "no-cache" }, "Cookie", "private, no-cache"],
    [
      { "Cache-Control": 'private="x-a", max-age=5' },
      "Cookie",
      "private, max-age=5",
    ],
    [{ "Cache-Control": "no-store" }, "Cookie", "no-store"],
    [{ Vary: "Accept" }, "Accept, Cookie", "private, no-store"],
    [{ Vary: "Accept, cookie" }, "Accept, cookie", "private, no-store"],
    [{ Vary: " COOKIE " }, "COOKIE", "private, no-store"],
    [{ Vary: "*" }, "*", "private, no-store"],
    [{ Vary: "X-Cookie" }, "X-Cookie, Cookie", "private, no-store"],
  ];
  for (const [headers, vary, cacheControl] of cases) {
    const handler = withSession(memory(), (_request, session) => {
      session.set("a", 1);
      return new Response(null, { headers });
    });
    const response = await handler(new Request("http://a/"));
    assertEquals(response.headers.get("vary"), vary, rowName(headers));
    assertEquals(
      response.headers.get("cache-control"),
      cacheControl,
      rowName(headers),
    );
  }
});

Deno.test("withSession() keeps the handler's own cookies", async () => {
  const handler = withSession(memory(), (_request, session) => {
    session.set("a", 1);
    const response = new Response();
    response.headers.append("Set-Cookie", "one=1");
    response.headers.append("Set-Cookie", "two=2");
    return response;
  });
  await serve(handler, async (url) => {
    const { response } = await request(url);
    const names = response.headers.getSetCookie().map((text) =>
      text.split("=")[0]
    );
    assertEquals(names, ["one", "two", "__session"]);
  });
});

Deno.test("withSession() sends the cookie with responses of every kind", async () => {
  const upstream: RequestHandler<unknown[]> = async () =>
    new Response("from afar", { headers: { "X-Far": "yes" } });
  await serve(upstream, async (far) => {
    const kinds: [
      string,
      () => Response | Promise<Response>,
      number,
      string,
    ][] = [
      ["text", () => new Response("text"), 200, "text"],
      ["redirect()", () => Response.redirect("http://a/b", 303), 303, ""],
      [
        "json()",
        () => Response.json({ a: 1 }, { status: 201 }),
        201,
        '{"a":1}',
      ],
      ["204", () => new Response(null, { status: 204 }), 204, ""],
      ["304", () => new Response(null, { status: 304 }), 304, ""],
      ["fetch()", () => fetch(far), 200, "from afar"],
      [
        "404",
        () => new Response("none", { status: 404, statusText: "Gone away" }),
        404,
        "none",
      ],
      [
        "stream",
        () => new Response(new Blob(["stream"]).stream()),
        200,
        "stream",
      ],
    ];
    for (const [kind, respond, status, body] of kinds) {
      const storage = memory();
      const handler = withSession(storage, async (_request, session) => {
        session.set("kind", kind);
        return await respond();
      });
      const errors = await serve(handler, async (url) => {
        const { response, text, cookie } = await request(url);
        assertEquals([response.status, text], [status, body], kind);
        if (kind === "redirect()") {
          assertEquals(response.headers.get("location"), "http://a/b", kind);
        }
        if (kind === "fetch()") {
          assertEquals(response.headers.get("x-far"), "yes", kind);
        }
        assertEquals(
          (await storage.getSession(cookie)).get("kind"),
          kind,
          kind,
        );
      });
      assertEquals(errors, [], kind);
    }
  });
});

/** Answers that cannot carry a cookie. */
const cookieless: Record<string, () => unknown> = {
  "text": () => "Welcome",
  "an object": () => ({ ok: true }),
  "Response.error()": () => Response.error(),
  "a response that was read": async () => {
    const response = new Response("Welcome");
    await response.text();
    return response;
  },
  "a response of fetch() that was read": async () => {
    const response = await fetch("data:text/plain,Welcome");
    await response.text();
    return response;
  },
  "a response of fetch() that is being read": async () => {
    const response = await fetch("data:text/plain,Welcome");
    response.body?.getReader();
    return response;
  },
};
for (const [name, answer] of Object.entries(cookieless)) {
  Deno.test(`withSession() commits nothing, when a session was changed and the handler returns ${name}`, async () => {
    const storage = createMemorySessionStorage({ cookie: {} });
    const session = await storage.getSession();
    session.set("userId", "ann");
    const cookie = cookieHeader(await storage.commitSession(session));
    const visit = (change: (session: Session) => void) =>
      withSession(storage, async (_request, session) => {
        change(session);
        return await answer() as Response;
      })(new Request("http://localhost/", { headers: { cookie } }));
    await assertSessionError(
      () => visit((session) => session.regenerateId()),
      "late-change",
      "Cannot save session: its response cannot carry the cookie; return a new Response",
    );
    assertEquals((await storage.getSession(cookie)).get("userId"), "ann");
    // Without a cookie to send, the answer is not checked.
    await visit((session) => session.get("userId"));
  });
}

Deno.test("withSession() answers HEAD as it answers GET, without the body", async () => {
  await serve(withSession(memory(), count), async (url) => {
    const first = await request(url, "", { method: "HEAD" });
    assertEquals(first.text, "");
    assertMatch(first.cookie, /^__session=s1/);
    assertEquals((await request(url, first.cookie)).text, "visit 2");
  });
});

Deno.test("withSession() shows a flash message once, after a redirect (Post/Redirect/Get)", async () => {
  const handler = withSession(memory(), (request, session) => {
    if (request.method === "POST") {
      session.flash("notice", "saved");
      return Response.redirect(new URL("/", request.url), 303);
    }
    return new Response(String(session.get("notice") ?? "nothing"));
  });
  await serve(handler, async (url) => {
    const post = await request(url, "", { method: "POST" });
    assertEquals(post.response.status, 303);
    assertEquals((await request(url, post.cookie)).text, "saved");
    assertEquals((await request(url, post.cookie)).text, "nothing");
  });
});

Deno.test("withSession() clears the cookie, when the handler destroys the session", async () => {
  const storage = memory();
  const handler = withSession(storage, (request, session) => {
    if (new URL(request.url).pathname === "/out") session.destroy();
    else session.set("userId", 7);
    return new Response();
  });
  await serve(handler, async (url) => {
    const { cookie } = await request(url);
    const { response } = await request(`${url}out`, cookie);
    assertMatch(
      response.headers.get("set-cookie") ?? "",
      /^__session=; HttpOnly; .*Expires=Thu, 01 Jan 1970/,
    );
    assertEquals((await storage.getSession(cookie)).size, 0);
  });
});

Deno.test("withSession() commits before the response is sent, and throws on changes while its body streams", async () => {
  const storage = memory();
  let thrown: unknown;
  let seen: unknown;
  const handler = withSession(storage, (_request, session) => {
    session.set("early", 1);
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        seen = session.get("early");
        try {
          session.set("late", 1);
        } catch (error) {
          thrown = error;
        }
        controller.enqueue(new TextEncoder().encode("streamed"));
        controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body);
  });
  await serve(handler, async (url) => {
    const { text, cookie } = await request(url);
    assertEquals(text, "streamed");
    assertEquals(seen, 1, "values can still be read");
    assertInstanceOf(thrown, SessionError);
    assertEquals(thrown.code, "late-change");
    assertEquals((await storage.getSession(cookie)).data, { early: 1 });
  });
});

Deno.test("withSession() throws on changes while it commits, because they would not be saved", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine, cookie: {} });
  let error: SessionError | undefined;
  const handler = withSession(storage, (_request, session) => {
    session.set("early", 1);
    engine.play("write", {
      before: async () => {
        error = await assertSessionError(
          () => session.set("late", 1),
          "late-change",
        );
      },
    });
    return new Response();
  });
  const response = await handler(new Request("http://a/"));
  assert(error);
  const cookie = cookieHeader(response.headers.get("set-cookie") ?? "");
  assertEquals((await storage.getSession(cookie)).data, { early: 1 });
});

Deno.test("withSession() clears the cookie, when the cookie's own lifetime has expired", async () => {
  const storages = {
    memory: createMemorySessionStorage({ cookie: { maxAge: 0 } }),
    cookie: createCookieSessionStorage({
      cookie: { secrets: ["s"], maxAge: 0 },
    }),
  };
  for (const [name, storage] of Object.entries(storages)) {
    const handler = withSession(storage, (_request, session) => {
      session.set("a", 1);
      return new Response();
    });
    const response = await handler(new Request("http://a/"));
    assertMatch(
      response.headers.get("set-cookie") ?? "",
      /^__session=; .*1970/,
      name,
    );
  }
});

Deno.test("withSession() throws on changes after the response, even if the session was untouched", async () => {
  let kept: Session<Record<string, unknown>> | undefined;
  const handler = withSession(memory(), (_request, session) => {
    kept = session;
    return new Response();
  });
  await handler(new Request("http://a/"));
  await assertSessionError(() => kept?.set("a", 1), "late-change");
  await assertSessionError(() => kept?.destroy(), "late-change");
});

Deno.test("withSession() commits nothing but a logout, when the handler throws", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine, cookie: {} });
  const started = withSession(storage, count);
  const cookie = cookieHeader(
    (await started(new Request("http://a/"))).headers.get("set-cookie") ?? "",
  );
  const before = engine.record;
  const failure = new Error("handler");
  let kept: Session | undefined;
  const throwing: Handler[] = [
    (_request, session) => {
      kept = session as Session;
      session.set("visits", 9);
      session.regenerateId();
      throw failure;
    },
    async (_request, session) => {
      kept = session as Session;
      session.destroy();
      throw failure;
    },
  ];
  for (const handler of throwing) {
    engine.calls = [];
    const errors = await serve(
      withSession(
        storage,
        handler as SessionHandler<
          Record<string, unknown>,
          Record<string, unknown>,
          unknown[]
        >,
      ),
      async (url) => {
        const { response } = await request(url, cookie);
        assertEquals(response.status, 500, rowName(handler));
        assertEquals(
          response.headers.get("set-cookie"),
          null,
          rowName(handler),
        );
      },
    );
    assertEquals(errors, [failure], rowName(handler));
    if (kept?.destroyed) {
      assertEquals(engine.calls, ["read", "delete"], rowName(handler));
      assertEquals(engine.records.size, 0, rowName(handler));
    } else {
      assertEquals(engine.calls, ["read"], rowName(handler));
      assertEquals(engine.record, before, rowName(handler));
      await assertSessionError(() => kept?.set("late", 1), "late-change", {
        row: rowName(handler),
      });
    }
  }
});

Deno.test("withSession() answers 503 and does not send a cookie, when the engine fails", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine, cookie: {} });
  let handled = 0;
  const handler = withSession(storage, (_request, session) => {
    handled++;
    session.set("a", handled);
    return new Response("done");
  });
  const errors = await serve(handler, async (url) => {
    const { cookie } = await request(url);
    for (const verb of ["read", "write"] as const) {
      engine.play(verb, "fail");
      const { response, text } = await request(url, cookie);
      assertEquals(response.status, 503, rowName(verb));
      assertEquals(response.headers.get("set-cookie"), null, rowName(verb));
      assertEquals(
        response.headers.get("cache-control"),
        "no-store",
        rowName(verb),
      );
      assertEquals(text, "Service Unavailable", rowName(verb));
    }
    assertEquals((await storage.getSession(cookie)).get("a"), 1);
  });
  assertEquals(errors, []);
  assertEquals(handled, 2, "the handler did not run on a failed read");
});

Deno.test("withSession() calls onUnavailable, when the engine fails", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine });
  const codes: string[] = [];
  let cancelled = false;
  const handler = withSession(
    createCookie("s"),
    storage,
    (_request, session) => {
      session.set("a", 1);
      return new Response(
        new ReadableStream({ cancel: () => void (cancelled = true) }),
      );
    },
    {
      onUnavailable(error, request) {
        codes.push(error.code);
        return new Response(`later, ${new URL(request.url).pathname}`);
      },
    },
  );
  engine.play("write", "fail");
  const response = await handler(new Request("http://localhost/cart"));
  assertEquals(await response.text(), "later, /cart");
  assertEquals(codes, ["store-failed"]);
  assert(cancelled, "the body that is not sent is cancelled");
});

Deno.test("withSession() throws, when a value cannot be saved", async () => {
  const storage = createSessionStorage({ engine: new FakeEngine() });
  const handler = withSession(createCookie("s"), storage, (_, session) => {
    session.set("when", new Date());
    return new Response();
  });
  await assertSessionError(
    () => handler(new Request("http://localhost/")),
    "unserializable",
    "when",
  );
});

Deno.test("withSession() reads the session once and commits it once", async () => {
  const inner = memory();
  const calls: string[] = [];
  const storage: typeof inner = {
    ...inner,
    read: (value) => inner.read(value),
    save: (session) => inner.save(session),
    getSession(header) {
      calls.push("get");
      return inner.getSession(header);
    },
    commitSession(session, options) {
      calls.push(`commit ${JSON.stringify(options)}`);
      return inner.commitSession(session, options);
    },
    destroySession: inner.destroySession,
  };
  await withSession(storage, count)(new Request("http://a/"));
  assertEquals(calls, ["get", 'commit {"renew":false}']);
});

Deno.test("withSession() can be nested, for several sessions in one request", async () => {
  const site = createMemorySessionStorage({ cookie: { name: "site" } });
  const admin = createCookieSessionStorage({
    cookie: { name: "admin", secrets: ["s3cr3t"] },
  });
  const handler = withSession(
    site,
    (request, siteSession) =>
      withSession(admin, (request, adminSession) => {
        const { pathname } = new URL(request.url);
        if (pathname !== "/admin") siteSession.set("theme", "dark");
        if (pathname !== "/site") adminSession.set("role", "root");
        return Response.redirect(request.url, 303);
      })(request),
  );
  await serve(handler, async (url) => {
    const both = await request(url);
    assertEquals(both.response.headers.getSetCookie().length, 2);
    assertEquals(both.response.headers.get("vary"), "Cookie");
    assertEquals((await site.getSession(both.cookie)).data, { theme: "dark" });
    assertEquals((await admin.getSession(both.cookie)).data, { role: "root" });
    assertMatch((await request(`${url}site`)).cookie, /^site=[^;]*$/);
    assertMatch((await request(`${url}admin`)).cookie, /^admin=[^;]*$/);
  });
});

Deno.test("withSession() passes the server's other arguments to the handler", async () => {
  const storage = memory();
  const handler = withSession(
    storage,
    (_request, _session, info: Deno.ServeHandlerInfo<Deno.NetAddr>) =>
      new Response(info.remoteAddr.hostname),
  );
  await serve(handler, async (url) => {
    assertEquals((await request(url)).text, "127.0.0.1");
  });
  const worker = withSession(
    storage,
    (_request, _session, env: { name: string }, context: { id: number }) =>
      new Response(env.name + context.id),
  );
  const response = await worker(new Request("http://a/"), { name: "w" }, {
    id: 1,
  });
  assertEquals(await response.text(), "w1");
});

Deno.test("withSession() upgrades a WebSocket, with and without a cookie to send", async () => {
  for (const changes of [false, true]) {
    const storage = memory();
    const handler = withSession(storage, (request, session) => {
      if (changes) session.set("socket", 1);
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) =>
        socket.send(`${data} ${session.get("socket")}`);
      return response;
    });
    const errors = await serve(handler, async (url) => {
      const socket = new WebSocket(url.replace("http", "ws"));
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      socket.onopen = () => socket.send("hello");
      socket.onerror = () => reject(new Error("no socket"));
      socket.onmessage = ({ data }) => resolve(data);
      assertEquals(
        await promise,
        changes ? "hello 1" : "hello undefined",
        rowName(changes),
      );
      const closed = new Promise((done) => socket.onclose = done);
      socket.close();
      await closed;
    });
    assertEquals(errors, [], rowName(changes));
  }
});

Deno.test("withSession() takes a cookie and a storage, as middlewares of Remix 3 do", async () => {
  const cookie = createCookie("sid", { secrets: ["s3cr3t"] });
  const storages = {
    memory: createMemorySessionStorage(),
    cookie: createCookieSessionStorage(),
  };
  for (const [name, storage] of Object.entries(storages)) {
    const handler = withSession(cookie, storage, (_request, session) => {
      session.set("n", (session.get("n") ?? 0) + 1);
      return new Response(String(session.get("n")));
    });
    await serve(handler, async (url) => {
      const first = await request(url);
      assertMatch(first.cookie, /^sid=/, name);
      assertMatch(
        first.response.headers.get("set-cookie") ?? "",
        /HttpOnly/,
        name,
      );
      assertEquals(
        (await request(url, first.cookie)).text,
        "2",
        name,
      );
    });
  }
});

Deno.test("withSession() throws and says what to change, when it cannot work", async () => {
  const { read, save } = createMemorySessionStorage();
  assertThrows(
    () => withSession({ read, save } as never, count),
    TypeError,
    "Cannot use storage: it has only read() and save(), and no cookie; pass a cookie before it: session(cookie, storage)",
  );
  assertThrows(
    () => withSession(createCookie("n"), { getSession() {} } as never, count),
    TypeError,
    "Cannot bind cookie: the storage after it must have read() and save(); pass such a storage, or leave the cookie out",
  );
  assertThrows(
    () => withSession({} as never, count),
    TypeError,
    "Cannot use storage: it is not a session storage; create one, with createMemorySessionStorage() for example",
  );
  assertThrows(
    () => withSession(createCookieSessionStorage(), count),
    TypeError,
    "a cookie storage requires secrets",
  );
  assertThrows(
    () => withSession(memory(), count, { onUnavailabel() {} } as never),
    TypeError,
    'Cannot wrap handler: unknown option "onUnavailabel"; the nearest known one is "onUnavailable"',
  );
  assertThrows(
    () => withSession(createCookie("n"), createCookieSessionStorage(), count),
    TypeError,
    "a cookie storage requires secrets",
  );
  assertThrows(
    () => withSession(memory(), undefined as never),
    TypeError,
    "Cannot wrap handler: handler must be a function, received undefined",
  );
  await assertRejects(
    () =>
      withSession(memory(), (_request, session) => {
        session.set("bad", new Date());
        return new Response();
      })(new Request("http://a/")),
    SessionError,
    'Cannot store "bad"',
  );
});

Deno.test("withSession() calls the functions that an application has put into a storage", async () => {
  const cookie = { name: "s", secrets: ["s3cr3t"] };
  for (
    const create of [createMemorySessionStorage, createCookieSessionStorage]
  ) {
    const storage: SessionStorage = create({ cookie });
    const calls: string[] = [];
    const { getSession, commitSession } = storage;
    const handler = withSession(storage, (_request, session) => {
      session.set("a", 1);
      return new Response();
    });
    storage.getSession = (from) => {
      calls.push("getSession");
      return getSession(from);
    };
    await handler(new Request("http://localhost/"));
    storage.commitSession = (session, options) => {
      calls.push("commitSession");
      return commitSession(session, options);
    };
    await handler(new Request("http://localhost/"));
    storage.getSession = getSession;
    await handler(new Request("http://localhost/"));
    assertEquals(
      calls,
      ["getSession", "getSession", "commitSession", "commitSession"],
      rowName(create.name),
    );
  }
});
