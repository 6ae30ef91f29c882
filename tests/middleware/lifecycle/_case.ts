/**
 * The form of a case, and what several cases check.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Client } from "./_client.ts";
import type { Driver, Traits } from "./_driver.ts";

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
export function assertBare(
  { setCookies, headers }: { setCookies: string[]; headers: Headers },
): void {
  assertEquals(setCookies, []);
  assert(!/cookie/i.test(headers.get("vary") ?? ""), "Vary");
  assert(!/private/.test(headers.get("cache-control") ?? ""), "Cache-Control");
}

/** Creates a session that counted one visit, and returns its cookie. */
export async function visitor(client: Client): Promise<string> {
  const { cookie } = await client.request("/count");
  assertMatch(cookie, /^sid=s1/);
  await client.control("reset");
  return cookie;
}
