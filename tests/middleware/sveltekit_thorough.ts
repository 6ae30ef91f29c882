// The documented application of SvelteKit, built and served, and what only a whole application shows.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { build, checkTypes } from "./lifecycle/_built.ts";
import { Client } from "./lifecycle/_client.ts";
import { documentedFiles } from "./lifecycle/_documented.ts";
import { svelteKitApplication } from "./lifecycle/sveltekit.ts";

/** Hooks around the documented one, and pages beside the documented one. */
const FILES = {
  "src/hooks.tested.js": `
    import { error, redirect } from "@sveltejs/kit";
    import { sequence } from "@sveltejs/kit/hooks";
    import { handle as documented } from "./hooks.server";
    export const handle = sequence(documented, ({ event, resolve }) => {
      const { pathname, origin } = event.url;
      if (!pathname.startsWith("/guard")) return resolve(event);
      event.locals.session.set("guard", pathname);
      if (pathname === "/guard/redirect") redirect(303, "/read");
      if (pathname === "/guard/error") error(401);
      return Response.redirect(origin + "/read", 303);
    });
  `,
  "src/routes/read/+server.js": `
    export const GET = ({ locals }) => Response.json(locals.session.data);
  `,
  "src/routes/outer/+page.server.js": `
    export async function load({ locals: { session }, fetch }) {
      session.set("before", 1);
      const answers = await Promise.all(["/inner?a", "/inner?b"].map((path) => fetch(path)));
      session.set("after", session.get("?a"));
      return { cookies: answers.map((each) => each.headers.getSetCookie().length) };
    }
  `,
  "src/routes/outer/+page.svelte":
    "<script>let { data } = $props();</script>{data.cookies}",
  "src/routes/inner/+server.js": `
    export function GET({ locals: { session }, url }) {
      session.set(url.search, session.get("before"));
      session.regenerateId();
      return new Response("inner");
    }
  `,
  "src/routes/form/+page.server.js": `
    import { redirect } from "@sveltejs/kit";
    export const actions = {
      default({ locals: { session } }) {
        session.flash("notice", "saved");
        redirect(303, "/form");
      },
    };
    export const load = ({ locals: { session } }) => ({ notice: session.get("notice") ?? "nothing" });
  `,
  "src/routes/form/+page.svelte":
    "<script>let { data } = $props();</script><p>{data.notice}</p>",
  "src/routes/late/+page.server.js": `
    export function load({ locals: { session } }) {
      const { promise, resolve } = Promise.withResolvers();
      globalThis.answerLate = resolve;
      return { late: promise.then(() => session.set("late", 1)).then(() => "set", ({ code }) => code) };
    }
  `,
  "src/routes/answer/+server.js": `
    export const GET = () => new Response(globalThis.answerLate());
  `,
  "src/routes/late/+page.svelte":
    "<script>let { data } = $props();</script>{#await data.late then text}{text}{/await}",
  "src/routes/plain/+page.js": "export const prerender = true;",
  "src/routes/plain/+page.svelte": "<p>plain</p>",
  "src/routes/made/+page.server.js": `
    export const prerender = true;
    export const load = ({ locals }) => ({ name: locals.session.get("name") });
  `,
  "src/routes/made/+page.svelte": "<p>made</p>",
};

/** Both versions have them. */
const OPTIONS = `
  files: { hooks: { server: "src/hooks.tested" } },
  prerender: { entries: ["/plain", "/made"], handleHttpError: "warn" },
`;

const TYPES = `
  import type { Handle } from "@sveltejs/kit/hooks";
  import { createMemorySessionStorage } from "repository/mod.ts";
  import { session, type SessionLocals } from "repository/middleware/sveltekit.ts";
  const storage = createMemorySessionStorage<{ visits: number }>();
  declare global { namespace App { interface Locals extends SessionLocals<typeof storage> {} } }
  export const handle: Handle = session(storage);
  export const use: Handle = ({ event, resolve }) => {
    const visits: number | undefined = event.locals.session.get("visits");
    // @ts-expect-error The data does not have this key.
    event.locals.session.set("other", visits);
    return resolve(event);
  };
`;

const documented = await documentedFiles("SvelteKit");

for (const version of [3, 2] as const) {
  Deno.test(`session() in an application of SvelteKit ${version}`, async (t) => {
    const built = await build({
      ...svelteKitApplication(version, { ...FILES, ...documented }, OPTIONS),
      entries: ["./middleware/sveltekit"],
    });
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

    await t.step("event.fetch() shares the session of its page", async () => {
      for (const cookie of ["", (await client.request("/")).cookie]) {
        const outer = await client.request("/outer", cookie);
        assertMatch(outer.text, /0,0/, "the inner answers do not set cookies");
        assertEquals(outer.setCookies.length, 1, cookie);
        const { visits: _, ...data } = await read(outer.cookie);
        const all = { before: 1, "?a": 1, "?b": 1, after: 1 };
        assertEquals(data, all, cookie);
      }
    });

    await t.step(
      "a form's action flashes, and the page shows it once",
      async () => {
        const post = await client.request("/form", "", {
          method: "POST",
          body: new URLSearchParams({ a: "1" }),
          headers: { accept: "text/html", origin },
        });
        assertEquals(post.status, 303);
        const { text } = await client.request("/form", post.cookie);
        assertMatch(text, /<p>saved<\/p>/);
        const again = await client.request("/form", post.cookie);
        assertMatch(again.text, /<p>nothing<\/p>/);
      },
    );

    await t.step(
      "a later hook's redirect carries the cookie, as a page and as data",
      async () => {
        for (const path of ["/guard/redirect", "/guard/response"]) {
          const page = await client.request(path);
          assertEquals(page.status, 303, path);
          assertMatch(page.headers.get("location") ?? "", /\/read$/, path);
          assertEquals(
            page.setCookies.join().split("; ").slice(1).toSorted(),
            ["HttpOnly", "Path=/", "SameSite=Lax"],
            path,
          );
          assertEquals(await read(page.cookie), { guard: path }, path);
          const data = await client.request(`${path}/__data.json`);
          const { type, location } = JSON.parse(data.text);
          assertEquals(type, "redirect", path);
          assertMatch(location, /\/read$/, path);
          assertEquals(data.setCookies.length, 1, path);
          assertEquals(await read(data.cookie), { guard: path }, path);
        }
      },
    );

    await t.step("a later hook's error() commits nothing", async () => {
      const { status, setCookies } = await client.request("/guard/error");
      assertEquals([status, setCookies], [401, []]);
    });

    await t.step("a change in a streamed promise throws", async () => {
      const response = await fetch(`${origin}/late`);
      await client.request("/answer");
      assertMatch(await response.text(), /late-change/);
    });

    await t.step("a prerendered page cannot use the session", async () => {
      assertMatch(
        built.printed,
        /Cannot use session: this page is prerendered, so there is no visitor; write `export const prerender = false`/,
      );
      const { text, setCookies } = await client.request("/plain");
      assertMatch(text, /<p>plain<\/p>/);
      assertEquals(setCookies, []);
      const made = await client.request("/made");
      assert(!made.text.includes("<p>made</p>"));
    });

    if (version === 3) {
      await t.step("types", () => checkTypes(built, TYPES));
    }

    await stop();
    await built.remove();
  });
}
