/**
 * What happens to a session in one request, as the visitor and the engine see it: the same list for every framework.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { rowName } from "../../_row.ts";
import type { Client } from "./_client.ts";
import { FOR_SHARED_CACHES } from "./_answers.ts";
import { visitTogether } from "./_crowd.ts";
import type { Driver, Traits } from "./_driver.ts";
import { withUpstream } from "./_upstream.ts";

/** One case. */
export interface Case {
  /** The rule, as the table shows it. */
  readonly title: string;
  /** The trait, if frameworks differ here. */
  readonly trait?: keyof Traits;
  /** What the rule is checked with, each in a test of its own. */
  readonly variants?:
    | readonly string[]
    | ((driver: Driver) => readonly string[]);
  /** Checks the rule. */
  run(client: Client, traits: Traits, variant: string): Promise<void>;
}

/** Checks that a response does not set a cookie or describe one in `Vary` and `Cache-Control`. */
function assertBare(
  { setCookies, headers }: { setCookies: string[]; headers: Headers },
): void {
  assertEquals(setCookies, []);
  assert(!/cookie/i.test(headers.get("vary") ?? ""), "Vary");
  assert(!/private/.test(headers.get("cache-control") ?? ""), "Cache-Control");
}

/** Creates a session that counted one visit, and returns its cookie. */
async function visitor(client: Client): Promise<string> {
  const { cookie } = await client.request("/count");
  assertMatch(cookie, /^sid=s1/);
  await client.control("reset");
  return cookie;
}

/** Checks that a session is destroyed, and that the answer clears its cookie, or sends none. */
async function assertLoggedOut(
  client: Client,
  cookie: string,
  { setCookies }: { setCookies: string[] },
  clears: boolean,
): Promise<void> {
  assertEquals(await client.data(cookie), [{}, {}], "the session has ended");
  assertEquals(setCookies.length, clears ? 1 : 0, "the clearing cookie");
  if (clears) {
    assertMatch(setCookies[0] ?? "", /^sid=; .*Expires=Thu, 01 Jan 1970/);
  }
}

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

const NEVER_SAVED = /^(read)?$/;

