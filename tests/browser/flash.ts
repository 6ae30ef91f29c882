import { assertEquals } from "@std/assert";
import { follow, inCart, press, said, scenario } from "./_scenario.ts";

const ADDED = "Smoky tea: added to your cart.";

scenario(
  "a flash message is shown once, after a redirect, and not on reload or back",
  async ({ shop, page }) => {
    await page.goto(shop.at("/"));
    await press(page, "Add Smoky tea to cart");
    assertEquals(page.url(), shop.at("/#tea"));
    assertEquals([await said(page), await inCart(page)], [[ADDED], 1]);

    await page.reload();
    assertEquals([await said(page), await inCart(page)], [[], 1]);

    await press(page, "Add Smoky tea to cart");
    assertEquals([await said(page), await inCart(page)], [[ADDED], 2]);
    await follow(page, () => page.getByRole("link", { name: /^Cart/ }).click());
    assertEquals(await said(page), []);
    await page.goBack();
    assertEquals([await said(page), await inCart(page)], [[], 2]);
    await page.goForward();
    assertEquals([await said(page), await inCart(page)], [[], 2]);

    const posts = shop.seen.filter(({ method }) => method === "POST");
    assertEquals(posts.length, 2);
  },
);

scenario(
  "a flash message is shown only by the first tab that loads a page",
  async ({ shop, context, page }) => {
    await page.goto(shop.at("/cart"));
    const other = await context.newPage();
    await other.goto(shop.at("/"));
    await press(other, "Add Smoky tea to cart");
    await page.reload();
    assertEquals([await said(other), await said(page)], [[ADDED], []]);

    await press(page, "Check out");
    await other.reload();
    assertEquals([(await said(page)).length, await said(other)], [1, []]);
  },
);
