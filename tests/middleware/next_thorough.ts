// The documented application of Next, built and served, and what only server actions and components show.
import { assertEquals, assertMatch } from "@std/assert";
import { build, checkTypes } from "./lifecycle/_built.ts";
import { type Answer, Client } from "./lifecycle/_client.ts";
import { documentedFiles } from "./lifecycle/_documented.ts";
import { nextApplication } from "./lifecycle/next.ts";

/** A page with a form for each action, and what the page sees. */
const FILES = {
  "app/layout.jsx": `
    export default ({ children }) => <html><body>{children}</body></html>;
  `,
  "app/actions/actions.js": `
    "use server";
    import { notFound, redirect } from "next/navigation";
    import { action, getSession } from "../session";
    export const change = action((session) => {
      session.regenerateId();
      session.set("changed", 1);
    });
    export const flash = action((session) => {
      session.flash("notice", "saved");
      redirect("/notice");
    });
    export const missing = action((session) => {
      session.set("missing", 1);
      notFound();
    });
    export const fail = action((session) => {
      session.set("failed", 1);
      throw new Error("the action failed");
    });
    export const leave = action((session) => {
      session.destroy();
      throw new Error("the action failed");
    });
    export const nest = action(async (session) => {
      session.set("outer", 1);
      await inner();
      session.set("same", (await getSession()) === session && session.get("inner"));
    });
    export const inner = action((session) => session.set("inner", session.get("outer")));
  `,
  "app/actions/page.jsx": `
    import { getSession } from "../session";
    import * as actions from "./actions";
    export default async function Page() {
      const { data } = await getSession();
      return <>
        <p>{JSON.stringify(data)}</p>
        {Object.entries(actions).map(([name, action]) => <form key={name} action={action} id={name} />)}
      </>;
    }
  `,
  "app/notice/page.jsx": `
    import { getSession } from "../session";
    export default async function Page() {
      return <p>{(await getSession()).get("notice") ?? "nothing"}</p>;
    }
  `,
  "app/write/page.jsx": `
    import { getSession } from "../session";
    export default async function Page() {
      const session = await getSession();
      try {
        session.set("late", 1);
      } catch ({ message }) {
        return <p>{message}</p>;
      }
    }
  `,
  "app/static/page.jsx": `
    import { getSession } from "../session";
    export const dynamic = "force-static";
    export default async function Page() {
      return <p>{await getSession().then(() => "read", ({ message }) => message)}</p>;
    }
  `,
};

/** What an application writes, with the types of Next. */
const TYPES = `
  import { cookies, headers } from "next/headers.js";
  import { after, type NextRequest } from "next/server.js";
  import { createMemorySessionStorage } from "repository/mod.ts";
  import { session } from "repository/middleware/next.ts";
  const storage = createMemorySessionStorage<{ visits: number }>();
  const { action, getSession, route } = session(storage, { cookies, headers, after });
  type Context = { params: Promise<{ id: string }> };
  export const GET: (request: NextRequest, context: Context) => Promise<Response> = route(
    async ({ nextUrl }: NextRequest, session, { params }: Context) =>
      Response.json([nextUrl.pathname, (await params).id, session.get("visits")]),
  );
  export const visit: (form: FormData) => Promise<void> = action((session, form: FormData) => {
    session.set("visits", Number(form.get("visits")));
  });
  // @ts-expect-error The data does not have this key.
  (await getSession()).get("other");
`;

/** The text of a page, as React writes it. */
function textOf({ text }: Answer): string {
  const [, found = ""] = text.match(/<p>(.*?)<\/p>/) ?? [];
  return found.replaceAll("&quot;", '"').replaceAll("&#x27;", "'");
}

const documented = await documentedFiles("Next");

