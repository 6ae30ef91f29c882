import { assert, assertEquals } from "@std/assert";
import {
  type CookieOptions,
  cookieValues,
  createCookie,
} from "../../core/cookie.ts";
import { rowName } from "../_row.ts";
import { cookieHeader, cookieText } from "./_support.ts";

const secrets = ["s3cr3t"];
const protectedFormats: { name: string; options: CookieOptions }[] = [
  { name: "signed", options: { secrets } },
  { name: "sealed", options: { secrets, encrypt: true } },
  { name: "react-router", options: { secrets, format: "react-router" } },
  { name: "remix", options: { secrets, format: "remix" } },
];
const everyFormat: { name: string; options: CookieOptions }[] = [
  ...protectedFormats,
  {
    name: "signed, accepting all",
    options: { secrets, accept: ["react-router", "remix"] },
  },
];
const unprotected: CookieOptions[] = [
  {},
  { format: "react-router" },
  { format: "remix" },
  { accept: ["react-router", "remix"] },
];

const hostileHeaders: Record<string, string> = {
  "8 KB in one value": "n=" + "a".repeat(8 * 1024),
  "64 KB in one value": "n=" + "a".repeat(64 * 1024),
  "1 MB in one value": "n=" + "a".repeat(1024 * 1024),
  "1 MB of dots": "n=" + ".".repeat(1024 * 1024),
  "1 MB of %": "n=" + "%".repeat(1024 * 1024),
  "1 MB of the name": "n=".repeat(512 * 1024),
  "1 MB of blanks before the name": " ".repeat(1024 * 1024) + "n=x",
  "1 MB of semicolons": ";".repeat(1024 * 1024),
  "3,000 pairs": Array.from({ length: 3000 }, (_, i) => `c${i}=v${i}`).join(
    "; ",
  ),
  "3,000 times the name": "n=x; ".repeat(3000),
  "an empty name": "=x",
  "empty names and the name": "=x; =; =n=x; n=x",
  "a lone semicolon": ";",
  "a lone equals sign": "=",
  "the name without =": "n",
  "a lone %": "n=%",
  "broken UTF-8": "n=%E0%A4%A",
  "an overlong sequence": "n=%C0%80",
  "an encoded NUL": "n=%00",
  "nested %25": "n=" + "%25".repeat(100) + "32",
  "non-ASCII": "n=ü€😀",
  "a lone surrogate": "n=\ud800",
  "a lone surrogate, escaped dot": "n=%2e\ud800.a",
  "CR and LF": "n=x\r\nSet-Cookie: n=y",
  "a real NUL": "n=\0\0\0\0",
  "quotes": 'n="x"',
  "version 1 and nothing": "n=s1",
  "signed and nothing": "n=s1aa.",
  "signed and dots": "n=s1aa....",
  "sealed and nothing": "n=e1aa.",
  "sealed and too short": "n=e1aa.AAAA",
  "sealed and as short as a nonce": "n=e1aa.AAAAAAAAAAAAAAAA",
  "unsigned and nothing": "n=u1.",
  "unsigned, no tag": "n=u1.eA",
  "unsigned, not UTF-8": "n=u1.c_8",
  "unsigned, not JSON": "n=u1.ant7e3s",
  "unsigned, no base64": "n=u1.!!!!",
  "another version": "n=u2.c3g",
};

for (const [what, header] of Object.entries(hostileHeaders)) {
  Deno.test(`cookie.parse() returns null and does not throw, when a client sends ${what}`, async () => {
    for (const { name, options } of everyFormat) {
      assertEquals(await createCookie("n", options).parse(header), null, name);
    }
    for (const options of unprotected) {
      await createCookie("n", options).parse(header);
    }
    assertEquals(await createCookie("n").parse(header), null);
  });
}

