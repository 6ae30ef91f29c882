import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  type CookieOptions,
  createCookie,
  isCookie,
} from "../../core/cookie.ts";
import { rowName } from "../_row.ts";
import { assertSessionError, cookieHeader } from "./_support.ts";

const secrets = ["s3cr3t"];
const formats: { name: string; options: CookieOptions }[] = [
  { name: "unsigned", options: {} },
  { name: "signed", options: { secrets } },
  { name: "sealed", options: { secrets, encrypt: true } },
  {
    name: "react-router, signed",
    options: { secrets, format: "react-router" },
  },
  { name: "react-router, unsigned", options: { format: "react-router" } },
  { name: "remix, signed", options: { secrets, format: "remix" } },
  { name: "remix, unsigned", options: { format: "remix" } },
];

for (const { name, options } of formats) {
  Deno.test(`createCookie() reads what it wrote, when it is ${name}`, async () => {
    const cookie = createCookie("theme", options);
    const values = ["dark", "", "ü€😀", "a;b=c, d\r\n", "x".repeat(1000)];
    for (const value of values) {
      const header = cookieHeader(await cookie.serialize(value));
      assert(/^theme=[\w.%/+=-]*$/.test(header), header);
      assertEquals(await cookie.parse(header), value, rowName(value));
    }
  });

  if (options.format === "remix") continue;
  Deno.test(`createCookie() writes and reads every JSON value, when it is ${name}`, async () => {
    const cookie = createCookie("theme", options);
    const values = [
      null,
      true,
      0,
      -0,
      1.5,
      [],
      {},
      { a: [{ b: null }] },
      "\ud800",
    ];
    for (const value of values) {
      const header = cookieHeader(await cookie.serialize(value));
      assertEquals(await cookie.parse(header), value, rowName(value));
    }
    assert(Object.is(
      await cookie.parse(cookieHeader(await cookie.serialize(-0))),
      -0,
    ));
  });
}

Deno.test("cookie.parse() returns null, when the header does not have the cookie", async () => {
  const cookie = createCookie("theme", { secrets });
  assertEquals(await cookie.parse(null), null);
  assertEquals(await cookie.parse(""), null);
  assertEquals(await cookie.parse("other=1; xtheme=2; theme2=3"), null);
});

Deno.test("cookie.parse() finds its cookie among others, with any spaces", async () => {
  const cookie = createCookie("theme", { secrets });
  const pair = cookieHeader(await cookie.serialize("dark"));
  for (
    const header of [
      pair,
      `a=1; ${pair}`,
      `a=1;${pair};b=2`,
      `a=1; \t ${pair} \t; b=2`,
      `xtheme=1; ${pair}`,
      `a=theme=1; ${pair}`,
      `; ;${pair};;`,
    ]
  ) assertEquals(await cookie.parse(header), "dark", header);
});

Deno.test("createCookie() reads every secret and writes with the first", async () => {
  for (const encrypt of [false, true]) {
    const old = createCookie("theme", { secrets: ["old"], encrypt });
    const both = createCookie("theme", { secrets: ["new", "old"], encrypt });
    const fresh = createCookie("theme", { secrets: ["new"], encrypt });
    const before = cookieHeader(await old.serialize("dark"));
    const after = cookieHeader(await both.serialize("dark"));
    assertEquals(await both.parse(before), "dark", rowName(encrypt));
    assertEquals(await fresh.parse(after), "dark", rowName(encrypt));
    assertEquals(await old.parse(after), null, rowName(encrypt));
    assertEquals(await fresh.parse(before), null, rowName(encrypt));
  }
});

Deno.test("createCookie() reads older formats, only when accept names them", async () => {
  const reactRouter = createCookie("n", { secrets, format: "react-router" });
  const remix = createCookie("n", { secrets, format: "remix" });
  const theirs = {
    "react-router": cookieHeader(await reactRouter.serialize("dark")),
    remix: cookieHeader(await remix.serialize("dark")),
  };
  const names = ["react-router", "remix"] as const;
  for (const name of names) {
    for (const accept of [[], ["react-router"], ["remix"], names] as const) {
      const cookie = createCookie("n", { secrets, accept });
      const read = (accept as readonly string[]).includes(name);
      assertEquals(
        await cookie.parse(theirs[name]),
        read ? "dark" : null,
        rowName(name, accept),
      );
    }
  }
});

Deno.test("createCookie() reads an encrypted value, when it only signs, but not the reverse", async () => {
  const signs = createCookie("n", { secrets });
  const seals = createCookie("n", { secrets, encrypt: true });
  const sealed = cookieHeader(await seals.serialize("dark"));
  const signed = cookieHeader(await signs.serialize("dark"));
  assertEquals(await signs.parse(sealed), "dark");
  assertEquals(await seals.parse(signed), null);
});