Deno.test("session() in an application of Next", async (t) => {
  const built = await build({
    ...nextApplication(16, { ...FILES, ...documented }, {
      typescript: "5.9.3",
      "@types/react": "19.3.3",
      "@types/node": "24.19.4",
    }),
    entries: ["./middleware/next"],
  });
  const { origin, stop } = await built.serve();
  const client = new Client(origin);

  /** Submits a form of a page, as a browser without JavaScript does. */
  const submit = async (
    path: string,
    form: RegExp,
    cookie = "",
  ): Promise<Answer> => {
    const { text } = await client.request(path, cookie);
    const [html = ""] = text.match(form) ?? [];
    const body = new FormData();
    for (const [input] of html.matchAll(/<input[^>]*>/g)) {
      const attribute = (name: string) =>
        input.match(` ${name}="([^"]*)"`)?.[1]?.replaceAll("&quot;", '"');
      body.set(attribute("name") ?? "", attribute("value") ?? "");
    }
    const headers = { ...(cookie && { cookie }), origin };
    return await client.request(path, "", { method: "POST", body, headers });
  };
  const act = (name: string, cookie = "") =>
    submit("/actions", new RegExp(`<form[^>]* id="${name}".*?</form>`), cookie);
  const data = async (cookie: string) =>
    JSON.parse((await client.request("/api", cookie)).text);

  await t.step("the documented page counts its visits", async () => {
    const first = await submit("/", /<form.*?<\/form>/);
    assertEquals([first.status, first.setCookies.length], [303, 1]);
    const second = await submit("/", /<form.*?<\/form>/, first.cookie);
    assertEquals([second.status, second.setCookies], [303, []]);
    const { text } = await client.request("/", first.cookie);
    assertMatch(text, /Visits: <!-- -->2</);
    assertEquals(await data(first.cookie), { visits: 2 });
  });

  await t.step("after an action, the page reads the new session", async () => {
    const { cookie } = await submit("/", /<form.*?<\/form>/);
    const changed = await act("change", cookie);
    assertEquals(textOf(changed), '{"visits":1,"changed":1}');
    assertEquals(changed.setCookies.length, 1);
    assertEquals(await data(changed.cookie), { visits: 1, changed: 1 });
    assertEquals(await data(cookie), {}, "the old id");
  });

  await t.step("a component shows a flash once", async () => {
    const { status, cookie } = await act("flash");
    assertEquals(status, 303);
    const pages = [];
    for (let i = 0; i < 3; i++) {
      pages.push(textOf(await client.request("/notice", cookie)));
    }
    assertEquals(pages, ["saved", "nothing", "nothing"]);
  });

  await t.step("notFound() commits, and an error does not", async () => {
    const missing = await act("missing");
    assertEquals(missing.status, 404);
    assertEquals(await data(missing.cookie), { missing: 1 });
    const failed = await act("fail", missing.cookie);
    assertEquals([failed.status, failed.setCookies], [500, []]);
    assertEquals(await data(missing.cookie), { missing: 1 });
  });

  await t.step("a logout holds when the action throws", async () => {
    const { cookie } = await submit("/", /<form.*?<\/form>/);
    const left = await act("leave", cookie);
    assertEquals(left.status, 500);
    assertMatch(left.setCookies.join(), /^__session=; .*Expires=Thu, 01 Jan/);
    assertEquals(await data(cookie), {});
  });

  await t.step("an action shares its session with those it calls", async () => {
    const nested = await act("nest");
    assertEquals(nested.setCookies.length, 1);
    assertEquals(await data(nested.cookie), { outer: 1, inner: 1, same: 1 });
  });

  await t.step("a component that writes is told where to do it", async () => {
    assertEquals(
      textOf(await client.request("/write")),
      "Cannot call set: the session can only be read here; change it in a server action made by action(), or in a route handler made by route()",
    );
  });

  await t.step("a static page cannot use the session", async () => {
    assertMatch(
      textOf(await client.request("/static")),
      /^Cannot use session: this route is static/,
    );
  });

  await t.step("types", () => checkTypes(built, TYPES));

  await stop();
  await built.remove();
});
