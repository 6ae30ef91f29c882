/**
 * Cases about requests that fail, and logouts in them.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { rowName } from "../../_row.ts";
import { assertBare, type Case, visitor } from "./_case.ts";
import type { Client } from "./_client.ts";

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

const NEVER_SAVED = /^(read)?$/;

/** The cases. */
export const failureCases: readonly Case[] = [
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
    title: "crossOrigin refuses what another origin can change",
    variants: [
      "Sec-Fetch-Site: cross-site",
      "Sec-Fetch-Site: same-site",
      "Origin: https://evil.example",
      "Origin: null",
    ],
    async run(client, _, header) {
      const post = (name = "", value = "", method = "POST") =>
        client.request("/count", "", {
          method,
          headers: name ? { [name]: value } : {},
        });
      const [name, value] = header.split(": ");
      const refused = await post(name, value);
      assertEquals(refused.status, 403);
      assertEquals(refused.text, "Forbidden");
      assertBare(refused);
      assertEquals((await client.control("log")).events, []);
      for (
        const allowed of [
          await post(name, value, "GET"),
          await post(),
          await post("Sec-Fetch-Site", "same-origin"),
          await post("Sec-Fetch-Site", "none"),
          await post("Origin", client.origin),
          await post("Origin", "https://app.example.com"),
        ]
      ) {
        assertEquals(allowed.status, 200, rowName(allowed));
      }
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
      // The visitor does not get an answer, so ask until the session has ended.
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
];
