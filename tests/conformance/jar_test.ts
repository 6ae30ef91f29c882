/** Whether the cookie jar of the suite does what RFC 6265bis says that a browser does. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { CookieJar } from "../../conformance/trial/jar.ts";
import {
  parseCookieDate,
  parseSetCookie,
} from "../../conformance/trial/set_cookie.ts";

const DAY = 24 * 60 * 60 * 1000;
const start = Date.UTC(2026, 0, 1);

/** A jar whose time a test moves. */
function jarAt(): { jar: CookieJar; wait(ms: number): void } {
  let now = start;
  return { jar: new CookieJar(() => now), wait: (ms) => void (now += ms) };
}

/** The Cookie header for a page, after the given Set-Cookie headers from another. */
function sends(
  headers: readonly string[],
  to = "https://example.com/",
  from = "https://example.com/",
): string | null {
  const { jar } = jarAt();
  for (const header of headers) jar.take(header, new URL(from));
  return jar.header(new URL(to));
}

/** Why a Set-Cookie header is refused. */
function refusal(header: string, from = "https://example.com/"): string {
  return jarAt().jar.take(header, new URL(from)) ?? "accepted";
}

Deno.test("parseSetCookie() splits at the first = and trims, as section 5.6 says", () => {
  const cases: [header: string, name: string, value: string][] = [
    ["a=b", "a", "b"],
    ["a=b=c", "a", "b=c"],
    [" a = b ; Path=/", "a", "b"],
    ["a=", "a", ""],
    ["alone", "", "alone"],
    ["=b", "", "b"],
    ['a="b c"', "a", '"b c"'],
  ];
  for (const [header, name, value] of cases) {
    const cookie = parseSetCookie(header);
    assertEquals([cookie?.name, cookie?.value], [name, value], header);
  }
});

Deno.test("parseSetCookie() takes the last attribute of a name, in any case, and none of over 1024 bytes", () => {
  const long = `/${"x".repeat(1024)}`;
  const cases: [attributes: string, name: string, value: string | undefined][] =
    [
      ["Path=/a; PATH=/b", "path", "/b"],
      ["; ; path = /c ", "path", "/c"],
      ["HttpOnly", "httponly", ""],
      [`Path=/a; Path=${long}`, "path", "/a"],
      ["Secured", "secure", undefined],
    ];
  for (const [attributes, name, value] of cases) {
    const cookie = parseSetCookie(`a=b; ${attributes}`);
    assertEquals(cookie?.attributes.get(name), value, attributes);
  }
});

