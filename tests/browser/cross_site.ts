import { assertEquals } from "@std/assert";
import { rowName } from "../_row.ts";
import {
  follow,
  greeted,
  inCart,
  press,
  scenario,
  signIn,
} from "./_scenario.ts";
import type { Seen, Shop } from "./_shop.ts";
import { openSite } from "./_site.ts";

const storages = ["memory", "cookie"];

/** A page of another site, which wants the visitor's session to work for it. */
function trap(shop: Shop): string {
  return `<title>Other</title>
    <a href="${shop.at("/")}">Look there</a>
    <form method="post" action="${shop.at("/cart/add")}">
      <input name="product" value="tea"><button>Win a prize</button>
    </form>
    <iframe src="${shop.at("/account")}"></iframe>
    <img src="${shop.at("/session")}" alt="">`;
}

/** Whether requests for a path brought a cookie. */
function cookiesSent(seen: Seen[], path: string): boolean[] {
  return seen.filter((request) => request.path === path)
    .map(({ cookie }) => cookie !== null);
}

scenario(
  "another site's form comes without the cookie, and is refused",
  async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page);
    await using site = openSite(trap(shop));
    for (const host of ["127.0.0.1", "other.localhost", "other.test"]) {
      shop.seen.length = 0;
      await page.goto(site.at(host));
      await press(page, "Win a prize");
      assertEquals(await page.title(), "Error 403 · Satchel", rowName(host));
      for (const path of ["/cart/add", "/account", "/session"]) {
        assertEquals([host, path, cookiesSent(shop.seen, path)], [
          host,
          path,
          [false],
        ], rowName(host, path));
      }
    }
    await page.goto(shop.at("/cart"));
    assertEquals([await greeted(page), await inCart(page)], ["Ada", 0]);
  },
  { storages },
);

scenario(
  "another site's link finds the visitor signed in",
  async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page);
    await using site = openSite(trap(shop));
    await page.goto(site.at("127.0.0.1"));
    await follow(page, () => page.getByText("Look there").click());
    assertEquals(await greeted(page), "Ada");
  },
  { storages },
);

scenario(
  "with SameSite=Strict, another site's link finds a stranger, until they go on",
  async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page);
    await using site = openSite(trap(shop));
    await page.goto(site.at("127.0.0.1"));
    await follow(page, () => page.getByText("Look there").click());
    assertEquals(await greeted(page), null);
    await follow(page, () => page.getByRole("link", { name: /^Cart/ }).click());
    assertEquals(await greeted(page), "Ada");
  },
  { storages, cookie: { sameSite: "strict" } },
);

/** A form on a host brings the cookie, and is refused all the same. */
function isRefused(host: string): Parameters<typeof scenario>[1] {
  return async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page);
    await using site = openSite(trap(shop));
    await page.goto(site.at(host));
    await press(page, "Win a prize");
    assertEquals(cookiesSent(shop.seen, "/cart/add"), [true]);
    assertEquals(await page.title(), "Error 403 · Satchel");
    await page.goto(shop.at("/cart"));
    assertEquals([await greeted(page), await inCart(page)], ["Ada", 0]);
  };
}

scenario(
  "with SameSite=None, the shop refuses another site's form that brings the cookie",
  isRefused("127.0.0.1"),
  { storages, cookie: { sameSite: "none", secure: true } },
);

scenario(
  "another port is the same site: its form brings the cookie, and is refused",
  isRefused("localhost"),
  { storages },
);
