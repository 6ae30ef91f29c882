// The documented application of Astro, built and served, and what only a whole application shows.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { astroApplication, type Version } from "./lifecycle/astro.ts";
import { build, checkTypes } from "./lifecycle/_built.ts";
import { Client } from "./lifecycle/_client.ts";
import { documentedFiles } from "./lifecycle/_documented.ts";

const { "src/middleware.ts": middleware = "", ...pages } =
  await documentedFiles("Astro");

/** A page that says what a change of the session does. */
const tries = (key: string, before = "") =>
  `---
  ${before}
  let result = "changed";
  try {
    Astro.locals.session.set("${key}", 1);
  } catch ({ code }) {
    result = code;
  }
---
`;

const FILES = {
  ...pages,
  "src/documented.ts": middleware,
  "src/middleware.js": `
    import { sequence } from "astro:middleware";
    import { onRequest as documented } from "./documented";
    export const onRequest = sequence(documented, ({ url }, next) =>
      url.pathname === "/moved" ? next("/new") : next());
  `,
  "src/pages/read.js": `
    export const GET = ({ locals }) => Response.json(locals.session.data);
  `,
  "src/pages/old.astro": `---
    Astro.locals.session.set("before", 1);
    return Astro.rewrite("/new");
    ---`,
  "src/pages/new.astro": `---
    const { session } = Astro.locals;
    session.set("new", session.get("before") ?? 0);
    session.regenerateId();
    ---
    <p>new</p>`,
  "src/pages/moved.astro": "<p>moved</p>",
  "src/pages/flash.js": `
    export function GET({ locals, redirect }) {
      locals.session.flash("notice", "saved");
      return redirect("/notice");
    }
  `,
  "src/pages/notice.astro": `---
    const notice = Astro.locals.session.get("notice") ?? "nothing";
    ---
    <p>{notice}</p>`,
  "src/pages/gone.astro": `---
    Astro.locals.session.set("seen", 1);
    return new Response(null, { status: 404 });
    ---`,
  "src/pages/404.astro": `${tries("missed")}
    <p>{result} {Astro.locals.session.get("seen") ?? 0} {Astro.locals.session.get("notice") ?? "nothing"}</p>`,
  "src/pages/broken.astro": `---
    Astro.locals.session.set("broken", 1);
    throw new Error("broken");
    ---`,
  "src/pages/500.astro": `${tries("failed")}
    <p>{result} {Astro.locals.session.get("seen") ?? 0}</p>`,
  "src/components/Late.astro": `${tries("late", "await Astro.props.until;")}
    <p>{result}</p>`,
  "src/pages/late.astro": `---
    import Late from "../components/Late.astro";
    const { promise, resolve } = Promise.withResolvers();
    globalThis.answerLate = resolve;
    ---
    <p>first</p><Late until={promise} />`,
  "src/pages/answer.js": `
    export const GET = () => new Response(globalThis.answerLate());
  `,
  "src/pages/plain.astro": `---
    export const prerender = true;
    ---
    <p>plain</p>`,
};

const MADE = {
  "src/middleware.ts": middleware,
  "src/pages/made.astro": `---
    export const prerender = true;
    const name = Astro.locals.session.get("name");
    ---
    <p>{name}</p>`,
};

const TYPES = `
  import type { MiddlewareHandler } from "astro";
  import { createMemorySessionStorage } from "repository/mod.ts";
  import { session, type SessionLocals } from "repository/middleware/astro.ts";
  const storage = createMemorySessionStorage<{ visits: number }>();
  declare global { namespace App { interface Locals extends SessionLocals<typeof storage> {} } }
  export const onRequest: MiddlewareHandler = session(storage);
  export const use: MiddlewareHandler = ({ locals }, next) => {
    const visits: number | undefined = locals.session.get("visits");
    // @ts-expect-error The data does not have this key.
    locals.session.set("other", visits);
    return next();
  };
`;

function application(
  version: Version,
  files: Record<string, string>,
): Parameters<typeof build>[0] {
  const entries = ["./middleware/astro"];
  return { ...astroApplication(version, files), entries };
}

for (const version of [7, 6] as const) {
  Deno.test(`session() in an application of Astro ${version}`, async (t) => {
    const built = await build(application(version, FILES));
    const { origin, stop } = await built.serve();
    const client = new Client(origin);
    const read = async (cookie: string) =>
      JSON.parse((await client.request("/read", cookie)).text);

    await t.step("the documented page counts its visits", async () => {
      const first = await client.request("/");
      assertMatch(first.text, /<p>Visit 1<\/p>/);
      const second = await client.request("/", first.cookie);
      assertMatch(second.text, /<p>Visit 2<\/p>/);
      assertEquals(second.setCookies, []);
    });

    await t.step("a rewrite shares the session of its page", async () => {
      for (const cookie of ["", (await client.request("/")).cookie]) {
        const { text, setCookies, ...page } = await client.request(
          "/old",
          cookie,
        );
        assertMatch(text, /<p>new<\/p>/, cookie);
        assertEquals(setCookies.length, 1, cookie);
        const { visits: _, ...data } = await read(page.cookie);
        assertEquals(data, { before: 1, new: 1 }, cookie);
      }
    });

    await t.step(
      "a later middleware's rewrite shares the session",
      async () => {
        const { text, setCookies, cookie } = await client.request("/moved");
        assertMatch(text, /<p>new<\/p>/);
        assertEquals(setCookies.length, 1);
        assertEquals(await read(cookie), { new: 0 });
      },
    );

    await t.step(
      "404.astro reads the session of an answer, and its flashes",
      async () => {
        const { cookie } = await client.request("/flash");
        const gone = await client.request("/gone", cookie);
        assertEquals(gone.status, 404);
        assertMatch(gone.text, /<p>late-change 1 saved<\/p>/);
        assertMatch((await client.request("/notice", cookie)).text, /saved/);
        assertMatch((await client.request("/notice", cookie)).text, /nothing/);
        assertEquals(await read(cookie), { seen: 1 });
        const first = await client.request("/gone");
        assertEquals(first.setCookies.length, 1);
        assertEquals(await read(first.cookie), { seen: 1 });
      },
    );

    await t.step(
      "404.astro has a session of its own, if there is no page",
      async () => {
        const { status, text, cookie } = await client.request("/no/such/page");
        assertEquals(status, 404);
        assertMatch(text, /<p>changed 0 nothing<\/p>/);
        assertEquals(await read(cookie), { missed: 1 });
      },
    );

    await t.step(
      "500.astro reads the session of a page that failed",
      async () => {
        const { cookie } = await client.request("/gone");
        const broken = await client.request("/broken", cookie);
        assertEquals(broken.status, 500);
        assertMatch(broken.text, /<p>late-change 1<\/p>/);
        assertEquals(broken.setCookies, []);
        assertEquals(await read(cookie), { seen: 1 });
      },
    );

    await t.step(
      "a change in a component throws, once the response has begun",
      async () => {
        const response = await fetch(`${origin}/late`);
        await client.request("/answer");
        assertMatch(await response.text(), /<p>late-change<\/p>/);
      },
    );

    if (version === 7) {
      await t.step("types", () => checkTypes(built, TYPES));
    }

    await stop();
    await built.remove();
  });
}

Deno.test("session() in a prerendered page of Astro ends the build", async () => {
  const { message } = await assertRejects(
    () => build(application(7, MADE)),
    Error,
  );
  assertMatch(
    message,
    /Cannot use session: this page is prerendered, so there is no visitor; write `export const prerender = false`/,
  );
});
