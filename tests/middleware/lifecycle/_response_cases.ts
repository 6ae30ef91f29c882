/**
 * Cases about the response: its cookie, caches, flash messages, and what stays as the handler made it.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { rowName } from "../../_row.ts";
import { FOR_SHARED_CACHES } from "./_answers.ts";
import { type Case, visitor } from "./_case.ts";
import type { Client } from "./_client.ts";
import { visitTogether } from "./_crowd.ts";
import { withUpstream } from "./_upstream.ts";

/** Creates a session with a visit and a flash that nobody has read, and returns its cookie. */
async function visitorWithFlash(client: Client): Promise<string> {
  const cookie = await visitor(client);
  await client.request("/flash", cookie, { method: "POST" });
  await client.control("reset");
  return cookie;
}

/** What a session holds: a flash does not show in it, if it is hidden. */
async function flashes(
  client: Client,
  cookie: string,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const init = { headers: { cookie, ...headers } };
  return JSON.parse((await client.request("/flashes", "", init)).text);
}

/** The cases. */
export const responseCases: readonly Case[] = [
  {
    title: "the handler's own cookies are kept",
    async run(client) {
      const { setCookies } = await client.request("/cookies");
      assertEquals(setCookies.length, 3);
      assert(setCookies.includes("one=1") && setCookies.includes("two=2"));
      assert(setCookies.some((each) => each.startsWith("sid=")));
    },
  },
  {
    title: "a response that sets the cookie is private to the visitor",
    async run(client) {
      const { headers } = await client.request("/count");
      assertEquals(headers.get("cache-control"), "private, no-store");
      assertMatch(headers.get("vary") ?? "", /(^|[, ])cookie$/i);
      const own = await client.request("/vary");
      assertEquals(own.headers.get("cache-control"), "private");
      assertMatch(own.headers.get("vary") ?? "", /accept\b.*, ?cookie/i);
    },
  },
  {
    title: "shared caches never store a response that sets the cookie",
    async run(client) {
      const { headers } = await client.request("/change/cached");
      const control = headers.get("cache-control") ?? "";
      assertMatch(control, /(^|, ?)(private|no-store)(,|$)/);
      assert(!/public|s-maxage/.test(control), control);
      for (const [name] of FOR_SHARED_CACHES.slice(1)) {
        assertEquals(headers.get(name), null, name);
      }
    },
  },
  {
    title:
      "without a cookie to send, the handler's Cache-Control stays as it is",
    async run(client) {
      for (const cookie of ["", await visitor(client)]) {
        const { headers, setCookies } = await client.request(
          "/look/cached",
          cookie,
        );
        assertEquals(setCookies, [], rowName(cookie));
        for (const [name, value] of FOR_SHARED_CACHES) {
          assertEquals(headers.get(name), value, rowName(name, cookie));
        }
      }
    },
  },
  {
    title: "a response that was made once gives each visitor their own cookie",
    variants: ({ answers }) => answers,
    run: (client, _, answer) => visitTogether(client, answer),
  },
  {
    title: "a flash message is shown once, after a redirect",
    async run(client) {
      const post = await client.request("/flash", "", { method: "POST" });
      assertEquals(post.status, 303);
      assertMatch(post.headers.get("location") ?? "", /\/notice$/);
      assertEquals(
        (await client.request("/notice", post.cookie)).text,
        "saved",
      );
      assertEquals(
        (await client.request("/notice", post.cookie)).text,
        "nothing",
      );
    },
  },
  {
    title: "304 carries the cookie",
    async run(client) {
      const answer = await client.request("/not-modified");
      assertEquals([answer.status, answer.text], [304, ""]);
      assertEquals(await client.data(answer.cookie), [{ visits: 1 }, {}]);
    },
  },
  {
    title: "a response without a body (204, 205) carries the cookie",
    async run(client) {
      for (const status of [204, 205]) {
        const answer = await client.request(`/change/answer/${status}`);
        assertEquals(answer.status, status, rowName(status));
        assertEquals(answer.text, "", rowName(status));
        assertEquals(answer.headers.get("x-own"), "1", rowName(status));
        assertEquals(
          await client.data(answer.cookie),
          [{ visits: 1 }, {}],
          rowName(status),
        );
      }
    },
  },
  {
    title: "HEAD carries the cookie, but not the body",
    async run(client) {
      const answer = await client.request("/count", "", { method: "HEAD" });
      assertEquals([answer.status, answer.text], [200, ""]);
      assertEquals(await client.data(answer.cookie), [{ visits: 1 }, {}]);
    },
  },
  {
    title: "a HEAD request does not consume a flash message",
    async run(client) {
      const cookie = await visitorWithFlash(client);
      const init = { method: "HEAD", headers: { cookie } };
      const head = await client.request("/notice", "", init);
      assertEquals(head.headers.get("x-notice"), "saved", "it can be read");
      assertEquals((await client.request("/count", "", init)).status, 200);
      assertEquals((await client.request("/notice", cookie)).text, "saved");
      assertEquals((await client.request("/notice", cookie)).text, "nothing");
      const [data] = await client.data(cookie);
      assertEquals(data, { visits: 2 }, "its other changes are saved");
      await client.request("/flash", "", init);
      assertEquals(
        (await client.request("/notice", cookie)).text,
        "saved",
        "a flash of its own is kept",
      );
    },
  },
  {
    title: "a speculative request does not see or consume a flash message",
    variants: ["prefetch", "prefetch;prerender", "prerender"],
    async run(client, _, purpose) {
      const cookie = await visitorWithFlash(client);
      const headers = { cookie, "Sec-Purpose": purpose };
      assertEquals(
        await flashes(client, cookie, headers),
        { has: false, size: 1, keys: ["visits"], value: null },
      );
      assertEquals(
        (await client.request("/count", "", { headers })).status,
        200,
      );
      assertEquals((await client.request("/notice", cookie)).text, "saved");
      const [data] = await client.data(cookie);
      assertEquals(data, { visits: 2 }, "its other changes are saved");
      await client.request("/flash", "", { headers });
      assertEquals(
        (await client.request("/notice", cookie)).text,
        "saved",
        "a flash of its own is kept",
      );
    },
  },
  {
    title: "a streamed response carries the cookie; a later change throws",
    async run(client) {
      const answer = await client.request("/stream");
      assertEquals([answer.status, answer.text], [200, "streamed"]);
      const { events, ops } = await client.control("log");
      assertEquals(events, Array(5).fill("late-change"));
      assertEquals(ops, ["write"]);
      assertEquals(await client.data(answer.cookie), [{ visits: 1 }, {}]);
    },
  },
  {
    title: "a body is sent while the handler still makes it",
    trait: "live",
    variants: ["look", "change"],
    async run(client, { live }, action) {
      const cookie = await visitor(client);
      await withUpstream(async (origin, open) => {
        const path = `/${action}/live/${encodeURIComponent(`${origin}/held`)}`;
        if (live === "whole") {
          open();
          const { text, setCookies } = await client.request(path, cookie);
          assertEquals([text, setCookies], ["first last", []]);
          return;
        }
        const { before, text } = await client.live(path, cookie, open);
        assertEquals([before, text], ["first ", "first last"]);
      });
    },
  },
  {
    title: "a body that the application has encoded is sent as it is",
    trait: "encoded",
    variants: ["look", "change"],
    async run(client, { encoded }, action) {
      const { encoding, text, setCookies } = await client.raw(
        `/${action}/encoded`,
        "",
      );
      if (encoded === "dropped") assertEquals(encoding, undefined);
      else assertEquals([encoding, text], ["gzip", "packed"]);
      assertEquals(setCookies.length, action === "change" ? 1 : 0);
    },
  },
  {
    title: "the answer of fetch() can be passed on, compressed or not",
    // Not an untouched session and gzip: it depends on the runtime alone whether that can be read.
    variants: [
      "stranger, plain",
      "look, plain",
      "login, plain",
      "login, gzip",
      "logout, plain",
      "logout, gzip",
      "login, broken",
    ],
    async run(client, _, variant) {
      const [who, kind] = variant.split(", ");
      const arrive = async () =>
        who === "stranger" ? "" : await visitor(client);
      await withUpstream(async (origin) => {
        const path = `/${who === "stranger" ? "look" : who}/passed/${
          encodeURIComponent(`${origin}/${kind}`)
        }/ann`;
        const changes = /login|logout/.test(variant) && kind !== "broken";
        const seen = await client.request(path, await arrive());
        assertEquals(seen.text, "upstream");
        assertEquals(seen.status, kind === "broken" ? 503 : 203);
        assertEquals(seen.setCookies.slice(0, 2), ["up=1", "up=2"]);
        assertEquals(seen.setCookies.length, changes ? 3 : 2);
        const { text } = await client.raw(path, await arrive());
        assertEquals(text, "upstream", "without a client that decodes");
      });
    },
  },
];