Deno.test("createCookie() hides the value, when it encrypts", async () => {
  const cookie = createCookie("n", { secrets, encrypt: true });
  const value = "visible".repeat(10);
  const one = await cookie.serialize(value);
  const two = await cookie.serialize(value);
  assert(one !== two, "every message has a nonce of its own");
  assertFalse(
    atob(one.slice(7).split(";")[0]!.replaceAll("-", "+").replaceAll("_", "/"))
      .includes("visible"),
  );
});

Deno.test("createCookie() copies its options, so that later changes have no effect", async () => {
  const options = { secrets: ["one"], maxAge: 60 };
  const cookie = createCookie("n", options);
  options.secrets[0] = "two";
  options.maxAge = 1;
  const setCookie = await cookie.serialize("dark");
  assert(setCookie.includes("Max-Age=60"));
  assertEquals(
    await createCookie("n", { secrets: ["one"] }).parse(
      cookieHeader(setCookie),
    ),
    "dark",
  );
});

Deno.test("cookie.serialize() writes the given attributes", async () => {
  const expires = new Date("2030-01-02T03:04:05Z");
  const cases: [string, CookieOptions, string[]][] = [
    ["n", {}, ["Path=/", "SameSite=Lax"]],
    ["n", { path: "/shop" }, ["Path=/shop", "SameSite=Lax"]],
    ["n", { domain: "example.com" }, [
      "Domain=example.com",
      "Path=/",
      "SameSite=Lax",
    ]],
    ["n", { httpOnly: true, secure: true }, [
      "HttpOnly",
      "Path=/",
      "SameSite=Lax",
      "Secure",
    ]],
    ["n", { secure: true, partitioned: true, sameSite: "none" }, [
      "Partitioned",
      "Path=/",
      "SameSite=None",
      "Secure",
    ]],
    ["n", { maxAge: 60 }, ["Max-Age=60", "Path=/", "SameSite=Lax"]],
    ["n", { maxAge: 59.1 }, ["Max-Age=60", "Path=/", "SameSite=Lax"]],
    ["n", { maxAge: 0.001 }, ["Max-Age=1", "Path=/", "SameSite=Lax"]],
    ["n", { maxAge: 0 }, ["Max-Age=0", "Path=/", "SameSite=Lax"]],
    ["n", { maxAge: 400 * 86_400 }, [
      "Max-Age=34560000",
      "Path=/",
      "SameSite=Lax",
    ]],
    ["n", { expires }, [
      "Expires=Wed, 02 Jan 2030 03:04:05 GMT",
      "Path=/",
      "SameSite=Lax",
    ]],
    ["n", { maxAge: 60, expires }, ["Max-Age=60", "Path=/", "SameSite=Lax"]],
    ["n", { priority: "high" }, ["Path=/", "Priority=High", "SameSite=Lax"]],
    ["n", { sameSite: true }, ["Path=/", "SameSite=Strict"]],
    ["n", { sameSite: false }, ["Path=/"]],
    ["n", { sameSite: "STRICT" as "strict" }, ["Path=/", "SameSite=Strict"]],
    ["n", { sameSite: "Lax" }, ["Path=/", "SameSite=Lax"]],
    ["__Host-n", {}, ["Path=/", "SameSite=Lax", "Secure"]],
    ["__hOST-n", {}, ["Path=/", "SameSite=Lax", "Secure"]],
    ["__Host-Http-n", {}, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]],
    ["__HTTP-n", { path: "/a", domain: "a.b" }, [
      "Domain=a.b",
      "HttpOnly",
      "Path=/a",
      "SameSite=Lax",
      "Secure",
    ]],
    ["n", { domain: ".a.b" }, ["Domain=.a.b", "Path=/", "SameSite=Lax"]],
    ["__SECURE-n", { path: "/a", domain: "a.b" }, [
      "Domain=a.b",
      "Path=/a",
      "SameSite=Lax",
      "Secure",
    ]],
  ];
  for (const [name, options, expected] of cases) {
    const setCookie = await createCookie(name, options).serialize("");
    const [pair, ...attributes] = setCookie.split("; ");
    assertEquals(pair, `${name}=`, name);
    assertEquals(attributes.sort(), expected, setCookie);
  }
});

Deno.test("cookie.serialize() replaces attributes for one call, when they are given", async () => {
  const cookie = createCookie("n", { maxAge: 60, path: "/a" });
  const once = await cookie.serialize("", { maxAge: undefined, path: "/b" });
  assertEquals(once, "n=; SameSite=Lax; Path=/b");
  assertEquals(
    await cookie.serialize(""),
    "n=; Max-Age=60; SameSite=Lax; Path=/a",
  );
  for (
    const bad of [
      { maxAge: -1 },
      { maxAge: NaN },
      { sameSite: "none" },
      { path: "/\r\nX: y" },
    ] as const
  ) {
    let error: unknown;
    await cookie.serialize("", bad).catch((thrown) => error = thrown);
    assert(
      error instanceof TypeError || error instanceof RangeError,
      rowName(bad),
    );
  }
});

