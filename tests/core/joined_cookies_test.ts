/** `Cookie` fields that a runtime joined by a comma, and what an attacker makes of that. */
import { assertEquals } from "@std/assert";
import {
  type CookieOptions,
  cookieValues,
  createCookie,
} from "../../core/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { rowName } from "../_row.ts";
import { cookieHeader } from "./_support.ts";

const secrets = ["s3cr3t"];

const signed: Record<string, CookieOptions> = {
  signed: { secrets },
  encrypted: { secrets, encrypt: true },
  "react-router": { secrets, format: "react-router" },
  remix: { secrets, format: "remix" },
};

for (const [name, options] of Object.entries(signed)) {
  Deno.test(`cookie.parse() reads the cookie, when fields were joined by a comma (${name})`, async () => {
    const cookie = createCookie("n", options);
    const pair = cookieHeader(await cookie.serialize("mine"));
    const rows: string[][] = [
      ["a=1", pair],
      [pair, "a=1"],
      ["a=1", pair, "b=2"],
      ["a=1; b=2", `${pair}; c=3`],
      [`a=1; ${pair}`, "b=2; c=3"],
      ["n=forged", pair],
      ["n=", pair],
      [pair, pair],
    ];
    for (const fields of rows) {
      const headers = new Headers(fields.map((field) => ["Cookie", field]));
      for (const header of [headers.get("Cookie"), fields.join(",")]) {
        assertEquals(await cookie.parse(header), "mine", rowName(fields));
      }
    }
  });

  Deno.test(`cookie.parse() does not read a value inside another cookie, when its own is authentic too (${name})`, async () => {
    const cookie = createCookie("n", options);
    const mine = cookieHeader(await cookie.serialize("mine"));
    const other = cookieHeader(await cookie.serialize("attacker's"));
    const rows: [string, unknown][] = [
      [`${mine}; q=x, ${other}`, "mine"],
      [`q=x, ${other}; ${mine}`, "mine"],
      [`${mine}, q=x, ${other}`, "mine"],
      [`q=x, ${other}; ${mine}, b=2`, "mine"],
      [`n=; q=x, ${other}; ${mine}`, "mine"],
      // Which of the two is the visitor's own cannot be known.
      [`a=1, ${mine}, q=x, ${other}`, null],
      [`q=x, ${other}, ${mine}`, null],
      [`q=x, n=1, n=2, n=3, ${other}, ${mine}`, null],
      [`q=x, ${other}, n=1, n=2, n=3, ${mine}`, null],
      [`q=x, ${other}, ${other}, ${mine}`, null],
      [`q=x, ${other}, ${other}, ${other}, ${other}, ${mine}`, null],
      [`n=1; n=2; n=3; q=x, ${other}; ${mine}`, null],
      [`n=1; n=2; q=x, ${other}, n=3; ${mine}`, "mine"],
      [`a=1, n=1, n=2, ${mine}`, "mine"],
      [`a=1, n=1, n=2, n=3, ${mine}`, null],
      // Without a comma in front, it is a part of the other cookie's value.
      [`q=x ${other}`, null],
      [`q=${other}`, null],
      [`q=x,y${other}`, null],
      [`q=x, y ${other}`, null],
    ];
    for (const [header, expected] of rows) {
      assertEquals(await cookie.parse(header), expected, rowName(header));
    }
  });
}

Deno.test("cookie.parse() does not read a value inside another cookie, when it is not signed", async () => {
  const formats: CookieOptions[] = [
    {},
    { format: "react-router" },
    { format: "remix" },
  ];
  for (const options of formats) {
    const cookie = createCookie("n", options);
    const other = cookieHeader(await cookie.serialize("attacker's"));
    for (const header of [`q=x, ${other}`, `q=x,${other}; b=2`]) {
      assertEquals(await cookie.parse(header), null, rowName(options, header));
    }
  }
});

Deno.test("getSession() does not read an attacker's session inside another cookie, when the visitor's own has ended", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine, cookie: { secrets } });
  async function signIn(user: string): Promise<string> {
    const session = await storage.getSession();
    session.set("user", user);
    return cookieHeader(await storage.commitSession(session));
  }
  const mine = await signIn("ann");
  const attackers = await signIn("mallory");
  const reflected = `q=x, ${attackers}`;
  const joined = new Headers([["Cookie", "a=1"], ["Cookie", mine]]);
  assertEquals((await storage.getSession(joined)).get("user"), "ann");
  for (const header of [`${mine}; ${reflected}`, `${reflected}; ${mine}`]) {
    const session = await storage.getSession(header);
    assertEquals(session.get("user"), "ann", rowName(header));
  }
  await storage.destroySession(await storage.getSession(mine));
  for (const header of [`${mine}; ${reflected}`, `${reflected}; ${mine}`]) {
    const session = await storage.getSession(header);
    assertEquals(session.size, 0, rowName(header));
  }
});

Deno.test("cookieValues() returns the values after a comma, when it is asked for these", () => {
  const rows: [string, string[]][] = [
    ["a=1, n=2", ["2"]],
    ["a=1,\t n=2; n=3", ["2"]],
    ["n=1, n=2, n=3", ["2, n=3", "3"]],
    ["n=1; n=2", []],
    ["a=1, n=2; b, n=3;, n=4", ["2", "3", "4"]],
  ];
  for (const [header, expected] of rows) {
    assertEquals(cookieValues(header, "n", ","), expected, header);
  }
});
