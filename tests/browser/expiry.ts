import { assertEquals } from "@std/assert";
import { lifetimes } from "../../examples/shop/storages.ts";
import { greeted, inCart, press, said, scenario, signIn } from "./_scenario.ts";

const { idleTimeout, absoluteTimeout } = lifetimes;

scenario(
  "a session that ends while its page is open leaves a visitor, and no error",
  async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page, { remember: true });
    await press(page, "Add Smoky tea to cart");

    shop.advance(idleTimeout - 1);
    await press(page, "Add Smoky tea to cart");
    assertEquals([await greeted(page), await inCart(page)], ["Ada", 2]);

    // What the form asks for is done, for somebody unknown.
    shop.advance(idleTimeout + 1);
    await press(page, "Add Enamel mug to cart");
    assertEquals(await said(page), ["Enamel mug: added to your cart."]);
    assertEquals([await greeted(page), await inCart(page)], [null, 1]);
  },
);

scenario(
  "a page for users, left open too long, asks to sign in again",
  async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page);
    await page.goto(shop.at("/account"));
    assertEquals(await page.title(), "Account · Satchel");

    shop.advance(idleTimeout + 1);
    await page.reload();
    assertEquals(page.url(), shop.at("/sign-in?account"));
    assertEquals(await said(page), ["Sign in to see your account."]);
  },
);

scenario(
  "visits keep a session alive, and no longer than it may live at all",
  async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page, { remember: true });
    let age = 0;
    for (; age + idleTimeout < absoluteTimeout; age += idleTimeout - 60) {
      shop.advance(idleTimeout - 60);
      await press(page, "Add Smoky tea to cart");
      assertEquals(await greeted(page), "Ada", `after ${age} s`);
    }
    shop.advance(absoluteTimeout - age + 1);
    await page.reload();
    assertEquals(await greeted(page), null);
  },
);
