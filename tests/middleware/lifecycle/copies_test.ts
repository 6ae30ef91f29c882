// The copy of a response that carries the cookie has everything else of the handler's own.
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { createMemorySessionStorage } from "../../../storage/memory.ts";
import { withSession } from "../../../middleware/with_session.ts";
import { rowName } from "../../_row.ts";
import { withUpstream } from "./_upstream.ts";

/** The answer of a handler that changes the session, or leaves it untouched. */
async function answerOf(
  make: () => Response | Promise<Response>,
  changes = true,
): Promise<Response> {
  const storage = createMemorySessionStorage({ cookie: {} });
  const handler = withSession(storage, async (_request, session) => {
    if (changes) session.set("a", 1);
    return await make();
  });
  return await handler(new Request("http://localhost/"));
}

Deno.test("withSession() keeps the status text, when it copies a response", async () => {
  const own = new Response("x", { status: 202, statusText: "Nearly" });
  const answer = await answerOf(() => own);
  assertEquals([answer.status, answer.statusText], [202, "Nearly"]);
  assertEquals(await answer.text(), "x");
});

Deno.test("withSession() sends the cookie without a body, when the status has none", async () => {
  for (const status of [204, 205, 304]) {
    const answer = await answerOf(() => new Response(null, { status }));
    assertEquals(answer.status, status, rowName(status));
    assertStrictEquals(answer.body, null, rowName(status));
    assertEquals(answer.headers.getSetCookie().length, 1, rowName(status));
  }
});

Deno.test("withSession() keeps each Set-Cookie of the handler's own, in order", async () => {
  const headers = new Headers();
  for (const name of ["one", "two", "three"]) {
    headers.append(
      "Set-Cookie",
      `${name}=1; Expires=Thu, 01 Jan 2099 00:00:00`,
    );
  }
  const own = new Response("", { headers });
  const answer = await answerOf(() => own);
  assertEquals(
    answer.headers.getSetCookie().map((each) => each.split("=")[0]),
    ["one", "two", "three", "__session"],
  );
  assertEquals(own.headers.getSetCookie().length, 3, "the handler's own");
});

Deno.test("withSession() changes no header of the handler's response", async () => {
  const responses: Record<string, () => Response> = {
    "mutable": () => new Response("x", { headers: { Vary: "Accept" } }),
    "a redirect": () => Response.redirect("http://localhost/"),
    "of JSON": () => Response.json({ a: 1 }),
    "with headers for shared caches": () =>
      new Response("x", {
        headers: {
          "Cache-Control": "public, max-age=600",
          "CDN-Cache-Control": "max-age=60",
        },
      }),
  };
  for (const [name, make] of Object.entries(responses)) {
    const own = make();
    const before = [...own.headers];
    const answer = await answerOf(() => own);
    assertEquals(answer.headers.getSetCookie().length, 1, name);
    assertEquals([...own.headers], before, name);
    assert(answer !== own, name);
    await answer.body?.cancel();
  }
});

Deno.test("withSession() passes on the bytes as they come, when it copies a response", async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let parts = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (parts++ === 1) await opened;
      controller.enqueue(new Uint8Array([parts]));
      if (parts === 2) controller.close();
    },
  });
  const answer = await answerOf(() => new Response(body));
  const reader = answer.body!.getReader();
  assertEquals((await reader.read()).value, new Uint8Array([1]));
  open();
  assertEquals((await reader.read()).value, new Uint8Array([2]));
  assert((await reader.read()).done);
});

Deno.test("withSession() cancels the handler's body, when the visitor leaves", async () => {
  const { promise: cancelled, resolve: cancel } = Promise.withResolvers<
    unknown
  >();
  const body = new ReadableStream({ cancel });
  const answer = await answerOf(() => new Response(body));
  await answer.body!.cancel("left");
  assertEquals(await cancelled, "left");
});

Deno.test("withSession() removes Content-Encoding and Content-Length, when fetch() has decoded the body", async () => {
  await withUpstream(async (origin) => {
    const answer = await answerOf(() => fetch(`${origin}/gzip`));
    assertEquals(answer.headers.get("Content-Encoding"), null);
    assertEquals(answer.headers.get("Content-Length"), null);
    assertEquals(answer.headers.get("Content-Type"), "text/plain");
    assertEquals([answer.status, await answer.text()], [203, "upstream"]);
    const plain = await answerOf(() => fetch(`${origin}/plain`));
    assertEquals(plain.headers.get("Content-Length"), "8", "not compressed");
    assertEquals(await plain.text(), "upstream");
  });
});

Deno.test("withSession() keeps Content-Encoding and Content-Length, when the application has encoded the body", async () => {
  const own = new Response(new Uint8Array([1, 2, 3]), {
    headers: { "Content-Encoding": "gzip", "Content-Length": "3" },
  });
  const answer = await answerOf(() => own);
  assertEquals(answer.headers.get("Content-Encoding"), "gzip");
  assertEquals(answer.headers.get("Content-Length"), "3");
  assertEquals(await answer.bytes(), new Uint8Array([1, 2, 3]));
});

Deno.test("withSession() passes on the answer of fetch(), when Deno serves it, with a changed session or not", async () => {
  await withUpstream(async (origin) => {
    for (const changes of [false, true]) {
      for (const kind of ["plain", "gzip"]) {
        const server = Deno.serve(
          { hostname: "127.0.0.1", port: 0, onListen() {} },
          () => answerOf(() => fetch(`${origin}/${kind}`), changes),
        );
        const response = await fetch(`http://127.0.0.1:${server.addr.port}`);
        const row = rowName(changes, kind);
        assertEquals(await response.text(), "upstream", row);
        assertEquals(
          response.headers.getSetCookie().length,
          changes ? 3 : 2,
          row,
        );
        await server.shutdown();
      }
    }
  });
});

Deno.test("withSession() returns the handler's own response object, when there is no cookie to send", async () => {
  const own = new Response("x");
  assertStrictEquals(await answerOf(() => own, false), own);
});
