// Special to Hono: its etag() makes a 304 of a page that has not changed.
import { assertEquals } from "@std/assert";
import { createMemorySessionStorage, type Session } from "../../mod.ts";
import { session } from "../../middleware/hono.ts";
import { withPackages } from "../engines/_packages.ts";

await withPackages(
  "Hono's etag()",
  ["npm:hono@4.13.19"],
  async () => ({
    ...await import("npm:hono@4.13.19"),
    ...await import("npm:hono@4.13.19/etag"),
  }),
  ({ Hono, etag }) => {
    Deno.test("session() sends the cookie with a 304 too, when etag() is after it", async () => {
      const app = new Hono<{ Variables: { session: Session } }>();
      app.use(session(createMemorySessionStorage()));
      app.use(etag());
      app.get("/", (c) => {
        c.var.session.set("seen", true);
        return c.text("the same page");
      });
      const first = await app.request("/");
      const tag = first.headers.get("etag") ?? "";
      const again = await app.request("/", {
        headers: { "If-None-Match": tag },
      });
      assertEquals([again.status, again.headers.getSetCookie().length], [
        304,
        1,
      ]);
    });
  },
);
