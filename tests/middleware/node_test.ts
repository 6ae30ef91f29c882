// What is special to Node: headers that leave before anybody looks, visitors who leave, and errors of what answers errors.
import { assertEquals, assertMatch } from "@std/assert";
import { createServer, type ServerResponse } from "node:http";
import { loader, session as express } from "../../middleware/express.ts";
import { session } from "../../middleware/node.ts";
import type { Session } from "../../core/session.ts";
import type { HttpSessionStorage } from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { cookieHeader } from "../core/_support.ts";
import { FakeBackend } from "../storage/_fake_backend.ts";
import { App } from "./lifecycle/_app.ts";
import { Client } from "./lifecycle/_client.ts";
import { listen } from "./lifecycle/_node.ts";

// deno-lint-ignore no-explicit-any -- a request of Express
type Any = any;
type Handler = (req: Any, res: ServerResponse) => unknown;

/** Serves for as long as `use` takes. */
async function serve(
  handler: Handler,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const server = createServer((req, res) => void handler(req, res));
  const served = await listen(new App(), server);
  try {
    await use(new Client(served.origin));
  } finally {
    await served.stop();
  }
}

async function setUp() {
  const backend = new FakeBackend();
  const storage = createSessionStorage({ backend, cookie: {} });
  const session = await storage.getSession();
  session.set("userId", "ann");
  const cookie = cookieHeader(await storage.commitSession(session));
  backend.calls = [];
  return { backend, storage, cookie };
}

/** Takes what goes to the console. */
function stub(): unknown[] & Disposable {
  const target = console;
  const { error } = target;
  const said: unknown[] = [];
  target.error = (...args: unknown[]) => void said.push(...args);
  return Object.assign(said, {
    [Symbol.dispose]: () => void (target.error = error),
  });
}

/** Runs Express's middleware as Express would, and then a handler. */
function mounted(
  storage: HttpSessionStorage,
  handler: Handler,
  errors: unknown[],
): Handler {
  const middleware = express(storage);
  return (req, res) =>
    middleware(req, res, (error?: unknown) => {
      try {
        if (error) throw error;
        handler(req, res);
      } catch (error) {
        errors.push((error as { code?: string }).code ?? error);
        if (res.headersSent) res.end();
        else res.writeHead(500).end();
      }
    });
}

const early: Record<string, (res: ServerResponse) => void> = {
  "have left": (res) => res.flushHeaders(),
  "and the body have left": (res) => void res.end("late"),
};
for (const [what, send] of Object.entries(early)) {
  Deno.test(`session() saves nothing and throws late-change, where the headers ${what} before it`, async () => {
    const { backend, storage, cookie } = await setUp();
    const errors: unknown[] = [];
    const handle = mounted(storage, (req, res) => {
      (req.session as Session).regenerateId();
      res.end();
    }, errors);
    await serve((req, res) => {
      send(res);
      return handle(req, res);
    }, async (client) => {
      const { setCookies } = await client.request("/", cookie);
      assertEquals(setCookies, []);
      while (errors.length === 0) await client.request("/", cookie);
    });
    assertEquals(errors[0], "late-change");
    assertEquals(backend.calls.filter((call) => call !== "read"), []);
    assertEquals((await storage.getSession(cookie)).get("userId"), "ann");
  });
}

Deno.test("session() carries out a logout, though the visitor leaves before the answer", async () => {
  const { storage, cookie } = await setUp();
  const left = Promise.withResolvers<unknown>();
  const entered = Promise.withResolvers<void>();
  const handler = session(storage, async (_req, res, session) => {
    session.destroy();
    const gone = new Promise((resolve) => res.on("close", resolve));
    entered.resolve();
    await gone;
    left.resolve((await storage.getSession(cookie)).get("userId"));
  });
  await serve(handler, async (client) => {
    const connection = await client.open("/", [`Cookie: ${cookie}`]);
    await entered.promise;
    connection.close();
    assertEquals(await left.promise, undefined);
  });
});