/** A text that counts how many of its characters are looked at. */
function counted(text: string): { text: string; steps(): number } {
  let steps = 0;
  const costOf = (name: unknown, [of, from = 0]: unknown[], result: unknown) =>
    name === "indexOf"
      ? (Number(result) < 0 ? text.length : Number(result)) - Number(from) +
        String(of).length
      : name === "slice"
      ? String(result).length
      : text.length;
  const proxy = new Proxy(Object(text), {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") {
        if (name !== "length") steps++;
        return value;
      }
      return (...args: unknown[]) => {
        const result = value.apply(text, args);
        steps += costOf(name, args, result);
        return result;
      };
    },
  });
  return { text: proxy as string, steps: () => steps };
}

Deno.test("cookieValues() looks at each character a few times at most, whatever the header repeats", () => {
  const parts = [
    "n=x",
    "n=x;",
    "n=x; ",
    " ",
    "\t;",
    "nn=",
    "%",
    "%25",
    "a",
    "=",
    "n =",
    ";n",
    ",n=x",
  ];
  for (const part of parts) {
    const header = part.repeat(256 * 1024 / part.length) + ";n=%;nn=%";
    for (const name of ["n", "nn"]) {
      const { text, steps } = counted(header);
      const values = cookieValues(text, name);
      assert(values.length <= 3, part);
      const most = 3 * header.length;
      assert(steps() <= most, `${name}, ${part}: ${steps()} of ${most} steps`);
      // Fields that were joined can contain several values each.
      const joined = counted(header);
      assert(cookieValues(joined.text, name, ",").length <= 4, part);
      assert(joined.steps() <= 3 * most, `${name}, ${part}, joined`);
    }
  }
});

Deno.test("cookieValues() returns three values in the header's order, when a name is repeated", () => {
  assertEquals(cookieValues("n=1; m=0; n=2; n=3; n=4", "n"), ["1", "2", "3"]);
  assertEquals(cookieValues("n=; n==;n=a=b", "n"), ["", "=", "a=b"]);
  assertEquals(cookieValues("m=n=1; nn=2; n", "n"), []);
});

for (const { name, options } of protectedFormats) {
  Deno.test(`cookie.parse() returns the first authentic value of three, when the name is repeated (${name})`, async () => {
    const cookie = createCookie("n", options);
    const one = cookieHeader(await cookie.serialize("one"));
    const two = cookieHeader(await cookie.serialize("two"));
    const bad = "n=forged";
    const long = "n=" + "x".repeat(5000);
    const cases: [string[], unknown][] = [
      [[one, two], "one"],
      [[two, one], "two"],
      [[bad, one], "one"],
      [[bad, long, two], "two"],
      [["n=", one], "one"],
      [["n=", bad], ""],
      [[bad, bad, bad, one], null],
      [["n=", "n=", "n=", one], ""],
    ];
    for (const [pairs, expected] of cases) {
      assertEquals(
        await cookie.parse(pairs.join("; ")),
        expected,
        rowName(pairs),
      );
    }
  });

  Deno.test(`cookie.parse() returns null, when the value is truncated anywhere (${name})`, async () => {
    const cookie = createCookie("n", options);
    const text = cookieText(await cookie.serialize("a value"));
    for (let length = 1; length < text.length; length++) {
      assertEquals(
        await cookie.parse(`n=${text.slice(0, length)}`),
        null,
        rowName(length),
      );
      assertEquals(
        await cookie.parse(`n=${text.slice(length)}`),
        null,
        rowName(length),
      );
    }
  });

  Deno.test(`cookie.parse() returns null, when any bit is flipped (${name})`, async () => {
    const cookie = createCookie("n", options);
    // Three lengths: no padding, and one and two letters of it.
    for (const value of ["abc", "abcd", "abcde"]) {
      const text = cookieText(await cookie.serialize(value));
      assertEquals(await cookie.parse(`n=${text}`), value, rowName(value));
      for (let at = 0; at < text.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const code = text.charCodeAt(at) ^ 1 << bit;
          const flipped = text.slice(0, at) + String.fromCharCode(code) +
            text.slice(at + 1);
          assertEquals(await cookie.parse(`n=${flipped}`), null, flipped);
        }
      }
    }
  });

  Deno.test(`cookie.parse() returns null, when text is added (${name})`, async () => {
    const cookie = createCookie("n", options);
    const text = cookieText(await cookie.serialize("abc"));
    for (
      const more of ["=", "==", "A", "%3D", ".", ".A", "%", "\0", "\u00ff"]
    ) {
      assertEquals(await cookie.parse(`n=${text}${more}`), null, more);
      assertEquals(await cookie.parse(`n=${more}${text}`), null, more);
    }
    assertEquals(await cookie.parse(`n="${text}"`), null);
  });

  Deno.test(`cookie.parse() returns null, when the secret is another one or was removed (${name})`, async () => {
    const header = cookieHeader(
      await createCookie("n", options).serialize("abc"),
    );
    for (const others of [["other"], ["other", "another"], ["S3cr3t"]]) {
      const cookie = createCookie("n", { ...options, secrets: others });
      assertEquals(await cookie.parse(header), null, rowName(others));
    }
  });

  Deno.test(`cookie.parse() returns null, when the value is less protected (${name})`, async () => {
    const { format = "satchel" } = options;
    const cookie = createCookie("n", options);
    for (const weaker of [{ format }, {}] as const) {
      const header = cookieHeader(
        await createCookie("n", weaker).serialize("abc"),
      );
      assertEquals(await cookie.parse(header), null, rowName(weaker));
    }
  });
}