/** Every case. */
export const cases: readonly Case[] = [
  {
    title: "a visitor without a session does not call the engine",
    async run(client) {
      const answer = await client.request("/look", "unrelated=1");
      assertEquals([answer.status, answer.text], [200, "looked undefined"]);
      assertBare(answer);
      assertEquals((await client.control("log")).ops, []);
    },
  },
  {
    title: "a change is committed once, before the response",
    async run(client) {
      const first = await client.request("/count");
      assertEquals([first.status, first.text], [200, "visit 1"]);
      assertEquals((await client.control("log")).ops, ["write"]);
      await client.control("reset");
      assertEquals(
        (await client.request("/count", first.cookie)).text,
        "visit 2",
      );
      assertEquals((await client.control("log")).ops, ["read", "write"]);
    },
  },
  {
    title: "an untouched session is not written, and no cookie is sent",
    async run(client) {
      const cookie = await visitor(client);
      const answer = await client.request("/look", cookie);
      assertEquals(answer.text, "looked 1");
      assertBare(answer);
      assertEquals((await client.control("log")).ops, ["read"]);
    },
  },
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
    variants: ["look", "change"],
    async run(client, _, action) {
      const cookie = await visitor(client);
      await withUpstream(async (origin, open) => {
        const path = `/${action}/live/${encodeURIComponent(`${origin}/held`)}`;
        const { before, text } = await client.live(path, cookie, open);
        assertEquals([before, text], ["first ", "first last"]);
      });
    },
  },
  {
    title: "a body that the application has encoded is sent as it is",
    variants: ["look", "change"],
    async run(client, _, action) {
      const { encoding, text, setCookies } = await client.raw(
        `/${action}/encoded`,
        "",
      );
      assertEquals([encoding, text], ["gzip", "packed"]);
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
  {
    title: "a change after the response throws",
    async run(client) {
      const { cookie } = await client.request("/keep");
      const { events } = await client.control("late");
      assertEquals(events, Array(5).fill("late-change"));
      assertEquals(await client.data(cookie), [{ visits: 1 }, {}]);
    },
  },
  {
    title: "a new id keeps the data, and the old id stops working",
    async run(client) {
      const old = await visitor(client);
      const { cookie } = await client.request("/login", old);
      assert(cookie !== old);
      assertEquals(await client.data(cookie), [{ visits: 1, userId: 7 }, {}]);
      assertEquals(await client.data(old), [{}, {}]);
    },
  },
  {
    title: "a destroyed session clears the cookie",
    async run(client) {
      const cookie = await visitor(client);
      const { setCookies } = await client.request("/logout", cookie);
      assertEquals(setCookies.length, 1);
      assertMatch(setCookies[0] ?? "", /^sid=; .*Expires=Thu, 01 Jan 1970/);
      assertEquals(await client.data(cookie), [{}, {}]);
    },
  },
  {
    title: "two sessions in one request do not mix",
    async run(client) {
      const both = await client.request("/both");
      assertEquals(both.setCookies.length, 2);
      assertEquals(await client.data(both.cookie), [{ a: 1 }, { b: 2 }]);
      const one = await client.request("/one", both.cookie);
      assertMatch(one.cookie, /^(other=[^;]*)?$/);
      assertEquals(await client.data(both.cookie), [{ a: 1 }, { b: 3 }]);
    },
  },
  {
    title: "an error commits nothing",
    async run(client) {
      const cookie = await visitor(client);
      const answer = await client.request("/throw", cookie);
      assertEquals(answer.status, 500);
      assertBare(answer);
      const { ops, events } = await client.control("log");
      assertEquals(ops, ["read"]);
      assertEquals(events, ["HandlerError"]);
      assertEquals(await client.data(cookie), [{ visits: 1 }, {}]);
    },
  },
  {
    title: "an answer of 500 or above commits nothing",
    variants: ["500", "503", "599"],
    async run(client, _, status) {
      const cookie = await visitor(client);
      for (const each of [cookie, ""]) {
        const path = `/login/answer/${status}/ann`;
        const answer = await client.request(path, each);
        assertEquals(answer.status, Number(status), rowName(each));
        assertEquals(answer.text, "answered", rowName(each));
        assertBare(answer);
      }
      assertEquals((await client.control("log")).ops, ["read"]);
      assertEquals(await client.data(cookie), [{ visits: 1 }, {}]);
    },
  },
  {
    title: "an answer below 500 commits",
    variants: ["400", "401", "404", "499"],
    async run(client, _, status) {
      const path = `/login/answer/${status}/ann`;
      const answer = await client.request(path);
      assertEquals(answer.status, Number(status));
      assertEquals(await client.data(answer.cookie), [{ user: "ann" }, {}]);
    },
  },
  {
    title: "an HTTP error below 500, as the framework makes it",
    trait: "httpError",
    variants: ["401", "404"],
    async run(client, { httpError }, status) {
      const cookie = await visitor(client);
      const path = `/login/http-error/${status}/ann`;
      const answer = await client.request(path, cookie);
      assertEquals(answer.status, Number(status));
      if (httpError === "answer") {
        assertEquals(await client.data(answer.cookie), [
          { visits: 1, user: "ann" },
          {},
        ]);
      } else {
        assertBare(answer);
        assertEquals(await client.data(cookie), [{ visits: 1 }, {}]);
      }
      assertEquals((await client.control("log")).events, []);
    },
  },
  {
    title: "an HTTP error of 500 or above commits nothing",
    variants: ["500", "503"],
    async run(client, _, status) {
      const cookie = await visitor(client);
      const path = `/login/http-error/${status}/ann`;
      const answer = await client.request(path, cookie);
      assertEquals(answer.status, Number(status));
      assertBare(answer);
      assertEquals(await client.data(cookie), [{ visits: 1 }, {}]);
    },
  },
  {
    title: "isFailure decides which answers commit nothing",
    variants: ["answer", "http-error"],
    async run(client, { httpError }, how) {
      const fine = await client.request("/both/answer/200");
      assertEquals(await client.data(fine.cookie), [{ a: 1 }, { b: 2 }]);
      // `other` fails from 400 on.
      const { setCookies, cookie } = await client.request(`/both/${how}/400`);
      const saved = how === "answer" || httpError === "answer";
      assertEquals(setCookies.length, saved ? 1 : 0);
      assertEquals(await client.data(cookie), [saved ? { a: 1 } : {}, {}]);
    },
  },
  {
    title: "a logout holds when the answer is an error",
    variants: ["400", "401", "404", "500", "503"],
    async run(client, _, status) {
      const cookie = await visitor(client);
      const answer = await client.request(`/logout/answer/${status}`, cookie);
      assertEquals([answer.status, answer.text], [Number(status), "answered"]);
      await assertLoggedOut(client, cookie, answer, true);
    },
  },
  {
    title: "a logout holds when the handler throws; the cookie",
    trait: "errorPage",
    async run(client, { errorPage }) {
      const cookie = await visitor(client);
      const answer = await client.request("/logout/throw", cookie);
      assertEquals(answer.status, 500);
      assertEquals((await client.control("log")).events, ["HandlerError"]);
      const clears = errorPage === "cleared";
      await assertLoggedOut(client, cookie, answer, clears);
    },
  },
  {
    title: "a logout holds when the handler throws a Response",
    async run(client, { thrownResponse }) {
      const cookie = await visitor(client);
      const answer = await client.request("/logout/throw-redirect", cookie);
      const isAnswer = thrownResponse === "answer";
      assertEquals(answer.status, isAnswer ? 303 : 500);
      if (isAnswer) await assertLoggedOut(client, cookie, answer, true);
      else assertEquals(await client.data(cookie), [{}, {}]);
    },
  },
  {
    title: "a logout holds when the handler throws an HTTP error",
    variants: ["401", "404", "503"],
    async run(client, { httpError, errorPage }, status) {
      const cookie = await visitor(client);
      const path = `/logout/http-error/${status}`;
      const answer = await client.request(path, cookie);
      assertEquals(answer.status, Number(status));
      const clears = httpError === "answer" || errorPage === "cleared";
      await assertLoggedOut(client, cookie, answer, clears);
    },
  },
  {
    title: "a logout holds if the visitor disconnects",
    async run(client) {
      const cookie = await visitor(client);
      const headers = [`Cookie: ${cookie}`];
      const connection = await client.open("/logout/gone", headers);
      await client.control("entered");
      connection.close();
      await client.control("open");
      // The visitor gets no answer, so ask until the session has ended.
      for (let tries = 1; tries <= 1000; tries++) {
        const [data] = await client.data(cookie);
        if (Object.keys(data as object).length === 0) return;
      }
      assertEquals(await client.data(cookie), [{}, {}]);
    },
  },
  {
    title: "if ending the session fails too, the handler's error goes on",
    async run(client) {
      const cookie = await visitor(client);
      await client.control("fail?verb=delete");
      const answer = await client.request("/logout/throw", cookie);
      assertEquals(answer.status, 500);
      const { events, reports } = await client.control("log");
      assertEquals(events, ["HandlerError"]);
      assertEquals(reports.filter((each) => each === "engine-error").length, 1);
    },
  },
  {
    title: "a thrown Response",
    trait: "thrownResponse",
    async run(client, { thrownResponse }) {
      const cookie = await visitor(client);
      const answer = await client.request("/throw-redirect", cookie);
      if (thrownResponse === "answer") {
        assertEquals(answer.status, 303);
        assertEquals((await client.request("/notice", cookie)).text, "thrown");
      } else {
        assertEquals(answer.status, 500);
        assertEquals((await client.control("log")).ops, ["read"]);
        assertEquals((await client.request("/notice", cookie)).text, "nothing");
      }
      const fresh = await client.request("/throw-redirect");
      assertEquals(
        fresh.setCookies.length,
        thrownResponse === "answer" ? 1 : 0,
      );
    },
  },
  {
    title: "a value that cannot be saved is an error, and commits nothing",
    async run(client) {
      const cookie = await visitor(client);
      const answer = await client.request("/bad", cookie);
      assertEquals(answer.status, 500);
      assertBare(answer);
      const { ops, events } = await client.control("log");
      assertMatch(ops.join(), NEVER_SAVED);
      assertEquals(events, ["unserializable"]);
    },
  },
  {
    title: "if the engine fails: 503, and the visitor keeps the cookie",
    async run(client) {
      const cookie = await visitor(client);
      for (const verb of ["read", "write"]) {
        await client.control(`fail?verb=${verb}`);
        const answer = await client.request("/count", cookie);
        assertEquals(answer.status, 503, verb);
        assertEquals(answer.text, "Service Unavailable", rowName(verb));
        assertBare(answer);
        assertEquals(
          answer.headers.get("cache-control"),
          "no-store",
          rowName(verb),
        );
        assertEquals(answer.headers.get("retry-after"), "5", rowName(verb));
      }
      for (const path of ["/stream", "/cookies"]) {
        await client.control("fail?verb=write");
        const { status, text, setCookies } = await client.request(path, cookie);
        assertEquals([status, text], [503, "Service Unavailable"], path);
        assertEquals(setCookies, [], "the failed answer leaves nothing");
      }
      assertEquals((await client.request("/count", cookie)).text, "visit 2");
    },
  },
  {
    title: "an invalid cookie means an empty session, never a 5xx",
    async run(client) {
      const good = await visitor(client);
      const invalid = [
        ..."x ; = % sid sid= sid=; =sid sid=% sid=%00 sid=%E0%A4%A".split(" "),
        'sid="quoted"',
        "sid=../../etc/passwd",
        "sid=__proto__",
        `sid=${"A".repeat(7000)}`,
        `${"a=b; ".repeat(1000)}sid=s1.x`,
        `${good.slice(0, -1)}`,
        `${good}x`,
        "sid=s1.a; sid=s1.b; sid=s1.c; sid=s1.d",
      ];
      for (const cookie of invalid) {
        const { status, text } = await client.request("/count", cookie);
        assertEquals([status, text], [200, "visit 1"], cookie.slice(0, 40));
      }
      assertEquals((await client.control("log")).events, []);
    },
  },
  {
    title: "a WebSocket opens; the cookie of a changed session",
    trait: "upgrade",
    async run(client, { upgrade }) {
      const plain = await client.upgrade("/upgrade");
      assertEquals(plain.status, 101);
      assert(!/^set-cookie:/im.test(plain.head));
      assertEquals((await client.control("log")).events, []);
      const { status, head } = await client.upgrade("/upgrade-changed");
      const { ops, events } = await client.control("log");
      if (upgrade === "sent") {
        assertEquals(status, 101);
        const [, cookie = ""] = head.match(/^set-cookie: ([^;\r]*)/im) ?? [];
        assertEquals(await client.data(cookie), [{ visits: 1 }, {}]);
      } else {
        assert(!/^set-cookie:/im.test(head));
        assertEquals(ops, []);
        assertEquals(events, ["late-change"]);
      }
    },
  },
  {
    title: "a handler without a response",
    trait: "nothing",
    async run(client, { nothing }) {
      if (nothing === "open") {
        const connection = await client.open("/nothing");
        await client.control("entered");
        connection.close();
        assertEquals((await client.control("log")).ops, []);
        return;
      }
      const answer = await client.request("/nothing");
      const { ops, events } = await client.control("log");
      if (nothing === "answer") {
        assertEquals(await client.data(answer.cookie), [{ visits: 1 }, {}]);
      } else {
        assertEquals(answer.status, 500);
        assertBare(answer);
        assertEquals([ops, events.length], [[], 1]);
      }
    },
  },
  {
    title: "a handler run twice: number of runs saved",
    trait: "twice",
    async run(client, { twice }) {
      const cookie = await visitor(client);
      const answer = await client.request("/twice", cookie);
      const { ops } = await client.control("log");
      assertEquals(ops, twice ? ["read", "write"] : ["read"]);
      if (twice) assertEquals(answer.status, 200);
      else {
        assert(answer.status >= 400);
        assertBare(answer);
      }
      assertEquals(await client.data(cookie), [{ visits: 1 + twice }, {}]);
    },
  },
  {
    title: "if the visitor disconnects, all changes are saved or none",
    async run(client) {
      const cookie = await visitor(client);
      const connection = await client.open("/gate", [`Cookie: ${cookie}`]);
      await client.control("entered");
      connection.close();
      await client.control("open");
      // Both changes or none, and the server still works.
      const [data] = await client.data(cookie);
      const { visits, before, after, ...rest } = data as Record<string, number>;
      assertEquals([visits, rest], [1, {}]);
      assertEquals(before, after);
      assertEquals((await client.request("/count", cookie)).text, "visit 2");
    },
  },
];
