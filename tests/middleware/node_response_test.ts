// Special to Node's responses: headers sent early, disconnects, and arguments that Node rejects.
import { assertEquals, assertMatch } from "@std/assert";
import {
  type IncomingMessage,
  type RequestListener,
  ServerResponse,
} from "node:http";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers";
import type { SessionError } from "../../core/errors.ts";
import { hashId } from "../../core/keys.ts";
import type { Session } from "../../core/session.ts";
import { session as express } from "../../middleware/express.ts";
import { session as node } from "../../middleware/node.ts";
import { codeOf, type Data, Fixture, serving } from "./_serve.ts";

type Req = IncomingMessage;
type Res = ServerResponse;

/** Sends a request with the visitor's cookie, and disconnects after `go`. */
async function visitAndGo(
  { cookie }: Fixture,
  listener: RequestListener,
  go: Promise<unknown>,
  then: Promise<unknown>,
): Promise<void> {
  await serving(listener, async (client) => {
    const connection = await client.open("/", [`Cookie: ${cookie}`]);
    await go;
    connection.close();
    await then;
  });
}

const EARLY: [string, (res: ServerResponse) => void][] = [
  ["had sent its headers", (res) => res.write("early ")],
  ["had ended", (res) => res.end("early ")],
  [
    "ended while the session was read",
    (res) => queueMicrotask(() => res.end("early ")),
  ],
];

for (const [when, before] of EARLY) {
  Deno.test(`session() throws on changes, when the response ${when}`, async () => {
    const { engine, storage } = new Fixture();
    const middleware = express(storage);
    const codes: unknown[] = [];
    await serving((req, res) => {
      before(res);
      middleware(req, res, () => {
        const { session } = req as unknown as { session: Session<Data> };
        codes.push(codeOf(() => session.set("a", 1)));
        if (!res.writableEnded) res.end();
      });
    }, async (client) => {
      assertEquals((await client.request("/")).text, "early ");
    });
    assertEquals(codes, ["late-change"]);
    assertEquals(engine.calls, []);
  });
}

Deno.test("session() throws on a change, when the headers were sent without it", async () => {
  const { engine, storage } = new Fixture();
  const codes: unknown[] = [];
  await serving(
    node(storage, (_req: Req, res: Res, session) => {
      session.set("a", 1);
      ServerResponse.prototype.writeHead.call(res, 202);
      codes.push(codeOf(() => res.end("lost")));
      res.end("sent");
    }),
    async (client) => {
      const { status, text, cookie } = await client.request("/");
      assertEquals([status, text, cookie], [202, "sent", ""]);
    },
  );
  assertEquals(codes, ["late-change"]);
  assertEquals(engine.calls, []);
});

Deno.test("session() drops a change with an event, when the visitor disconnects while the session is read", async () => {
  const fixture = await Fixture.create();
  const { engine, events, storage } = fixture;
  const arrived = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const handled = Promise.withResolvers<unknown>();
  engine.play("read", { before: () => gone.promise });
  const handler = node(storage, (_req: Req, res: Res, session) => {
    session.set("a", 1);
    session.unset("a");
    handled.resolve(codeOf(() => session.regenerateId()));
    res.end();
  });
  await visitAndGo(
    fixture,
    (req, res) => {
      res.on("close", () => gone.resolve());
      void handler(req, res);
      arrived.resolve();
    },
    arrived.promise,
    handled.promise,
  );
  assertEquals(await handled.promise, undefined);
  assertEquals(engine.calls, ["read"]);
  assertEquals(events, ["late-save"]);
  assertEquals(await fixture.userId(), 7);
});

Deno.test("session() saves a logout, when the visitor disconnects before the response", async () => {
  const fixture = await Fixture.create();
  const destroyed = Promise.withResolvers<void>();
  await visitAndGo(
    fixture,
    node(fixture.storage, (_req: Req, _res: Res, session) => {
      session.destroy();
      destroyed.resolve();
    }),
    destroyed.promise,
    fixture.committed.promise,
  );
  assertEquals(await fixture.userId(), undefined);
});

Deno.test("session() reports a change that it drops, when the visitor disconnects after it", async () => {
  const fixture = await Fixture.create();
  const changed = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  await visitAndGo(
    fixture,
    node(fixture.storage, (_req: Req, res: Res, session) => {
      session.set("userId", 8);
      res.on("close", () => left.resolve());
      changed.resolve();
    }),
    changed.promise,
    left.promise,
  );
  assertEquals(fixture.events, ["late-save"]);
  const { id } = await fixture.storage.getSession(fixture.cookie);
  assertEquals(fixture.sessions, [hashId(id)]);
  assertEquals(await fixture.userId(), 7);
});

Deno.test("session() saves a logout at once, when the visitor has disconnected before it", async () => {
  const fixture = await Fixture.create();
  const arrived = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const codes: unknown[] = [];
  await visitAndGo(
    fixture,
    node(fixture.storage, async (_req: Req, res: Res, session) => {
      res.on("close", () => left.resolve());
      arrived.resolve();
      await left.promise;
      session.destroy();
      session.destroy();
      codes.push(session.destroyed, codeOf(() => session.set("userId", 8)));
    }),
    arrived.promise,
    fixture.committed.promise,
  );
  assertEquals(await fixture.userId(), undefined);
  assertEquals(codes, [true, "destroyed"]);
  assertEquals(fixture.events.slice(0, 1), ["destroyed"]);
});

