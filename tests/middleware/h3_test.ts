// Special to h3: it makes a response or an error of any value that a handler returns.
import { assertEquals } from "@std/assert";
import { createMemorySessionStorage } from "../../mod.ts";
import type { Session } from "../../core/session.ts";
import { session } from "../../middleware/h3.ts";
import { withPackages } from "../engines/_packages.ts";
import { cookieHeader } from "../core/_support.ts";

await withPackages(
  "h3",
  ["npm:h3@2.0.8"],
  () => import("npm:h3@2.0.8"),
  ({ H3, HTTPResponse, noContent }) => {
    const answers: Record<string, () => unknown> = {
      "nothing": () => undefined,
      "nothing, later": async () => {},
      "null": () => null,
      "no content": () => noContent(),
      "an object": () => ({ ok: true }),
      "an object that has headers": () => ({ headers: new Headers() }),
      "h3's own response": () => new HTTPResponse("Welcome"),
      "a Response": () => new Response("Welcome"),
      "a redirect": () => Response.redirect("http://localhost/"),
    };
    for (const [name, answer] of Object.entries(answers)) {
      Deno.test(`session() sends the cookie of a login, when a route returns ${name}`, async () => {
        const storage = createMemorySessionStorage({ cookie: {} });
        const app = new H3({ silent: true }).use(session(storage));
        app.post("/login", (event) => {
          const session = event.context["session"] as Session;
          session.regenerateId();
          session.set("userId", "ann");
          return answer();
        });
        const response = await app.request("/login", { method: "POST" });
        const [setCookie = "", ...others] = response.headers.getSetCookie();
        assertEquals(others, []);
        const found = await storage.getSession(cookieHeader(setCookie));
        assertEquals(found.get("userId"), "ann");
      });
    }

    Deno.test("session() makes the Cache-Control header of an HTTPResponse private", async () => {
      const storage = createMemorySessionStorage({ cookie: {} });
      const app = new H3().use(session(storage)).get("/", (event) => {
        (event.context["session"] as Session).set("a", 1);
        return new HTTPResponse("", {
          headers: { "Cache-Control": "no-cache" },
        });
      });
      const { headers } = await app.request("/");
      assertEquals(headers.get("Cache-Control"), "private, no-cache");
      assertEquals(headers.getSetCookie().length, 1);
    });
  },
);
