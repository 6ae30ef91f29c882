// What shared caches are told about a response that carries a visitor's cookie.
import { assertEquals } from "@std/assert";
import {
  privateCacheControl,
  SHARED_CACHE_HEADERS,
} from "../../../middleware/lifecycle/cache.ts";
import { rowName } from "../../_row.ts";

const ROWS: [given: string | null | undefined, sent: string][] = [
  [undefined, "private, no-store"],
  [null, "private, no-store"],
  ["", "private, no-store"],
  [" , ", "private, no-store"],
  ["private", "private"],
  ["Private, max-age=60", "Private, max-age=60"],
  ["max-age=60, private", "max-age=60, private"],
  ["no-store", "no-store"],
  ["no-cache", "private, no-cache"],
  ["max-age=0, must-revalidate", "private, max-age=0, must-revalidate"],
  ["public", "private"],
  ["public, max-age=600", "private, max-age=600"],
  ["PUBLIC,max-age=600,immutable", "private, max-age=600, immutable"],
  ["s-maxage=600", "private"],
  [
    "max-age=60, S-MaxAge = 600, proxy-revalidate",
    "private, max-age=60",
  ],
  ['s-maxage="600, public", no-cache', "private, no-cache"],
  ["public, private", "private"],
  ["must-understand, no-store", "no-store"],
  ['private="set-cookie", max-age=60', "private, max-age=60"],
  ['private="a, b", private', "private"],
  ['no-cache="set-cookie, vary"', 'private, no-cache="set-cookie, vary"'],
  ['max-age=60, x="no-store', 'private, max-age=60, x="no-store'],
  ['x="a \\" , private"', 'private, x="a \\" , private"'],
  [
    "public, max-age=1, stale-while-revalidate=9",
    "private, max-age=1, stale-while-revalidate=9",
  ],
];

Deno.test("privateCacheControl() forbids shared caches to store a response, and keeps what the browser may do", () => {
  for (const [given, sent] of ROWS) {
    assertEquals(privateCacheControl(given), sent, rowName(given));
    assertEquals(privateCacheControl(sent), sent, rowName("again", given));
  }
});

Deno.test("SHARED_CACHE_HEADERS are names that Headers accepts", () => {
  const headers = new Headers();
  for (const name of SHARED_CACHE_HEADERS) headers.set(name, "max-age=60");
  assertEquals([...headers].length, SHARED_CACHE_HEADERS.length);
});
