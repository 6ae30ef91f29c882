/**
 * What happens to a session in one request, as the visitor and the engine see it: the same list for every framework.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertBare, type Case, visitor } from "./_case.ts";
import { failureCases } from "./_failure_cases.ts";
import { responseCases } from "./_response_cases.ts";

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
  ...responseCases,
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
  ...failureCases,
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
      if (upgrade === "none") return;
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
