import { assertEquals } from "@std/assert";
import {
  follow,
  greeted,
  inCart,
  press,
  said,
  scenario,
  signIn,
} from "./_scenario.ts";

scenario("the whole shop works without JavaScript", async ({ shop, page }) => {
  await page.goto(
    "data:text/html,<p>off</p><script>document.body.remove()</script>",
  );
  assertEquals(await page.textContent("p"), "off");

  await page.goto(shop.at("/"));
  assertEquals(await page.locator("script").count(), 0);
  await press(page, "Add Smoky tea to cart");
  await press(page, "Add Enamel mug to cart");
  await press(page, "Dark");
  assertEquals(await page.getAttribute("html", "data-theme"), "dark");

  await follow(page, () => page.getByRole("link", { name: "Sign in" }).click());
  await signIn(page);
  assertEquals(await said(page), ["Welcome, Ada."]);
  assertEquals(await page.getAttribute("html", "data-theme"), "dark");

  await follow(page, () => page.getByRole("link", { name: /^Cart/ }).click());
  await page.getByLabel("Quantity of Smoky tea").fill("3");
  await press(page, "Update Smoky tea");
  assertEquals(await said(page), ["Smoky tea: now 3 in your cart."]);
  await press(page, "Remove Enamel mug");
  assertEquals([await inCart(page), await greeted(page)], [3, "Ada"]);
  await press(page, "Check out");
  assertEquals(await inCart(page), 0);

  await press(page, "Sign out");
  assertEquals(await said(page), ["You are signed out."]);
  assertEquals(await greeted(page), null);
}, { context: { javaScriptEnabled: false } });