Deno.test("cookie.serialize() throws too-large, when name and value exceed 4,096 bytes", async () => {
  // u1. and base64url of the tag and 3,068 letters: 3 + 4,092 = 4,095, and one for the name.
  const cookie = createCookie("n");
  const fits = await cookie.serialize("x".repeat(3068));
  assertEquals(cookieHeader(fits).length, 4096 + "=".length);
  assertEquals(await cookie.parse(cookieHeader(fits)), "x".repeat(3068));
  await assertSessionError(
    () => createCookie("nn").serialize("x".repeat(3068)),
    "too-large",
    'Cannot serialize cookie "nn"',
    "4097",
    "4096",
  );
});

Deno.test("cookie.serialize() throws unserializable, when the value is not JSON", async () => {
  for (const value of [undefined, NaN, 1n, new Date(0), () => {}, new Map()]) {
    for (const { options } of formats) {
      if (options.format === "remix") continue;
      await assertSessionError(
        () => createCookie("theme", options).serialize(value),
        "unserializable",
        'Cannot store "theme"',
        { row: rowName(value, options) },
      );
    }
  }
});

Deno.test("cookie.serialize() throws for other values than strings, when its format is remix", async () => {
  const cookie = createCookie("theme", { secrets, format: "remix" });
  const cases = [[null, "null"], [undefined, "undefined"], [1, "a number"], [
    {},
    "an object",
  ]] as const;
  for (const [value, type] of cases) {
    await assertRejects(
      () => cookie.serialize(value),
      TypeError,
      `format "remix" requires a string, received ${type}`,
      rowName(value),
    );
  }
  await assertSessionError(
    () => cookie.serialize("a\ud800"),
    "unserializable",
    "lone surrogate",
  );
});

