// The documented application of TanStack Start, built and served, and what only a whole application shows.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { type Application, build, checkTypes } from "./lifecycle/_built.ts";
import { Client } from "./lifecycle/_client.ts";
import { documentedFiles } from "./lifecycle/_documented.ts";
import { tanStackApplication } from "./lifecycle/tanstack_start.ts";

const route = (path: string, code: string) => `
  import { createFileRoute } from "@tanstack/react-router";
  import { visit } from "../visits";
  import { fail, here, leave } from "../calls";
  export const Route = createFileRoute("${path}")({ ${code} });
`;

const FILES = {
  ...await documentedFiles("TanStack Start"),
  "src/calls.js": `
    import { redirect } from "@tanstack/react-router";
    import { createMiddleware, createServerFn } from "@tanstack/react-start";
    import { sessions } from "./sessions.server";
    export const leave = createServerFn({ method: "POST" }).handler(({ context: { session } }) => {
      session.set("left", 1);
      throw redirect({ to: "/read" });
    });
    export const fail = createServerFn({ method: "POST" }).handler(({ context: { session } }) => {
      session.set("failed", 1);
      throw new Error("failed");
    });
    export const here = createServerFn()
      .middleware([createMiddleware().server(sessions)])
      .handler(() => "never");
  `,
  "src/routes/index.jsx": route(
    "/",
    `
    loader: async () => [await visit(), await visit()].join(),
    component: () => <p>Visits {Route.useLoaderData()}</p>,
  `,
  ),
  "src/routes/leave.jsx": route("/leave", "loader: () => leave()"),
  "src/routes/fail.jsx": route("/fail", "loader: () => fail()"),
  "src/routes/here.jsx": route(
    "/here",
    `
    loader: () => here().catch(({ message }) => message),
    component: () => <p>{Route.useLoaderData()}</p>,
  `,
  ),
  "src/routes/made.jsx": route(
    "/made",
    `
    loader: () => visit().catch(({ message }) => message),
    component: () => <p>{Route.useLoaderData()}</p>,
  `,
  ),
  "src/routes/read.js": route(
    "/read",
    `
    server: { handlers: { GET: ({ context }) => Response.json(context.session.data) } },
  `,
  ),
  "src/routes/button.jsx": route(
    "/button",
    `
    component: () => <button onClick={() => visit()}>{visit.url} {leave.url} {fail.url}</button>,
  `,
  ),
};

/** One page is prerendered. */
const OPTIONS = `
  pages: [{ path: "/made" }],
  prerender: { enabled: true, autoStaticPathsDiscovery: false, crawlLinks: false },
`;

const TYPES = `
  import { createMiddleware, createServerFn, createStart } from "@tanstack/react-start";
  import { createMemorySessionStorage } from "repository/mod.ts";
  import { session, type SessionContext } from "repository/middleware/tanstack_start.ts";
  const storage = createMemorySessionStorage<{ visits: number }>();
  type Context = SessionContext<typeof storage>;
  const sessions = createMiddleware().server<Context>(session(storage));
  export const startInstance = createStart(() => ({ requestMiddleware: [sessions] }));
  export const visit = createServerFn().middleware([sessions]).handler(({ context }) => {
    const visits: number | undefined = context.session.get("visits");
    // @ts-expect-error The data does not have this key.
    context.session.set("other", visits);
    return visits;
  });
`;

const application: Application = {
  ...tanStackApplication(FILES, OPTIONS),
  entries: ["./middleware/tanstack-start"],
};

Deno.test("session() in an application of TanStack Start", async (t) => {
  const built = await build(application);
  const { origin, stop } = await built.serve();
  const client = new Client(origin);
  const read = async (cookie: string) =>
    JSON.parse((await client.request("/read", cookie)).text);

  await t.step("server functions of one page share its session", async () => {
    const first = await client.request("/");
    assertMatch(first.text, /Visits .*1,2</);
    assertEquals(first.setCookies.length, 1);
    const second = await client.request("/", first.cookie);
    assertMatch(second.text, /Visits .*3,4</);
    assertEquals(second.setCookies, []);
  });

  await t.step("a loader's redirect carries the cookie", async () => {
    const { status, headers, cookie } = await client.request("/leave");
    assertEquals([status, headers.get("location")], [307, "/read"]);
    assertEquals(await read(cookie), { left: 1 });
  });

  await t.step("a page that fails commits nothing", async () => {
    const { status, setCookies } = await client.request("/fail");
    assertEquals([status, setCookies], [500, []]);
  });

  await t.step(
    "a server function that the browser calls has the session",
    async () => {
      const { text } = await client.request("/button");
      const [visit = "", leave = "", fail = ""] = text.match(
        /\/_serverFn\/[^\s<]+/g,
      ) ?? [];
      const call = (url: string, method: string, cookie = "") =>
        client.request(url, "", {
          method,
          headers: { "x-tsr-serverFn": "true", origin, cookie },
        });
      const first = await call(visit, "GET");
      assertEquals(first.status, 200);
      assertEquals(await read(first.cookie), { visits: 1 });
      await call(visit, "GET", first.cookie);
      assertEquals(await read(first.cookie), { visits: 2 });
      const left = await call(leave, "POST", first.cookie);
      assertMatch(left.text, /"isSerializedRedirect":true/);
      const data = { visits: 2, left: 1 };
      assertEquals(await read(first.cookie), data);
      const failed = await call(fail, "POST", first.cookie);
      assertMatch(failed.text, /"message":.*"failed"/);
      assertEquals(await read(first.cookie), data);
    },
  );

  await t.step(
    "a server function's own middleware says where to put it",
    async () => {
      const { text } = await client.request("/here");
      assertMatch(
        text,
        /Cannot mount session: this is not a request middleware .*add it to requestMiddleware in src\/start\.ts/,
      );
    },
  );

  await t.step("a prerendered page cannot use the session", async () => {
    const page = join(built.folder, "dist/client/made/index.html");
    assertMatch(
      await Deno.readTextFile(page),
      /<p>Cannot use session: this page is prerendered, so there is no visitor; leave it out of `prerender`/,
    );
  });

  await t.step(
    "the browser's bundle does not contain this package",
    async () => {
      const assets = join(built.folder, "dist/client/assets");
      let files = 0;
      for await (const { name } of Deno.readDir(assets)) {
        const text = await Deno.readTextFile(join(assets, name));
        assert(!/Cannot mount session|__session/.test(text), name);
        files++;
      }
      assert(files > 0);
    },
  );

  await t.step("types", () => checkTypes(built, TYPES));

  await stop();
  await built.remove();
});
