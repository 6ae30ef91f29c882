/** `isCrossOrigin`, and the option `crossOrigin` where frameworks do not differ. */
import { assertEquals, assertThrows } from "@std/assert";
import { session as express } from "../../middleware/express.ts";
import { session as hono } from "../../middleware/hono.ts";
import {
  type CrossOrigin,
  isCrossOrigin,
} from "../../middleware/lifecycle/cross_origin.ts";
import { infoOf } from "../../middleware/lifecycle/node_response.ts";
import { session as node } from "../../middleware/node.ts";
import { withSession } from "../../middleware/with_session.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";

const HERE = "https://example.com";

/** A request to `https://example.com/`. */
function request(method: string, headers: Record<string, string>): Request {
  return new Request(`${HERE}/`, { method, headers });
}

Deno.test("isCrossOrigin() recognizes where a request comes from", () => {
  const rows: [
    method: string,
    headers: Record<string, string>,
    refused: boolean,
  ][] = [
    // Sec-Fetch-Site decides, if it is there.
    ["POST", { "Sec-Fetch-Site": "same-origin" }, false],
    ["POST", { "Sec-Fetch-Site": "none" }, false],
    ["POST", { "Sec-Fetch-Site": "cross-site" }, true],
    ["POST", { "Sec-Fetch-Site": "same-site" }, true],
    ["POST", { "Sec-Fetch-Site": "nonsense" }, true],
    ["POST", { "Sec-Fetch-Site": "same-origin", Origin: "https://a.b" }, false],
    ["POST", { "Sec-Fetch-Site": "cross-site", Origin: HERE }, true],
    ["PUT", { "Sec-Fetch-Site": "cross-site" }, true],
    ["PATCH", { "Sec-Fetch-Site": "cross-site" }, true],
    ["DELETE", { "Sec-Fetch-Site": "cross-site" }, true],
    ["PROPFIND", { "Sec-Fetch-Site": "cross-site" }, true],
    // Otherwise Origin, against Host.
    ["POST", {}, false],
    ["POST", { Origin: HERE }, false],
    ["POST", { Origin: "http://example.com" }, false],
    ["POST", { Origin: "https://www.example.com" }, true],
    ["POST", { Origin: "https://example.com:8443" }, true],
    ["POST", { Origin: "https://example.com.evil.example" }, true],
    ["POST", { Origin: "https://evil.example/https://example.com" }, true],
    ["POST", { Origin: "null" }, true],
    ["POST", { Origin: "example.com" }, true],
    ["POST", { Origin: "https://" }, true],
    ["POST", { Origin: "https://[" }, true],
    ["POST", { Origin: "https://proxy.example", Host: "Proxy.example" }, false],
    ["POST", { Origin: HERE, Host: "proxy.example" }, true],
    ["POST", { "Sec-Fetch-Site": "", Origin: "https://a.b" }, true],
    // These change nothing.
    ["GET", { "Sec-Fetch-Site": "cross-site" }, false],
    ["HEAD", { "Sec-Fetch-Site": "cross-site" }, false],
    ["OPTIONS", { "Sec-Fetch-Site": "cross-site" }, false],
    ["GET", { Origin: "https://evil.example" }, false],
  ];
  for (const [method, headers, refused] of rows) {
    const found = isCrossOrigin(request(method, headers));
    assertEquals(found, refused, rowName(method, headers));
  }
});

Deno.test("isCrossOrigin() trusts the given origins, and only them", () => {
  const trust = ["https://app.example.com", "http://localhost:5173"];
  const rows: [origin: string, refused: boolean][] = [
    ["https://app.example.com", false],
    ["http://localhost:5173", false],
    ["http://app.example.com", true],
    ["https://app.example.com.evil.example", true],
    ["https://other.example.com", true],
    ["null", true],
  ];
  for (const [Origin, refused] of rows) {
    for (
      const headers of [{ Origin }, { Origin, "Sec-Fetch-Site": "same-site" }]
    ) {
      const found = isCrossOrigin(request("POST", headers), { trust });
      assertEquals(found, refused, rowName(headers));
    }
  }
});

Deno.test("isCrossOrigin() reads the host of HTTP/2, and refuses a request without one", () => {
  const headers = { origin: HERE, ":authority": "example.com" };
  assertEquals(isCrossOrigin(infoOf({ method: "POST", headers })), false);
  const bare = { method: "POST", headers: { origin: HERE } };
  assertEquals(isCrossOrigin(infoOf(bare)), true);
});

Deno.test("withSession() refuses a login from another site, before it reads the session", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine });
  let calls = 0;
  const handler = withSession(storage, (_request, session) => {
    calls++;
    session.set("userId", "mallory");
    return new Response("in");
  }, { crossOrigin: "refuse" });
  const response = await handler(
    request("POST", {
      "Sec-Fetch-Site": "cross-site",
      Cookie: `__session=${"a".repeat(24)}`,
    }),
  );

  assertEquals(response.status, 403);
  assertEquals(await response.text(), "Forbidden");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(response.headers.getSetCookie(), []);
  assertEquals([calls, engine.calls], [0, []]);
});

Deno.test("withSession() lets requests of the origins in trust through, and no others", async () => {
  const handler = withSession(
    createMemorySessionStorage(),
    () => new Response("in"),
    { crossOrigin: { trust: ["https://app.example.com"] } },
  );
  const statuses = ["https://app.example.com", "https://evil.example"].map(
    async (Origin) => (await handler(request("POST", { Origin }))).status,
  );
  assertEquals(await Promise.all(statuses), [200, 403]);
});

Deno.test("withSession() lets requests of other origins through, by default", async () => {
  const handler = withSession(
    createMemorySessionStorage(),
    () => new Response("in"),
  );
  const headers = { "Sec-Fetch-Site": "cross-site" };
  assertEquals((await handler(request("POST", headers))).status, 200);
});

Deno.test("withSession() asks onUnavailable for the answer to a refused request", async () => {
  const codes: string[] = [];
  const handler = withSession(
    createMemorySessionStorage(),
    () => new Response("in"),
    {
      crossOrigin: "refuse",
      onUnavailable({ code }) {
        codes.push(code);
        return new Response("a page of our own", { status: 403 });
      },
    },
  );
  const headers = { "Sec-Fetch-Site": "cross-site" };
  const response = await handler(request("POST", headers));
  assertEquals(await response.text(), "a page of our own");
  assertEquals(codes, ["cross-origin"]);
});

Deno.test("session() throws, when crossOrigin is malformed", () => {
  const storage = createMemorySessionStorage();
  const wrong = [
    "allow",
    true,
    null,
    {},
    { trust: "https://a.example" },
    { trust: ["https://a.example/"] },
    { trust: ["a.example"] },
    { trust: ["null"] },
    { trust: [7] },
    { trust: [], trusted: [] },
  ] as unknown as CrossOrigin[];
  for (const crossOrigin of wrong) {
    for (
      const mount of [
        () => withSession(storage, () => new Response(), { crossOrigin }),
        () => hono(storage, { crossOrigin }),
        () => node(storage, () => {}, { crossOrigin }),
        () => express({ secret: "s3cr3t", crossOrigin }),
      ]
    ) {
      assertThrows(
        mount,
        TypeError,
        'crossOrigin must be "refuse" or { trust: ["https://app.example.com"] }',
        rowName(crossOrigin, mount),
      );
    }
  }
  withSession(storage, () => new Response(), { crossOrigin: { trust: [] } });
});
