// `encode`, `decode` and the getters of a cookie, as React Router and Remix 3 have them.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createCookie as remixCookie } from "@remix-run/cookie";
import { createCookie as routerCookie } from "react-router";
import {
  type Cookie,
  type CookieOptions,
  createCookie,
  createCookieSessionStorage,
  createMemorySessionStorage,
} from "../../mod.ts";
import { rowName } from "../_row.ts";
import { assertSessionError, cookieHeader } from "./_support.ts";

const secrets = ["s3cr3t"];

/** Text from its end to its beginning. */
const reverse = (text: string) => [...text].reverse().join("");

const CODERS = {
  "left alone": {
    encode: (text: string) => text,
    decode: (text: string) => text,
  },
  reversed: { encode: reverse, decode: reverse },
  "reversed, then percent-encoded": {
    encode: (text: string) => encodeURIComponent(reverse(text)),
    decode: (text: string) => reverse(decodeURIComponent(text)),
  },
};

for (const [how, coder] of Object.entries(CODERS)) {
  for (const options of [{}, { secrets }]) {
    const signed = "secrets" in options ? "signed" : "unsigned";

    Deno.test(`createCookie() reads what React Router wrote, and the other way round, when the text is ${how} and ${signed}`, async () => {
      const ours = createCookie("theme", {
        ...options,
        ...coder,
        format: "react-router",
      });
      const theirs = routerCookie("theme", { ...options, ...coder });
      for (const value of ["dark", { a: [1, "ü€😀"] }]) {
        const header = cookieHeader(await theirs.serialize(value));
        assertEquals(await ours.parse(header), value, rowName(value));
        assertEquals(
          cookieHeader(await ours.serialize(value)),
          header,
          rowName(value),
        );
      }
    });

    Deno.test(`createCookie() reads what Remix 3 wrote, and the other way round, when the text is ${how} and ${signed}`, async () => {
      const ours = createCookie("theme", {
        ...options,
        ...coder,
        format: "remix",
      });
      const theirs = remixCookie("theme", { ...options, ...coder });
      for (const value of ["dark", "a%41+b/c; é", " "]) {
        const header = cookieHeader(await theirs.serialize(value));
        const read = [await ours.parse(header), await theirs.parse(header)];
        assertEquals(read[0], read[1], rowName(value));
        const written = cookieHeader(await ours.serialize(value));
        assertEquals(written, header, rowName(value));
      }
    });
  }

  Deno.test(`createCookie() encodes and decodes its own format, when the text is ${how}`, async () => {
    const plain = createCookie("theme", { secrets });
    const cookie = createCookie("theme", { secrets, ...coder });
    const header = cookieHeader(await cookie.serialize("dark"));
    const { encode } = coder;
    const [, text = ""] = cookieHeader(await plain.serialize("dark")).split(
      "=",
    );
    assertEquals(header, `theme=${encode(text)}`);
    assertEquals(await cookie.parse(header), "dark");
  });
}

Deno.test("cookie.parse() and cookie.serialize() take decode and encode for one call", async () => {
  for (const format of ["satchel", "react-router", "remix"] as const) {
    const cookie = createCookie("theme", { secrets, format });
    const header = cookieHeader(
      await cookie.serialize("dark", { encode: reverse, maxAge: 60 }),
    );
    assertEquals(
      await cookie.parse(header, { decode: reverse }),
      "dark",
      rowName(format),
    );
    const again = createCookie("theme", { secrets, format, decode: reverse });
    assertEquals(await again.parse(header), "dark", rowName(format));
    assert(await cookie.parse(header) !== "dark", rowName(format));
  }
});

Deno.test("createCookie() keeps sessions in and under an encoded cookie", async () => {
  const coder = { encode: reverse, decode: reverse };
  for (
    const [what, create] of Object.entries({
      cookie: createCookieSessionStorage,
      memory: createMemorySessionStorage,
    })
  ) {
    for (const call of [false, true]) {
      const storage = create({
        cookie: { secrets, ...call ? {} : coder },
      });
      const { encode, decode } = call ? coder : {};
      let header = "";
      for (let visits = 0; visits < 3; visits++) {
        const session = await storage.getSession(header, { decode });
        assertEquals(
          session.get("visits") ?? 0,
          visits,
          rowName(what, call, visits),
        );
        session.set("visits", visits + 1);
        header = cookieHeader(await storage.commitSession(session, { encode }));
      }
      // Unchanged, so that its text is known.
      const session = await storage.getSession(header, { decode });
      const again = await storage.commitSession(session, { encode });
      const { size } = await storage.getSession(again, { decode });
      assertEquals(size, 1, rowName(what, call));
    }
  }
});

