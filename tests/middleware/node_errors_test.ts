// deno-lint-ignore-file no-console -- unhandled errors are printed there
// Errors in the functions that handle errors.
import { assertEquals, assertRejects } from "@std/assert";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session } from "../../core/session.ts";
import { session as express } from "../../middleware/express.ts";
import { session as node } from "../../middleware/node.ts";
import { type Data, Fixture, serving } from "./_serve.ts";

type Req = IncomingMessage;
type Res = ServerResponse;

/** Runs a test without printing errors, and returns them. */
async function quietly(run: () => Promise<void>): Promise<unknown[]> {
  const { error } = console;
  const errors: unknown[] = [];
  console.error = (...args: unknown[]) => errors.push(...args);
  try {
    await run();
  } finally {
    console.error = error;
  }
  return errors;
}

Deno.test("session() passes the error of an asynchronous onUnavailable to next()", async () => {
  const { engine, storage } = new Fixture();
  const middleware = express(storage, {
    onUnavailable: () => Promise.reject(new Error("no page for that")),
  });
  const nexts: unknown[] = [];
  const cookie = (await Fixture.create()).cookie;
  await serving((req, res) => {
    middleware(req, res, (error?: unknown) => {
      if (error) {
        nexts.push((error as Error).message);
        res.statusCode = 500;
      } else {
        const { session } = req as unknown as { session: Session<Data> };
        session.set("a", 1);
      }
      res.end("done");
    });
  }, async (client) => {
    engine.play("read", "fail");
    assertEquals((await client.request("/", cookie)).status, 500);
    engine.play("write", "fail");
    assertEquals((await client.request("/")).status, 500);
  });
  assertEquals(nexts, ["no page for that", "no page for that"]);
});

Deno.test("session() closes the connection, when the outermost onError throws", async () => {
  const { engine, storage } = new Fixture();
  const { cookie } = await Fixture.create();
  const reject = () => Promise.reject(new Error("not even that"));
  const errors = await quietly(async () => {
    await serving(
      node(storage, (req: Req, res: Res, session) => {
        session.set("a", 1);
        if (req.url === "/throw") throw new Error("the handler failed");
        res.end("never");
      }, { onUnavailable: reject, onError: reject }),
      async (client) => {
        await assertRejects(() => client.request("/throw"), TypeError);
        engine.play("read", "fail");
        await assertRejects(() => client.request("/", cookie), TypeError);
        engine.play("write", "fail");
        await assertRejects(() => client.request("/"), TypeError);
      },
    );
  });
  assertEquals(errors.map((error) => (error as Error).message), [
    "not even that",
    "not even that",
    "not even that",
  ]);
});

Deno.test("session() answers an error without the headers of the failed response", async () => {
  const errors = await quietly(async () => {
    await serving(
      node(new Fixture().storage, (_req: Req, res: Res) => {
        res.statusMessage = "Created";
        res.setHeader("Content-Encoding", "gzip");
        res.setHeader("Cache-Control", "public, max-age=3600");
        res.setHeader("ETag", '"1"');
        res.setHeader("Set-Cookie", "a=1");
        throw new Error("the handler failed");
      }),
      async (client) => {
        const { status, text, headers } = await client.request("/");
        assertEquals([status, text], [500, "Internal Server Error"]);
        for (
          const name of [
            "content-encoding",
            "cache-control",
            "etag",
            "set-cookie",
          ]
        ) assertEquals(headers.get(name), null, name);
      },
    );
  });
  assertEquals(errors.length, 1);
});