for (const encrypt of [false, true]) {
  const name = encrypt ? "sealed" : "signed";

  Deno.test(`cookie.parse() returns null, when the value was written for another name (${name})`, async () => {
    const theme = createCookie("theme", { secrets, encrypt });
    const text = cookieText(await theme.serialize("dark"));
    for (const other of ["Theme", "theme2", "them", "user"]) {
      const cookie = createCookie(other, { secrets, encrypt });
      assertEquals(
        await cookie.parse(`${other}=${text}`),
        null,
        rowName(other),
      );
    }
    assertEquals(await theme.parse(`theme=${text}`), "dark");
  });

  Deno.test(`cookie.parse() returns null, when base64 is not canonical (${name})`, async () => {
    const cookie = createCookie("n", { secrets, encrypt });
    const alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let strayBits = 0;
    // Lengths that leave two and four unused bits in the last letter, and values that contain `-` or `_`.
    for (const value of ["a", "ab", "abc", "ÿþýü?>", "~~~???"]) {
      const text = cookieText(await cookie.serialize(value));
      assertEquals(await cookie.parse(`n=${text}`), value, rowName(value));
      const others = [
        text + "=",
        text + "==",
        text.replaceAll("-", "+"),
        text.replaceAll("_", "/"),
        text.replaceAll("-", "%2D"),
        text.replace(".", "%2E"),
        text.slice(0, 8) + " " + text.slice(8),
        text.slice(0, 8) + "\t" + text.slice(8),
      ];
      const parts = text.split(".");
      for (let part = 1; part < parts.length; part++) {
        const last = alphabet.indexOf(parts[part]!.at(-1)!);
        for (let letter = 0; letter < 64; letter++) {
          if (letter === last) continue;
          const stray = parts.with(
            part,
            parts[part]!.slice(0, -1) + alphabet[letter],
          );
          others.push(stray.join("."));
          strayBits++;
        }
      }
      for (const other of others) {
        if (other === text) continue;
        assertEquals(await cookie.parse(`n=${other}`), null, other);
      }
    }
    assert(strayBits > 0);
  });

  Deno.test(`cookie.parse() returns null, when the key id is unknown or another secret's (${name})`, async () => {
    const cookie = createCookie("n", { secrets: ["new", "old"], encrypt });
    const old = createCookie("n", { secrets: ["old"], encrypt });
    const written = cookieText(await cookie.serialize("abc"));
    const before = cookieText(await old.serialize("abc"));
    const withId = (text: string, id: string) =>
      text.slice(0, 2) + id + text.slice(4);
    for (const id of ["AA", "__", "..", "  ", "é€", before.slice(2, 4)]) {
      assertEquals(
        await cookie.parse(`n=${withId(written, id)}`),
        null,
        rowName(id),
      );
    }
    assertEquals(
      await cookie.parse(`n=${withId(written, written.slice(2, 4))}`),
      "abc",
    );
  });
}