Deno.test("cookie.parse() returns null, when decode throws or returns no text", async () => {
  const fail = () => {
    throw new Error("no");
  };
  for (const format of ["satchel", "react-router", "remix"] as const) {
    for (const decode of [fail, () => undefined, () => 7 as never]) {
      const cookie = createCookie("theme", { secrets, format, decode });
      const header = cookieHeader(await cookie.serialize("dark"));
      assertEquals(await cookie.parse(header), null, rowName(format));
    }
  }
});

Deno.test("cookie.serialize() throws, when encode returns what a cookie cannot contain", async () => {
  for (const format of ["satchel", "react-router"] as const) {
    for (const text of ["a b", "a;b", "a,b", "a\nb", "ü", 7]) {
      const encode = () => text as string;
      const cookie = createCookie("theme", { secrets, format, encode });
      const error = await cookie.serialize("dark").catch((error) => error);
      assert(error instanceof TypeError, rowName(format, text));
      assertEquals(
        error.message,
        'Cannot serialize cookie "theme": encode must return printable ASCII without spaces and ,;\\; end it with encodeURIComponent',
        rowName(format, text),
      );
    }
  }
});

Deno.test("cookie.serialize() throws, when encode returns more than bytes, in Remix's format", async () => {
  for (const text of ["€", "%u20ac"]) {
    const encode = () => text;
    const cookie = createCookie("theme", { secrets, format: "remix", encode });
    const error = await cookie.serialize("dark").catch((error) => error);
    assert(error instanceof TypeError, rowName(text));
  }
});

Deno.test("cookie.serialize() counts the encoded text", async () => {
  const encode = (text: string) => text.repeat(3);
  const cookie = createCookie("theme", { secrets, encode });
  await assertSessionError(
    () => cookie.serialize("x".repeat(1500)),
    "too-large",
    "the limit is 4096",
  );
});

Deno.test("createCookie() throws, when encode or decode is not a function", () => {
  for (const name of ["encode", "decode"] as const) {
    assertThrows(
      () => createCookie("theme", { [name]: "base64" as never }),
      TypeError,
      `Cannot create cookie "theme": ${name} must be a function, received a string`,
      name,
    );
  }
});

/** What Remix's cookie answers too. */
function attributesOf(cookie: Cookie): object {
  const { signed, domain, httpOnly, maxAge, partitioned } = cookie;
  const { name, path, sameSite, secure } = cookie;
  return {
    ...{ name, signed, domain, httpOnly, maxAge, partitioned, path },
    ...{ sameSite, secure },
  };
}

Deno.test("a cookie has the getters of Remix 3", () => {
  const options: CookieOptions[] = [
    {},
    { secrets },
    { domain: "example.com", httpOnly: true, maxAge: 60, path: "/a" },
    { sameSite: "Strict", secure: true, partitioned: true },
    { sameSite: "None", secure: true },
  ];
  for (const each of options) {
    assertEquals(
      attributesOf(createCookie("theme", each)),
      attributesOf(remixCookie("theme", each as never) as unknown as Cookie),
      rowName(each),
    );
  }
});

Deno.test("a cookie's getters say what is written, when a name or an option decides", () => {
  const host = createCookie("__Host-Http-theme");
  assertEquals([host.secure, host.httpOnly, host.path], [true, true, "/"]);
  const sameSite = [true, false, "lax", undefined] as const;
  assertEquals(
    sameSite.map((sameSite) => createCookie("theme", { sameSite }).sameSite),
    ["Strict", undefined, "Lax", "Lax"],
  );
});

Deno.test("a cookie that a storage was given writes as the storage does, so that it can be sent again", async () => {
  const cookie = createCookie("sid", { secrets, maxAge: 60 });
  const storage = createCookieSessionStorage({ cookie });
  assertEquals(cookie.httpOnly, true);
  const session = await storage.getSession();
  session.set("user", "ann");
  let setCookie = await storage.commitSession(session);
  for (let visits = 0; visits < 2; visits++) {
    const value = await cookie.parse(cookieHeader(setCookie));
    setCookie = await cookie.serialize(value);
    const header = cookieHeader(setCookie);
    assert(header.startsWith("sid=e1"), "it stays encrypted");
    assert(setCookie.includes("HttpOnly"));
    assert(setCookie.includes("Max-Age=60"));
    assertEquals((await storage.getSession(header)).get("user"), "ann");
  }
});

Deno.test("a cookie that several storages were given stays encrypted, and readable for all", async () => {
  const cookie = createCookie("sid", { secrets });
  const inCookie = createCookieSessionStorage({ cookie });
  const inMemory = createMemorySessionStorage({ cookie });
  for (const [what, storage] of Object.entries({ inCookie, inMemory })) {
    const { getSession, commitSession } = storage;
    const session = await getSession();
    session.set("user", "ann");
    const value = await cookie.parse(
      cookieHeader(await commitSession(session)),
    );
    const header = cookieHeader(await cookie.serialize(value));
    assert(header.startsWith("sid=e1"), what);
    assertEquals((await getSession(header)).get("user"), "ann", what);
  }
});
