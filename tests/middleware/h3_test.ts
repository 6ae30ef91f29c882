// Special to h3: it makes a response or an error of any value that a handler returns.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemorySessionStorage } from "../../mod.ts";
import type { Session } from "../../core/session.ts";
import { session as expressSession } from "../../middleware/express.ts";
import { session } from "../../middleware/h3.ts";
import { quietly } from "../_quiet.ts";
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

await withPackages(
  "h3 1",
  ["npm:h3@1.15.11"],
  () => import("npm:h3@1.15.11"),
  ({ createApp, eventHandler, fromNodeMiddleware, toNodeListener }) => {
    /** Serves a page that counts its visits, and visits it twice. */
    async function visitTwice(
      // deno-lint-ignore no-explicit-any -- h3 1's own types are not this middleware's
      middleware: any,
      // deno-lint-ignore no-explicit-any -- as above
      sessionOf: (event: any) => Session,
    ): Promise<string[]> {
      const errors: string[] = [];
      const app = createApp({
        onError: ({ cause }) => void errors.push((cause as Error).message),
      });
      app.use(middleware);
      app.use(eventHandler((event) => {
        const session = sessionOf(event);
        session.set("visits", (session.get("visits") ?? 0) + 1);
        return `Visit ${session.get("visits")}`;
      }));
      const server = createServer(toNodeListener(app));
      await new Promise<void>((resolve) =>
        server.listen(0, "127.0.0.1", resolve)
      );
      try {
        const { port } = server.address() as AddressInfo;
        const first = await fetch(`http://127.0.0.1:${port}/`);
        const cookie = cookieHeader(first.headers.get("set-cookie") ?? "");
        const pages = [await first.text()];
        const next = await fetch(`http://127.0.0.1:${port}/`, {
          headers: { cookie },
        });
        pages.push(await next.text());
        return errors.length > 0 ? errors : pages;
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    }

    Deno.test("session() of Express works in h3 1, by fromNodeMiddleware()", async () => {
      const storage = createMemorySessionStorage();
      const pages = await visitTwice(
        fromNodeMiddleware(expressSession(storage)),
        ({ node }) => node.req.session,
      );
      assertEquals(pages, ["Visit 1", "Visit 2"]);
    });

    Deno.test("session() says what to write instead, in h3 1", async () => {
      const storage = createMemorySessionStorage();
      // h3 prints each error that it did not expect.
      const [message = ""] = await quietly("error", () =>
        visitTwice(
          eventHandler(session(storage) as never),
          ({ context }) => context.session,
        ));
      assertStringIncludes(
        message,
        "write session(storage)(app)",
      );
    });
  },
);
