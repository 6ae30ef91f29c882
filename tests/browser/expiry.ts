import { assertEquals } from "@std/assert";
import { lifetimes } from "../../examples/shop/storages.ts";
import { greeted, inCart, press, said, scenario, signIn } from "./_scenario.ts";

const { idleTimeout, absoluteTimeout } = lifetimes;

scenario(
  "a session that expires while its page is open signs the user out, without an error",
  async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page, { remember: true });
    await press(page, "Add Smoky tea to cart");

    shop.advance(idleTimeout - 1);
    await press(page, "Add Smoky tea to cart");
    assertEquals([await greeted(page), await inCart(page)], ["Ada", 2]);

    // The form still works, for a visitor who is not signed in.
    shop.advance(idleTimeout + 1);
    await press(page, "Add Enamel mug to cart");
    assertEquals(await said(page), ["Enamel mug: added to your cart."]);
    assertEquals([await greeted(page), await inCart(page)], [null, 1]);
  },
);

scenario(
  "a page for users asks to sign in again, after the session has expired",
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
  "visits keep a session alive, up to its absolute timeout",
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
