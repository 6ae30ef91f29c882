// The documented application of Nuxt, built and served, and what only a rendered page shows.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { build, nodeServer } from "./lifecycle/_built.ts";
import { Client } from "./lifecycle/_client.ts";
import { documentedFiles } from "./lifecycle/_documented.ts";

const page = (setup: string, template: string) =>
  `<script setup>${setup}</script><template><p>${template}</p></template>`;

const PAGES: Record<string, string> = {
  index: page(
    'const { data } = await useFetch("/api/visits");',
    "Visit {{ data }}",
  ),
  nested: page(
    `
      const { session } = useRequestEvent()?.context ?? {};
      session?.set("before", 1);
      const { data } = await useFetch("/api/inner?a");
      await $fetch("/api/inner?b");
      session?.set("after", session.get("?b"));
    `,
    "{{ data }}",
  ),
  missing: page(
    `
      useRequestEvent()?.context.session.set("missing", 1);
      throw createError({ statusCode: 404, fatal: true });
    `,
    "missing",
  ),
  failing: page(
    `
      useRequestEvent()?.context.session.set("failed", 1);
      throw new Error("the page failed");
    `,
    "failing",
  ),
  made: page(
    'const name = useRequestEvent()?.context.session.get("name");',
    "made {{ name }}",
  ),
};

/** The files that both versions have; the pages of Nuxt 4 are in `app/`. */
function filesOf(folder: string): Record<string, string> {
  return {
    "nuxt.config.js": `
      export default {
        compatibilityDate: "2025-01-01",
        telemetry: false,
        nitro: {
          preset: "node-listener",
          prerender: { routes: ["/made"], failOnError: false },
        },
      };
    `,
    "server.mjs": nodeServer(
      'import { listener as handler } from "./.output/server/index.mjs";',
    ),
    [`${folder}app.vue`]: "<template><NuxtPage /></template>",
    ...Object.fromEntries(
      Object.entries(PAGES).map(([name, text]) => [
        `${folder}pages/${name}.vue`,
        text,
      ]),
    ),
    "server/api/inner.js": `
      export default defineEventHandler((event) => {
        const { session } = event.context;
        session.set(getRequestURL(event).search, session.get("before"));
        session.regenerateId();
        return "inner";
      });
    `,
    "server/api/data.js": `
      export default defineEventHandler(({ context }) => context.session.data);
    `,
    "server/api/who.js": `
      export default defineEventHandler(({ context }) => context.session.get("visits") ?? "nobody");
    `,
    "server/api/cached.js": `
      export default defineCachedEventHandler(({ context }) => context.session.get("visits"));
    `,
    "server/api/cached-page.js": `
      export default defineCachedEventHandler(() => $fetch("/api/who"));
    `,
    "server/api/message.js": `
      export default defineCachedEventHandler(({ context }) => {
        try {
          return context.session.id;
        } catch ({ message }) {
          return message;
        }
      });
    `,
  };
}

const VERSIONS = {
  // With a newer Vite, npm lacks a package.
  4: { nuxt: "4.5.2", vite: "8.3.8" },
  3: { nuxt: "3.21.11", vite: "7.3.8" },
};

const documented = await documentedFiles("Nuxt and Nitro");

for (const version of [4, 3] as const) {
  Deno.test(`session() in an application of Nuxt ${version}`, async (t) => {
    const built = await build({
      name: `nuxt-${version}`,
      packages: VERSIONS[version],
      build: ["nuxt/bin/nuxt.mjs", "build"],
      server: "server.mjs",
      files: { ...filesOf(version === 4 ? "app/" : ""), ...documented },
      entries: ["./middleware/nitro"],
    });
    const { origin, stop } = await built.serve();
    const client = new Client(origin);
    const data = async (cookie: string) =>
      JSON.parse((await client.request("/api/data", cookie)).text);

    await t.step("the documented route counts its visits", async () => {
      const first = await client.request("/api/visits");
      assertEquals(first.text, "1");
      const second = await client.request("/api/visits", first.cookie);
      assertEquals([second.text, second.setCookies], ["2", []]);
      const { text, setCookies } = await client.request("/", first.cookie);
      assertMatch(text, /<p>Visit 3<\/p>/);
      assertEquals(setCookies, []);
    });

    await t.step(
      "$fetch and useFetch share the session of the page",
      async () => {
        for (const cookie of ["", (await client.request("/")).cookie]) {
          const nested = await client.request("/nested", cookie);
          assertMatch(nested.text, /<p>inner<\/p>/, cookie);
          assertEquals(nested.setCookies.length, 1, cookie);
          const { visits: _, ...found } = await data(nested.cookie);
          assertEquals(
            found,
            { before: 1, "?a": 1, "?b": 1, after: 1 },
            cookie,
          );
        }
      },
    );

    await t.step("createError() commits, and an error does not", async () => {
      const missing = await client.request("/missing");
      assertEquals(missing.status, 404);
      assertEquals(await data(missing.cookie), { missing: 1 });
      const failed = await client.request("/failing", missing.cookie);
      assertEquals([failed.status, failed.setCookies], [500, []]);
      assertEquals(await data(missing.cookie), { missing: 1 });
    });

    await t.step("a cached handler cannot use the session", async () => {
      const { cookie } = await client.request("/api/visits");
      assertEquals((await client.request("/api/cached", cookie)).status, 500);
      assertMatch(
        (await client.request("/api/message", cookie)).text,
        /^Cannot use session: this handler is cached/,
      );
    });

    await t.step(
      "a cached handler's requests have another session",
      async () => {
        const { cookie } = await client.request("/api/visits");
        assertEquals((await client.request("/api/who", cookie)).text, "1");
        const { text } = await client.request("/api/cached-page", cookie);
        assertEquals(text, "nobody");
      },
    );

    await t.step("a prerendered page cannot use the session", async () => {
      assertStringIncludes(
        built.printed,
        "Cannot use session: this route is prerendered, so there is no visitor",
      );
      const { status } = await client.request("/made");
      assertEquals(status, 200, "so it is made for each visitor");
    });

    await stop();
    await built.remove();
  });
}
