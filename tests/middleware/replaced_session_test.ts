// A handler that puts a session of its own in the place of the middleware's would lose it.
import { assertEquals, assertRejects } from "@std/assert";
import {
  createMemorySessionStorage,
  createSession,
  Session,
} from "../../mod.ts";
import { session as honoSession } from "../../middleware/hono.ts";
import { session as remixSession } from "../../middleware/remix.ts";
import { withPackages } from "../engines/_packages.ts";

const MESSAGE = "a handler has replaced the session in";

await withPackages(
  "Remix 3",
  ["npm:@remix-run/fetch-router@0.20.1"],
  () => import("npm:@remix-run/fetch-router@0.20.1"),
  ({ createRouter }) => {
    Deno.test("session() throws and saves nothing, when a Remix handler replaces the session", async () => {
      const storage = createMemorySessionStorage();
      // deno-lint-ignore no-explicit-any -- the router's own types of its context are not at issue
      const router: any = createRouter({ middleware: [remixSession(storage)] });
      router.get("/", (context: { set(key: object, value: unknown): void }) => {
        context.set(Session, createSession({ userId: 7 }));
        return new Response("in");
      });
      await assertRejects(
        () => router.fetch("http://localhost/"),
        TypeError,
        `${MESSAGE} the context`,
      );
    });
  },
);

await withPackages(
  "Hono",
  ["npm:hono@4.13.19"],
  () => import("npm:hono@4.13.19"),
  ({ Hono }) => {
    Deno.test("session() fails the request and saves nothing, when a Hono handler replaces the session", async () => {
      const errors: string[] = [];
      const app = new Hono<{ Variables: { session: Session } }>();
      app.onError((error, c) => {
        errors.push(error.message);
        return c.text("failed", 500);
      });
      app.use(honoSession(createMemorySessionStorage()));
      app.get("/", (c) => {
        c.set("session", createSession({ userId: 7 }));
        return c.text("in");
      });
      const response = await app.request("/");
      assertEquals(response.status, 500);
      assertEquals(response.headers.get("set-cookie"), null);
      assertEquals(errors.map((each) => each.includes(MESSAGE)), [true]);
    });
  },
);