Deno.test("session() saves a logout, when the headers were sent without it", async () => {
  const fixture = await Fixture.create();
  await serving(
    node(fixture.storage, (_req: Req, res: Res, session) => {
      session.destroy();
      ServerResponse.prototype.writeHead.call(res, 202);
      res.end("sent");
    }),
    async (client) => {
      const { status, text } = await client.request("/", fixture.cookie);
      assertEquals([status, text], [202, "sent"]);
      await fixture.committed.promise;
    },
  );
  assertEquals(await fixture.userId(), undefined);
});

Deno.test("session() saves a logout, when the handler closes the connection", async () => {
  const fixture = await Fixture.create();
  await visitAndGo(
    fixture,
    node(fixture.storage, (_req: Req, res: Res, session) => {
      session.destroy();
      res.destroy();
      res.end();
    }),
    fixture.committed.promise,
    Promise.resolve(),
  );
  assertEquals(await fixture.userId(), undefined);
});

Deno.test("session() calls onUnavailable, when a logout cannot be saved after a disconnect", async () => {
  const fixture = await Fixture.create();
  const destroyed = Promise.withResolvers<void>();
  const reported = Promise.withResolvers<SessionError>();
  await visitAndGo(
    fixture,
    node(fixture.storage, (_req: Req, _res: Res, session) => {
      session.destroy();
      for (const verb of ["write", "delete"] as const) {
        fixture.engine.play(verb, "fail");
      }
      destroyed.resolve();
    }, { onUnavailable: (error) => reported.resolve(error) }),
    destroyed.promise,
    reported.promise,
  );
  assertEquals((await reported.promise).code, "store-failed");
});

const REFUSED: [string, string, (res: Res) => void][] = [
  ["a status", "ERR_HTTP_INVALID_STATUS_CODE", (res) => res.writeHead(99)],
  ["a status set before", "ERR_HTTP_INVALID_STATUS_CODE", (res) => {
    res.statusCode = 1000;
    res.end();
  }],
  [
    "its text",
    "ERR_INVALID_CHAR",
    (res) => res.writeHead(200, "two\nlines"),
  ],
  ["its text set before", "ERR_INVALID_CHAR", (res) => {
    res.statusMessage = "two\nlines";
    res.end("never");
  }],
  [
    "a header",
    "ERR_INVALID_CHAR",
    (res) => res.writeHead(200, { "X-A": "\u0100" }),
  ],
  ["a body", "ERR_INVALID_ARG_TYPE", (res) => res.write(7)],
  ["no body", "ERR_STREAM_NULL_VALUES", (res) => res.write(null)],
  [
    "an encoding",
    "ERR_UNKNOWN_ENCODING",
    (res) => res.end("never", "nonsense" as "utf8"),
  ],
];

for (const [what, code, send] of REFUSED) {
  Deno.test(`session() commits with the next response, when Node rejects ${what}`, async () => {
    const { engine, storage } = new Fixture();
    const codes: unknown[] = [];
    await serving(
      node(storage, (_req: Req, res: Res, session) => {
        session.set("a", 1);
        codes.push(codeOf(() => send(res)));
        session.set("b", 2);
        res.statusCode = 201;
        res.statusMessage = "";
        res.end("sent instead");
      }),
      async (client) => {
        const { status, text, cookie } = await client.request("/");
        assertEquals([status, text], [201, "sent instead"]);
        assertMatch(cookie, /^__session=/);
      },
    );
    assertEquals(codes, [code]);
    assertEquals(engine.calls, ["write"]);
  });
}

Deno.test("session() rejects an invalid later part of the body at once", async () => {
  const codes: unknown[] = [];
  await serving(
    node(new Fixture().storage, (_req: Req, res: Res, session) => {
      session.set("a", 1);
      res.write("a");
      codes.push(codeOf(() => res.write(7)));
      codes.push(codeOf(() => res.end("b", "nonsense" as "utf8")));
      res.end("b");
    }),
    async (client) => assertEquals((await client.request("/")).text, "ab"),
  );
  assertEquals(codes, ["ERR_INVALID_ARG_TYPE", "ERR_UNKNOWN_ENCODING"]);
});

Deno.test("session() pauses a piped stream while it saves, so that little is held", async () => {
  const { engine, storage } = new Fixture();
  const gate = Promise.withResolvers<void>();
  engine.play("write", { before: () => gate.promise });
  const part = "x".repeat(10_000);
  let pulled = 0;
  const source = new Readable({
    read() {
      this.push(pulled++ < 500 ? part : null);
    },
  });
  const turns = async () => {
    for (let i = 0; i < 20; i++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  await serving(
    node(storage, async (_req: Req, res: Res, session) => {
      session.set("a", 1);
      source.pipe(res);
      await turns();
      const held = pulled;
      await turns();
      assertEquals(pulled, held);
      gate.resolve();
    }),
    async (client) => {
      assertEquals((await client.request("/")).text, part.repeat(500));
    },
  );
  assertEquals(pulled, 501);
});

Deno.test("session() does not resume a stream that the handler has paused or taken back", async () => {
  const { engine, storage } = new Fixture();
  const gate = Promise.withResolvers<void>();
  engine.play("write", { before: () => gate.promise });
  const kept = Readable.from(["a", "b", "c"]);
  await serving(
    node(storage, async (_req: Req, res: Res, session) => {
      session.set("a", 1);
      kept.pipe(res);
      await new Promise<void>((resolve) => setImmediate(resolve));
      kept.unpipe(res);
      gate.resolve();
      await new Promise<void>((resolve) => res.once("finish", resolve).end());
    }),
    async (client) => assertEquals((await client.request("/")).text, "a"),
  );
  assertEquals(await Array.fromAsync(kept), ["b", "c"]);
});