Deno.test("createCookie() throws and says what to change, when options are invalid or contradict each other", () => {
  // deno-lint-ignore no-explicit-any -- what no type allows
  const cases: [any, any, typeof TypeError | typeof RangeError, string][] = [
    ["", {}, TypeError, "name must consist of letters"],
    ["a b", {}, TypeError, "name must consist of letters"],
    ["a=b", {}, TypeError, "name must consist of letters"],
    ["a;b", {}, TypeError, "name must consist of letters"],
    ["ü", {}, TypeError, "name must consist of letters"],
    ["a\n", {}, TypeError, "name must consist of letters"],
    [undefined, {}, TypeError, "name must consist of letters"],
    ["n", { secrets: "s3cr3t" }, TypeError, "secrets must be an array"],
    [
      "n",
      { secrets: [""] },
      TypeError,
      "secrets[0] must be a non-empty string",
    ],
    [
      "n",
      { secrets: ["a", undefined] },
      TypeError,
      "secrets[1] must be a non-empty string, received undefined; check that its environment variable is set",
    ],
    ["n", { encrypt: true }, TypeError, "encrypt requires secrets"],
    [
      "n",
      { encrypt: true, secrets: [] },
      TypeError,
      "encrypt requires secrets",
    ],
    [
      "n",
      { encrypt: true, secrets, format: "remix" },
      TypeError,
      'encrypt requires format "satchel", received "remix"',
    ],
    [
      "n",
      { format: "jwt" },
      TypeError,
      "format and accept must name satchel, react-router or remix",
    ],
    [
      "n",
      { accept: ["jwt"] },
      TypeError,
      "format and accept must name satchel, react-router or remix",
    ],
    [
      "n",
      { maxAge: -1 },
      RangeError,
      "maxAge: it must be a finite, non-negative number of seconds, received -1",
    ],
    ["n", { maxAge: NaN }, RangeError, "received NaN"],
    ["n", { maxAge: Infinity }, RangeError, "received Infinity"],
    ["n", { maxAge: "60" }, RangeError, "received a string"],
    ["n", { maxAge: null }, RangeError, "received null"],
    [
      "n",
      { expires: new Date(NaN) },
      TypeError,
      "expires: it must be a valid Date",
    ],
    ["n", { expires: 5 }, TypeError, "expires: it must be a valid Date"],
    [
      "n",
      { sameSite: "None" },
      TypeError,
      'sameSite "none" requires secure: true',
    ],
    [
      "n",
      { sameSite: "loose" },
      TypeError,
      "sameSite must be lax, strict, none, true or false",
    ],
    ["n", { sameSite: "constructor" }, TypeError, "sameSite must be lax"],
    ["n", { sameSite: "" }, TypeError, "sameSite must be lax"],
    [
      "n",
      { partitioned: true },
      TypeError,
      "partitioned requires secure: true",
    ],
    [
      "n",
      { priority: "urgent" },
      TypeError,
      "priority must be low, medium or high",
    ],
    [
      "__Host-n",
      { path: "/a" },
      TypeError,
      'begins with __Host- requires path "/" and no domain',
    ],
    [
      "__Host-n",
      { domain: "a.b" },
      TypeError,
      'begins with __Host- requires path "/" and no domain',
    ],
    [
      "__host-n",
      { domain: "a.b" },
      TypeError,
      'begins with __Host- requires path "/" and no domain',
    ],
    ["__Host-n", { secure: false }, TypeError, "requires secure: true"],
    ["__secure-n", { secure: false }, TypeError, "requires secure: true"],
    ["__Host-Http-n", { path: "/a" }, TypeError, 'requires path "/" and no'],
    ["__Host-Http-n", { domain: "a.b" }, TypeError, 'requires path "/" and no'],
    ["__Host-Http-n", { secure: false }, TypeError, "requires secure: true"],
    [
      "__host-http-n",
      { httpOnly: false },
      TypeError,
      "with __Host-Http- requires httpOnly: true",
    ],
    ["__Http-n", { secure: false }, TypeError, "with __Http- requires secure"],
    [
      "__http-n",
      { httpOnly: false },
      TypeError,
      "with __Http- requires httpOnly: true",
    ],
    [
      "n",
      { secure: "auto" },
      TypeError,
      'Cannot create cookie "n": secure must be true or false, received "auto"; write secure: true',
    ],
    [
      "n",
      { httpOnly: 1 },
      TypeError,
      "httpOnly must be true or false, received a number; write httpOnly: true",
    ],
    ["n", { partitioned: "yes" }, TypeError, "partitioned must be true or"],
    [
      "n",
      { domain: "example.com:3000" },
      TypeError,
      'Cannot create cookie "n": domain must be a host without scheme, port and path; write domain: "example.com"',
    ],
    ["n", { domain: "https://example.com" }, TypeError, "without scheme"],
    ["n", { domain: "a.b/c" }, TypeError, "without scheme"],
    ["n", { domain: "[::1]" }, TypeError, "without scheme"],
    [
      "n",
      { path: "base" },
      TypeError,
      'Cannot create cookie "n": path must begin with "/"; write path: "/base"',
    ],
    ["n", { path: "" }, TypeError, 'write path: "/"'],
    ["n", { domain: "a;b" }, TypeError, "domain must be printable ASCII"],
    ["n", { domain: "a\r\nb" }, TypeError, "domain must be printable ASCII"],
    ["n", { domain: "-a.b" }, TypeError, "domain must be a host"],
    ["n", { domain: "a.b." }, TypeError, "domain must be a host"],
    ["n", { path: "/;Domain=x" }, TypeError, "path must be printable ASCII"],
    ["n", { path: "/\x00" }, TypeError, "path must be printable ASCII"],
    ["n", { path: "/ü" }, TypeError, "path must be printable ASCII"],
    ["n", { path: 5 }, TypeError, "path must be printable ASCII"],
    [
      "n",
      { path: "/" + "a".repeat(1024) },
      TypeError,
      "path must be at most 1024 bytes long",
    ],
  ];
  for (const [name, options, kind, message] of cases) {
    assertThrows(
      () => createCookie(name, options),
      kind,
      message,
      `${name} ${JSON.stringify(options)}`,
    );
  }
});

Deno.test("createCookie() does not put secrets into its messages", () => {
  for (const options of [{ secrets: ["hush", ""] }, { secrets: "hush" }]) {
    const error = assertThrows(
      () => createCookie("n", options as CookieOptions),
      rowName(options),
    );
    assertFalse(String(error).includes("hush"), rowName(options));
  }
});

Deno.test("cookie.isSigned, name and expires describe the cookie", () => {
  const expires = new Date(1e12);
  assertFalse(createCookie("n").isSigned);
  assert(createCookie("n", { secrets }).isSigned);
  assertEquals(createCookie("n").name, "n");
  assertEquals(createCookie("n").expires, undefined);
  assertEquals(createCookie("n", { expires }).expires, expires);
  const before = Date.now();
  const soon = createCookie("n", { maxAge: 60, expires }).expires!.getTime();
  assert(soon >= before + 60_000 && soon <= Date.now() + 60_000);
});

Deno.test("isCookie() recognizes a cookie by its shape", () => {
  assert(isCookie(createCookie("n")));
  assert(isCookie({
    name: "n",
    isSigned: false,
    parse: () => {},
    serialize: () => {},
  }));
  const most = { name: "n", isSigned: true, parse: () => {} };
  for (
    const value of [null, undefined, "n", 1, {}, most, {
      ...most,
      serialize: 1,
    }]
  ) {
    assertFalse(isCookie(value), rowName(value));
  }
});
