import { assertEquals, assertNotEquals } from "@std/assert";
import { createCookie as createRemixCookie } from "@remix-run/cookie";
import { createCookieSessionStorage as createRemixStorage } from "@remix-run/session/cookie-storage";
import {
  createCookie as createReactRouterCookie,
  createCookieSessionStorage as createReactRouterStorage,
} from "react-router";
import { createCookie } from "../../core/cookie.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { rowName } from "../_row.ts";
import { cookieHeader, cookieText } from "./_support.ts";

const texts = ["abc", "", " ", "ü€😀", "a;b,c=%25\r\n", "\0", "x".repeat(2000)];
const values = [
  ...texts,
  null,
  true,
  0,
  1.5,
  [],
  {},
  { user: { id: 7, roles: ["ü"] }, __flash_notice__: "hi" },
];
const signings: [theirs: string[], ours: string[], read: boolean][] = [
  [["s3cr3t"], ["s3cr3t"], true],
  [["s3cr3t"], ["new", "s3cr3t"], true],
  [["sécrèt 😀"], ["sécrèt 😀"], true],
  [[], [], true],
  [["s3cr3t"], ["other"], false],
  [[], ["s3cr3t"], false],
];

Deno.test("createCookie() reads cookies of React Router, also with rotated secrets", async () => {
  for (const [theirs, ours, read] of signings) {
    for (const value of values) {
      const header = cookieHeader(
        await createReactRouterCookie("n", { secrets: theirs }).serialize(
          value,
        ),
      );
      for (
        const options of [
          { format: "react-router" },
          { accept: ["react-router"] },
        ] as const
      ) {
        const cookie = createCookie("n", { secrets: ours, ...options });
        const expected = read || value === "" ? value : null;
        assertEquals(
          await cookie.parse(header),
          expected,
          rowName(theirs, value, options),
        );
      }
    }
  }
});

Deno.test("createCookie() writes the same bytes as React Router", async () => {
  for (const [ours, theirs, read] of signings) {
    for (const value of values) {
      const setCookie = await createCookie("n", {
        secrets: ours,
        format: "react-router",
      }).serialize(value);
      const cookie = createReactRouterCookie("n", { secrets: theirs });
      const same = createReactRouterCookie("n", { secrets: ours });
      assertEquals(
        cookieHeader(setCookie),
        cookieHeader(await same.serialize(value)),
        rowName(ours, value),
      );
      if (!read) continue;
      assertEquals(
        await cookie.parse(cookieHeader(setCookie)),
        value,
        rowName(ours, value),
      );
    }
  }
});

Deno.test("createCookie() reads cookies of Remix 3, also with rotated secrets", async () => {
  for (const [theirs, ours, read] of signings) {
    for (const value of texts) {
      const header = cookieHeader(
        await createRemixCookie("n", { secrets: theirs }).serialize(value),
      );
      for (
        const options of [{ format: "remix" }, { accept: ["remix"] }] as const
      ) {
        const cookie = createCookie("n", { secrets: ours, ...options });
        const expected = read || value === "" ? value : null;
        assertEquals(await cookie.parse(header), expected, header);
      }
    }
  }
});

Deno.test("createCookie() writes the same bytes as Remix 3", async () => {
  for (const [ours, theirs, read] of signings) {
    for (const value of texts) {
      const setCookie = await createCookie("n", {
        secrets: ours,
        format: "remix",
      }).serialize(value);
      const cookie = createRemixCookie("n", { secrets: theirs });
      const same = createRemixCookie("n", { secrets: ours });
      assertEquals(
        cookieHeader(setCookie),
        cookieHeader(await same.serialize(value)),
        rowName(ours, value),
      );
      if (!read) continue;
      assertEquals(
        await cookie.parse(cookieHeader(setCookie)),
        value,
        rowName(ours, value),
      );
    }
  }
});

Deno.test("createCookieSessionStorage() reads sessions of React Router, including flashes", async () => {
  const theirs = createReactRouterStorage({
    cookie: { name: "__session", secrets: ["s3cr3t"] },
  });
  const old = await theirs.getSession();
  old.set("userId", "ü7");
  old.set("cart", [{ sku: "tea" }]);
  old.set("__proto__", 1);
  old.flash("notice", "welcome");
  const header = cookieHeader(await theirs.commitSession(old));

  const ours = createCookieSessionStorage({
    cookie: { secrets: ["new", "s3cr3t"], accept: ["react-router"] },
  });
  const session = await ours.getSession(header);
  assertEquals(session.data["userId"], "ü7");
  assertEquals(session.get("cart"), [{ sku: "tea" }]);
  assertEquals(session.get("notice"), "welcome");
  assertEquals(session.get("notice"), undefined);

  const next = cookieHeader(await ours.commitSession(session));
  assertEquals(cookieText(next).slice(0, 2), "e1");
  const again = await ours.getSession(next);
  assertEquals(again.get("userId"), "ü7");
  assertEquals(again.has("notice"), false);

  const strict = createCookieSessionStorage({
    cookie: { secrets: ["s3cr3t"] },
  });
  assertEquals((await strict.getSession(header)).size, 0);
});

