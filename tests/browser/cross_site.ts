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

/** A page of another site that tries to use the visitor's session. */
function trap(shop: Shop): string {
  return `<title>Other</title>
    <a href="${shop.at("/")}">Look there</a>
    <form method="post" action="${shop.at("/cart/add")}">
      <input name="product" value="tea"><button>Win a prize</button>
    </form>
    <iframe src="${shop.at("/account")}"></iframe>
    <img src="${shop.at("/session")}" alt="">`;
}

/** Whether the requests for a path had a cookie. */
function cookiesSent(seen: Seen[], path: string): boolean[] {
  return seen.filter((request) => request.path === path)
    .map(({ cookie }) => cookie !== null);
}

scenario(
  "another site's form is sent without the cookie, and rejected",
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
  "after another site's link, the visitor is signed in",
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
  "with SameSite=Strict, the visitor is signed in only on the second page after another site's link",
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

/** A form on a host is sent with the cookie, and still rejected. */
function isRejected(host: string): Parameters<typeof scenario>[1] {
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
  "with SameSite=None, another site's form is sent with the cookie, and rejected",
  isRejected("127.0.0.1"),
  { storages, cookie: { sameSite: "none", secure: true } },
);

scenario(
  "another port is the same site: its form is sent with the cookie, and rejected",
  isRejected("localhost"),
  { storages },
);