Deno.test("parseCookieDate() reads the dates of section 5.1.1, and no others", () => {
  const cases: [text: string, date: string | undefined][] = [
    ["Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z"],
    ["Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
    ["Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
    ["Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37.000Z"],
    ["06 Nov 69 8:9:7", "2069-11-06T08:09:07.000Z"],
    // The zone is not read.
    ["Sun Nov 29 2026 02:45:35 GMT+0200 (EET)", "2026-11-29T02:45:35.000Z"],
    ["2026-11-29T00:45:35.000Z", undefined],
    ["29/11/2026 00:45:35", undefined],
    ["31 Feb 2026 00:00:00", undefined],
    ["01 Jan 1600 00:00:00", undefined],
    ["01 Jan 2026 24:00:00", undefined],
    ["0", undefined],
    ["", undefined],
  ];
  for (const [text, date] of cases) {
    const ms = parseCookieDate(text);
    const got = ms === undefined ? undefined : new Date(ms).toISOString();
    assertEquals(got, date, text);
  }
});

Deno.test("a jar refuses the cookies that section 5.7 refuses, and says why", () => {
  const cases: [header: string, why: string, from?: string][] = [
    ["=", "empty"],
    ["a=b\x01", "control character"],
    ["a=b\n; Path=/", "control character"],
    [`a=${"x".repeat(4095)}`, "accepted"],
    [`a=${"x".repeat(4096)}`, "4096"],
    [`a=${"ü".repeat(2048)}`, "4096"],
    ["a=b; Domain=other.com", "domain"],
    ["a=b; Domain=com", "domain"],
    ["a=b; Domain=ample.com", "domain"],
    ["a=b; Domain=.example.com", "accepted"],
    ["a=b; Domain=EXAMPLE.com", "accepted", "https://www.example.com/"],
    ["a=b; Secure", "Secure", "http://example.com/"],
    ["a=b; SameSite=None", "SameSite=None"],
    ["a=b; SameSite=none; Secure", "accepted"],
    ["a=b; SameSite=odd", "accepted"],
    ["a=b; Partitioned", "Partitioned"],
    ["a=b; Partitioned; Secure", "accepted"],
    ["__Secure-a=b", "__Secure-"],
    ["__secure-a=b; Secure", "accepted"],
    ["__Host-a=b; Path=/", "__Host-"],
    ["__Host-a=b; Secure", "__Host-"],
    ["__HOST-a=b; Secure; Path=/a", "__Host-"],
    ["__Host-a=b; Secure; Path=/; Domain=example.com", "__Host-"],
    ["__Host-a=b; Secure; Path=/", "accepted"],
    ["__Host-a", "without a name"],
  ];
  for (const [header, why, from] of cases) {
    assertStringIncludes(refusal(header, from), why, header.slice(0, 80));
  }
});

Deno.test("a jar sends a cookie to its host, or to its domain and the hosts below", () => {
  const cases: [header: string, to: string, sent: boolean][] = [
    ["a=b", "https://example.com/", true],
    ["a=b", "https://www.example.com/", false],
    ["a=b; Domain=example.com", "https://www.example.com/", true],
    ["a=b; Domain=example.com", "https://notexample.com/", false],
    ["a=b; Domain=", "https://www.example.com/", false],
    ["a=b; Secure", "http://example.com/", false],
    ["a=b; Secure", "http://localhost/", false],
  ];
  for (const [header, to, sent] of cases) {
    assertEquals(sends([header], to), sent ? "a=b" : null, `${header} ${to}`);
  }
});

Deno.test("a jar sends a cookie to its path and below, by default the folder of the page", () => {
  const cases: [path: string, from: string, to: string, sent: boolean][] = [
    ["", "/", "/shop", true],
    ["", "/shop/cart", "/shop/pay", true],
    ["", "/shop/cart", "/shop", true],
    ["", "/shop/cart", "/", false],
    ["", "/shop", "/", true],
    ["; Path=/shop", "/", "/shop", true],
    ["; Path=/shop", "/", "/shop/", true],
    ["; Path=/shop", "/", "/shopping", false],
    ["; Path=/shop/", "/", "/shop", false],
    ["; Path=shop", "/a/b", "/a/c", true],
    ["; Path=", "/a/b", "/", false],
  ];
  for (const [path, from, to, sent] of cases) {
    const site = "https://example.com";
    assertEquals(
      sends([`a=b${path}`], site + to, site + from),
      sent ? "a=b" : null,
      `${path} from ${from} to ${to}`,
    );
  }
});

Deno.test("a jar sends longer paths first, then the cookies that are older", () => {
  const headers = [
    "a=1; Path=/",
    "b=2; Path=/x",
    "c=3; Path=/",
    "a=4; Path=/x",
  ];
  const page = "https://example.com/x/y";
  assertEquals(sends(headers, page), "b=2; a=4; a=1; c=3");
  // A cookie that is set again keeps its place.
  assertEquals(sends([...headers, "a=5; Path=/"], page), "b=2; a=4; a=5; c=3");
});

Deno.test("a jar keeps cookies of one name for several domains and paths apart", () => {
  const headers = ["a=1", "a=2; Domain=example.com", "a=3; Path=/x"];
  assertEquals(sends(headers, "https://example.com/x"), "a=3; a=1; a=2");
  const gone = "a=; Max-Age=0";
  assertEquals(sends([...headers, gone], "https://example.com/x"), "a=3; a=2");
});

Deno.test("a jar sends a cookie without a name as its value alone", () => {
  assertEquals(sends(["alone", "a=b"]), "alone; a=b");
});

Deno.test("a jar forgets a cookie at its Max-Age, or else at its Expires, and after 400 days at the latest", () => {
  const cases: [attributes: string, livesMs: number][] = [
    ["Max-Age=60", 60_000],
    ["Max-Age=60; Expires=Fri, 02 Jan 2026 00:00:00 GMT", 60_000],
    ["Expires=Fri, 02 Jan 2026 00:00:00 GMT; Max-Age=60", 60_000],
    ["Expires=Fri, 02 Jan 2026 00:00:00 GMT", DAY],
    ["Max-Age=6x; Expires=Fri, 02 Jan 2026 00:00:00 GMT", DAY],
    ["Max-Age=99999999999", 400 * DAY],
    ["Expires=Fri, 01 Jan 2100 00:00:00 GMT", 400 * DAY],
  ];
  for (const [attributes, livesMs] of cases) {
    const { jar, wait } = jarAt();
    const page = new URL("https://example.com/");
    jar.take(`a=b; ${attributes}`, page);
    wait(livesMs - 1);
    assertEquals(jar.header(page), "a=b", `${attributes}, before`);
    wait(1);
    assertEquals(jar.header(page), null, `${attributes}, at its end`);
  }
});

Deno.test("a jar keeps a cookie for good whose lifetime it cannot read, or which has none", () => {
  const attributes = [
    "",
    "; Max-Age=soon",
    '; Max-Age="0"',
    "; Max-Age=+1",
    "; Max-Age=",
    "; Expires=0",
  ];
  for (const attribute of attributes) {
    const { jar, wait } = jarAt();
    const page = new URL("https://example.com/");
    jar.take(`a=b${attribute}`, page);
    wait(1000 * DAY);
    assertEquals(jar.header(page), "a=b", attribute);
  }
});

Deno.test("a jar removes a cookie whose lifetime has passed, with the same name, domain and path", () => {
  const cases: [header: string, left: string | null][] = [
    ["a=; Max-Age=0", null],
    ["a=; Max-Age=-1", null],
    ["a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", null],
    ["a=; Path=/x; Max-Age=0", "a=b"],
    ["a=; Domain=example.com; Max-Age=0", "a=b"],
    ["A=; Max-Age=0", "a=b"],
    ["a=", "a="],
  ];
  for (const [header, left] of cases) {
    assertEquals(sends(["a=b", header]), left, header);
  }
});

Deno.test("a jar does not let a page without TLS replace a cookie that is Secure", () => {
  const { jar } = jarAt();
  jar.take("a=b; Secure", new URL("https://example.com/"));
  const why = jar.take("a=c", new URL("http://example.com/"));
  assertStringIncludes(why ?? "accepted", "Secure");
  assertEquals(jar.header(new URL("https://example.com/")), "a=b");
});