Deno.test("cookie.parse() returns null, when base64 is not canonical (unsigned)", async () => {
  const cases: [CookieOptions, string, string[]][] = [
    // "sa", "sab" and "s~~~" with a letter whose bits are all used, and with one whose are not.
    [{}, "u1.c2E", ["u1.c2E=", "u1.c2F", "u1.c2G", "u1.c2", "u1.c", "u1.c 2E"]],
    [{}, "u1.c2Fi", ["u1.c2Fi=", "u1.c2FiA", "u1.c2Fi\0"]],
    [{}, "u1.c35-fg", ["u1.c35+fg", "u1.c35-fh", "u1.c35-fg==", "u1.c35%2Dfg"]],
    [{ format: "remix" }, "YQ==", [
      "YQ",
      "YQ=",
      "YR==",
      "Y===",
      "====",
      "=",
      "YQ===",
    ]],
    [{ format: "remix" }, "fn5+", ["fn5-", "fn5+=", "fn5"]],
    [{ format: "react-router" }, "ImEi", ["ImEi%3D", "ImE", "%49mEi"]],
    [{ format: "react-router" }, "MTA%3D", ["MTA=", "MTA", "MTB%3D", "MTA%3d"]],
  ];
  for (const [options, text, others] of cases) {
    const cookie = createCookie("n", options);
    assert(await cookie.parse(`n=${text}`) !== null, text);
    for (const other of others) {
      assertEquals(await cookie.parse(`n=${other}`), null, other);
    }
  }
});

Deno.test("cookie.parse() returns null, when a percent-encoding is not canonical (react-router)", async () => {
  const cookie = createCookie("n", { secrets, format: "react-router" });
  const text = "ImFiYyI%3D.JAelJE3TUfZDsK0Rj8f%2BskRujNR%2BEUFtCp3Zp%2FO6%2Bas";
  assertEquals(await cookie.parse(`n=${text}`), "abc");
  for (
    const other of [
      text.toLowerCase(),
      text.replace("%2B", "%2b"),
      text.replace("%2B", "+"),
      text.replace(".", "%2E"),
      text.replace("I", "%49"),
      text.replace("%3D", "="),
      text.replace("%3D", ""),
      text.replaceAll("%", "%25"),
    ]
  ) assertEquals(await cookie.parse(`n=${other}`), null, other);
});

Deno.test("cookie.parse() returns the empty string, when the cookie was cleared", async () => {
  for (const { options } of everyFormat) {
    assertEquals(
      await createCookie("n", options).parse("n="),
      "",
      rowName(options),
    );
    assertEquals(
      await createCookie("n", options).parse("n= ; m=1"),
      "",
      rowName(options),
    );
  }
});

Deno.test("cookie.parse() returns plain data, when keys are names of prototypes", async () => {
  const text =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"then":1}';
  for (const { options } of everyFormat) {
    if (options.format === "remix") continue;
    const cookie = createCookie("n", options);
    const header = cookieHeader(await cookie.serialize(JSON.parse(text)));
    const value = await cookie.parse(header);
    assertEquals(JSON.stringify(value), text, rowName(options));
    assertEquals(
      Object.getPrototypeOf(value),
      Object.prototype,
      rowName(options),
    );
  }
  assertEquals("polluted" in {}, false);
});
