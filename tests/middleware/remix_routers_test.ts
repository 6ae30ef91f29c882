// Remix 3's routers, from the oldest that has context keys on, and what the original's middleware does on them.
import { assertEquals, assertRejects } from "@std/assert";
import { createSession as remixSession } from "@remix-run/session";
import {
  createMemorySessionStorage,
  createSession,
  Session,
} from "../../mod.ts";
import { session } from "../../middleware/remix.ts";
import { withPackages } from "../engines/_packages.ts";
import { cookieHeader } from "../core/_support.ts";

/** A context of any version of the router. */
interface Context {
  get(key: object): Session;
  set(key: object, value: unknown): void;
}

/** A router of any version. */
interface Router {
  get(path: string, handler: (context: Context) => Response): void;
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

type CreateRouter = (options: { middleware: unknown[] }) => Router;

await withPackages(
  "older routers of Remix 3",
  [
    "npm:@remix-run/fetch-router@0.17.0",
    "npm:@remix-run/fetch-router@0.18.2",
    "npm:@remix-run/fetch-router@0.19.1",
    "npm:@remix-run/fetch-router@0.20.1",
  ],
  async () => ({
    tooOld: await import("npm:@remix-run/fetch-router@0.17.0"),
    versions: {
      "0.18.2": await import("npm:@remix-run/fetch-router@0.18.2"),
      "0.19.1": await import("npm:@remix-run/fetch-router@0.19.1"),
      "0.20.1": await import("npm:@remix-run/fetch-router@0.20.1"),
    },
  }),
  ({ tooOld, versions }) => {
    const create = (module: object) =>
      (module as { createRouter: CreateRouter }).createRouter;

    for (const [version, module] of Object.entries(versions)) {
      Deno.test(`session() carries a session from request to request, with fetch-router ${version}`, async () => {
        const Admin = {};
        const router = create(module)({
          middleware: [
            session(createMemorySessionStorage()),
            session(createMemorySessionStorage({ cookie: { name: "admin" } }), {
              key: Admin,
            }),
          ],
        });
        router.get("/", (context) => {
          const visits = (context.get(Session).get("visits") ?? 0) + 1;
          context.get(Session).set("visits", visits);
          return new Response(`${visits} ${context.get(Admin).size}`);
        });
        const first = await router.fetch("http://localhost/");
        const cookie = cookieHeader(first.headers.get("set-cookie") ?? "");
        const second = await router.fetch("http://localhost/", {
          headers: { cookie },
        });
        assertEquals(
          [await first.text(), await second.text()],
          ["1 0", "2 0"],
        );
      });

      Deno.test(`session() throws, when it is mounted twice, with fetch-router ${version}`, async () => {
        const storage = createMemorySessionStorage();
        const router = create(module)({
          middleware: [session(storage), session(storage)],
        });
        router.get("/", () => new Response());
        await assertRejects(
          () => router.fetch("http://localhost/"),
          TypeError,
          "the context already holds a session",
        );
      });

      Deno.test(`session() throws and saves nothing, when a handler puts something else into the context, with fetch-router ${version}`, async () => {
        const values = {
          "a session": createSession({ userId: 7 }),
          "a session of Remix": remixSession(),
          null: null,
        };
        for (const [what, value] of Object.entries(values)) {
          const events: string[] = [];
          const storage = createMemorySessionStorage({
            onEvent: ({ type }) => void events.push(type),
          });
          const router = create(module)({ middleware: [session(storage)] });
          router.get("/", (context) => {
            context.get(Session).set("userId", 7);
            context.set(Session, value);
            return new Response("in");
          });
          await assertRejects(
            () => router.fetch("http://localhost/"),
            TypeError,
            "a handler has replaced the session in the context",
            what,
          );
          assertEquals(events, [], what);
        }
      });
    }

    Deno.test("session() says which router it needs, with fetch-router 0.17.0", async () => {
      const router = create(tooOld)({
        middleware: [session(createMemorySessionStorage())],
      });
      router.get("/", () => new Response());
      await assertRejects(
        () => router.fetch("http://localhost/"),
        TypeError,
        "update @remix-run/fetch-router to 0.18 or newer",
      );
    });
  },
);