Deno.test("session() answers with what the handler sends after a call that Node refuses", async () => {
  const refused: ((res: Any) => unknown)[] = [
    (res) => res.write(7),
    (res) => res.writeHead(99),
    (res) => {
      res.statusMessage = "a\nb";
      try {
        res.end("text");
      } finally {
        res.statusMessage = "";
      }
    },
  ];
  for (const call of refused) {
    const { storage, cookie } = await setUp();
    let thrown: unknown;
    const handler = session(storage, (_req, res, session) => {
      session.set("visits", 1);
      try {
        call(res);
      } catch (error) {
        thrown = error;
      }
      res.end("fallback");
    });
    await serve(handler, async (client) => {
      const { status, text } = await client.request("/", cookie);
      assertEquals([status, text], [200, "fallback"]);
    });
    assertEquals(thrown instanceof Error, true);
    assertEquals((await storage.getSession(cookie)).get("visits"), 1);
  }
});

Deno.test("session() leaves nothing of the answer that its handler was about to give, when that throws", async () => {
  const { storage, cookie } = await setUp();
  using said = stub();
  await serve(
    session(storage, (_req, res) => {
      res.statusMessage = "Fine";
      res.setHeader("Content-Encoding", "gzip");
      res.setHeader("Cache-Control", "public");
      res.setHeader("Set-Cookie", "a=b");
      throw new Error("the handler failed");
    }),
    async (client) => {
      const { status, text, headers, setCookies } = await client.request(
        "/",
        cookie,
      );
      assertEquals([status, text], [500, "Internal Server Error"]);
      assertEquals(setCookies, []);
      assertEquals(headers.get("cache-control"), null);
    },
  );
  assertEquals(said.map(String), ["Error: the handler failed"]);
});

Deno.test("session() ends the connection, and rejects for nobody, when what answers errors fails too", async () => {
  const { backend, storage, cookie } = await setUp();
  const fail = () => Promise.reject(new Error("the answer failed"));
  const options = { onError: fail, onUnavailable: fail };
  const handler = session(storage, fail, options);
  await serve(handler, async (client) => {
    const ends = () => client.request("/", cookie).then(() => "", () => "cut");
    assertEquals(await ends(), "cut");
    backend.play("read", "fail");
    assertEquals(await ends(), "cut");
  });
});

Deno.test("session() of Express hands an onUnavailable that rejects to next()", async () => {
  const { backend, storage, cookie } = await setUp();
  const errors: unknown[] = [];
  const middleware = express(storage, {
    onUnavailable: () => Promise.reject(new Error("the answer failed")),
  });
  backend.play("read", "fail");
  await serve((req, res) =>
    middleware(req, res, (error?: unknown) => {
      errors.push(String(error));
      res.end();
    }), async (client) => {
    await client.request("/", cookie);
  });
  assertEquals(errors, ["Error: the answer failed"]);
});

Deno.test("loader() sends a stream as it comes, and ends it where the visitor leaves", async () => {
  const { storage } = await setUp();
  const cancelled = Promise.withResolvers<void>();
  const run = loader(() =>
    new Response(
      new ReadableStream({
        start(stream) {
          stream.enqueue(new TextEncoder().encode("data: 1\n\n"));
        },
        cancel: () => cancelled.resolve(),
      }),
      { headers: { "Content-Type": "text/event-stream" } },
    )
  );
  const middleware = express(storage);
  await serve((req, res) =>
    middleware(req, res, () => {
      const { setHeader } = res;
      Object.assign(res, {
        status: (code: number) => res.statusCode = code,
        append: setHeader.bind(res),
      });
      return run(req, res);
    }), async (client) => {
    const response = await fetch(client.origin);
    const reader = response.body?.getReader();
    const { value } = await reader?.read() ?? {};
    assertMatch(new TextDecoder().decode(value), /^data: 1/);
    await reader?.cancel();
    await cancelled.promise;
  });
});
