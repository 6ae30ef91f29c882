/**
 * A hundred visitors at the same time, who all get an answer that the application made once.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Answer, Client } from "./_client.ts";

const SIZE = 100;

/** What the visitors do: every fourth one signs in, signs out, only reads, or is a stranger. */
const KINDS = ["login", "logout", "reader", "stranger"] as const;

/** Checks that each visitor gets what is theirs, and nothing else. */
export async function visitTogether(
  client: Client,
  answer: string,
): Promise<void> {
  const request = (action: string, who: string, cookie = "") =>
    client.request(
      `/${action}/shared/${encodeURIComponent(answer)}/${who}`,
      cookie,
    );
  const plain = await request("look", "");
  assertEquals(sessionCookies(plain), [], "nobody");
  const visitors = await Promise.all(
    Array.from({ length: SIZE }, async (_, i) => {
      const kind = KINDS[i % KINDS.length]!;
      const isKnown = kind === "logout" || kind === "reader";
      const cookie = isKnown ? (await client.request("/count")).cookie : "";
      return { name: `${answer}: ${kind} ${i}`, who: `v${i}`, kind, cookie };
    }),
  );
  const answers = await Promise.all(
    visitors.map(({ kind, who, cookie }) =>
      request(
        kind === "login" || kind === "logout" ? kind : "look",
        who,
        cookie,
      )
    ),
  );
  const ids = new Set<string>();
  for (const [i, got] of answers.entries()) {
    const { kind, name } = visitors[i]!;
    assertEquals(own(got), own(plain), name);
    const [setCookie, ...others] = sessionCookies(got);
    assertEquals(others, [], name);
    if (kind === "logout") {
      assertMatch(setCookie ?? "", /^sid=; .*Expires=Thu, 01 Jan 1970/, name);
    } else if (kind === "login" && plain.status < 500) {
      assertMatch(setCookie ?? "", /^sid=s1/, name);
      ids.add(setCookie!);
    } else {
      assertEquals(setCookie, undefined, name);
      assertEquals(caching(got), caching(plain), name);
      continue;
    }
    const [vary, cacheControl] = caching(got);
    const [plainVary, plainCacheControl] = caching(plain);
    assertEquals(
      vary!.toSorted(),
      [...plainVary!, "cookie"].toSorted(),
      `${name}: Vary`,
    );
    assertEquals(plainCacheControl, [], name);
    assertEquals(cacheControl, ["private", "no-store"], name);
  }
  await Promise.all(visitors.map(async ({ kind, who, cookie, name }, i) => {
    const theirs = kind === "login" ? ownCookie(answers[i]!) : cookie;
    if (!theirs) return;
    const expected = {
      login: { user: who },
      logout: {},
      reader: { visits: 1 },
    };
    assertEquals(
      await client.data(theirs),
      [expected[kind as "login"], {}],
      name,
    );
  }));
  if (plain.status < 500) assertEquals(ids.size, SIZE / KINDS.length);
  const { changed } = await client.control("log");
  assert(!changed.includes(answer), "what was made once has changed");
  const last = await request("look", "");
  assertEquals(
    [own(last), caching(last), sessionCookies(last)],
    [own(plain), caching(plain), []],
    "a stranger, afterwards",
  );
}

/** The cookies of the session. */
function sessionCookies({ setCookies }: Answer): string[] {
  return setCookies.filter((each) => /^(sid|other)=/.test(each));
}

function ownCookie(answer: Answer): string {
  return sessionCookies(answer)[0]?.split(";")[0] ?? "";
}

/** What belongs to the application. */
function own(answer: Answer): unknown {
  const { status, headers, setCookies } = answer;
  // React Router's data says whether the response sets a cookie.
  const isData = headers.has("x-remix-response");
  const names = ["content-type", "location", "x-own"];
  return [
    status,
    isData ? "" : answer.text,
    setCookies.filter((each) => !/^(sid|other)=/.test(each)),
    ...names.map((name) => headers.get(name)),
  ];
}

/** The names in `Vary`, and the directives of `Cache-Control`. */
function caching({ headers }: Answer): string[][] {
  return ["vary", "cache-control"].map((name) =>
    headers.get(name)?.toLowerCase().split(",").map((each) => each.trim()) ?? []
  );
}