Deno.test("createCookieSessionStorage() writes sessions that React Router reads, including flashes", async () => {
  const cookie = { name: "__session", secrets: ["s3cr3t"] };
  const theirs = createReactRouterStorage({ cookie });
  const timeouts = [{}, { idleTimeout: 3600, absoluteTimeout: 7200 }];
  for (const timeout of timeouts) {
    const ours = createCookieSessionStorage({
      cookie: { ...cookie, format: "react-router" },
      ...timeout,
    });
    const session = await ours.getSession();
    session.set("userId", "ü7");
    session.flash("notice", "welcome");
    const setCookie = await ours.commitSession(session);

    const old = await theirs.getSession(cookieHeader(setCookie));
    assertEquals(old.get("userId"), "ü7", rowName(timeout));
    assertEquals(old.get("notice"), "welcome", rowName(timeout));
    old.set("theme", "dark");
    const back = cookieHeader(await theirs.commitSession(old));

    const again = await ours.getSession(back);
    assertEquals(again.data, { userId: "ü7", theme: "dark" }, rowName(timeout));
    assertEquals(again.has("notice"), false, rowName(timeout));
  }
});

Deno.test("createCookieSessionStorage() keeps its deadline, when React Router writes the session in between", async () => {
  let time = 1e12;
  const cookie = { name: "__session", secrets: ["s3cr3t"] };
  const ours = createCookieSessionStorage({
    cookie: { ...cookie, format: "react-router" },
    absoluteTimeout: 60,
    now: () => time,
  });
  const theirs = createReactRouterStorage({ cookie });
  const session = await ours.getSession();
  session.set("userId", 7);
  const header = cookieHeader(await ours.commitSession(session));
  const old = await theirs.getSession(header);
  old.set("theme", "dark");
  const back = cookieHeader(await theirs.commitSession(old));
  time += 59_999;
  assertEquals((await ours.getSession(back)).get("userId"), 7);
  time += 1;
  assertEquals((await ours.getSession(back)).size, 0);
});

Deno.test("createCookieSessionStorage() reads sessions of Remix 3, including id and flashes", async () => {
  const cookie = createRemixCookie("__session", { secrets: ["s3cr3t"] });
  const theirs = createRemixStorage();
  const old = await theirs.read(null);
  old.set("userId", "ü7");
  old.flash("notice", "welcome");
  const header = cookieHeader(
    await cookie.serialize(await theirs.save(old) ?? ""),
  );

  const ours = createCookieSessionStorage({
    cookie: { secrets: ["new", "s3cr3t"], accept: ["remix"] },
  });
  const session = await ours.getSession(header);
  assertEquals(session.id, old.id);
  assertEquals(session.get("notice"), "welcome");
  assertEquals(session.data, { userId: "ü7" });
  const again = await ours.getSession(
    cookieHeader(await ours.commitSession(session)),
  );
  assertEquals(again.get("userId"), "ü7");
  assertEquals(again.has("notice"), false);
  again.regenerateId();
  assertNotEquals(again.id, old.id);
});

Deno.test("createCookieSessionStorage() writes sessions that Remix 3 reads, including flashes", async () => {
  const cookie = createRemixCookie("__session", { secrets: ["s3cr3t"] });
  const theirs = createRemixStorage();
  for (const timeout of [{}, { idleTimeout: 3600 }]) {
    const ours = createCookieSessionStorage({
      cookie: { secrets: ["s3cr3t"], format: "remix" },
      ...timeout,
    });
    const session = await ours.getSession();
    session.set("userId", "ü7");
    session.flash("notice", "welcome");
    const setCookie = await ours.commitSession(session);

    const old = await theirs.read(await cookie.parse(cookieHeader(setCookie)));
    assertEquals(old.id, session.id, rowName(timeout));
    assertEquals(old.get("userId"), "ü7", rowName(timeout));
    assertEquals(old.get("notice"), "welcome", rowName(timeout));
    old.set("theme", "dark");
    const back = cookieHeader(
      await cookie.serialize(await theirs.save(old) ?? ""),
    );
    const again = await ours.getSession(back);
    assertEquals(again.id, session.id, rowName(timeout));
    assertEquals(again.get("theme"), "dark", rowName(timeout));
  }
});
