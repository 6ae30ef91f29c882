/**
 * What happens to a session in one request, as the visitor and the engine see it: the same list for every framework.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { rowName } from "../../_row.ts";
import type { Client } from "./_client.ts";
import type { Traits } from "./_driver.ts";

/** One case. */
export interface Case {
  /** The rule, as the table shows it. */
  readonly title: string;
  /** The trait, if frameworks differ here. */
  readonly trait?: keyof Traits;
  /** Checks the rule. */
  run(client: Client, traits: Traits): Promise<void>;
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
    title: "HEAD carries the cookie, but not the body",
    async run(client) {
      const answer = await client.request("/count", "", { method: "HEAD" });
      assertEquals([answer.status, answer.text], [200, ""]);
      assertEquals(await client.data(answer.cookie), [{ visits: 1 }, {}]);
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
