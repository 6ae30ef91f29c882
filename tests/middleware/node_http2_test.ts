// Node's HTTP/2 responses, which differ from those of HTTP/1 in some details.
import { assertEquals, assertMatch } from "@std/assert";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { session as node } from "../../middleware/node.ts";
import { Fixture } from "./_serve.ts";

// deno-lint-ignore no-explicit-any -- headers, by any name
type Any = any;

Deno.test("session() works over HTTP/2, and does not read the status text", async () => {
  const warnings: string[] = [];
  const warn = ({ message }: Error) => warnings.push(message);
  process.on("warning", warn);
  const { engine, storage } = new Fixture();
  const server = createServer(
    node(storage, (req: Any, res: Any, session) => {
      session.set("a", req.url === "/bad" ? new Date() : 1);
      res.writeHead(201, { "X-A": "1" });
      res.end("two");
    }, {
      onError: (_error, _req, res) => {
        res.statusCode = 500;
        res.end("failed");
      },
    }),
  );
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`);
  const get = async (path: string) => {
    const request = client.request({ ":path": path });
    const head = Promise.withResolvers<Any>();
    request.on("response", head.resolve);
    let text = "";
    for await (const chunk of request) text += chunk;
    return { ...await head.promise, text };
  };
  try {
    const good = await get("/");
    assertEquals([good[":status"], good["x-a"], good.text], [201, "1", "two"]);
    assertMatch(String(good["set-cookie"]), /^__session=/);
    const bad = await get("/bad");
    assertEquals([bad[":status"], bad.text], [500, "failed"]);
    engine.play("write", "fail");
    assertEquals((await get("/"))[":status"], 503);
  } finally {
    client.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    process.off("warning", warn);
  }
  assertEquals(warnings, []);
});
