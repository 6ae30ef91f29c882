import { assertEquals, assertNotEquals } from "@std/assert";
import { greeted, inCart, press, said, scenario, signIn } from "./_scenario.ts";

scenario(
  "signing in renews the id, keeps the cart and hides the cookie from scripts",
  async ({ shop, context, page }) => {
    await page.goto(shop.at("/"));
    assertEquals(await context.cookies(), []);
    await press(page, "Add Smoky tea to cart");
    const [before] = await context.cookies();

    await page.goto(shop.at("/sign-in"));
    await signIn(page, { password: "babbage" });
    assertEquals(await said(page), [
      "Wrong user name or password.",
    ]);
    assertEquals(await page.getByLabel("User name").inputValue(), "ada");
    assertEquals(await greeted(page), null);

    await signIn(page);
    assertEquals(await said(page), ["Welcome, Ada."]);
    assertEquals([await greeted(page), await inCart(page)], ["Ada", 1]);

    const [after, ...others] = await context.cookies();
    assertEquals(others, []);
    assertNotEquals(after?.value, before?.value);
    const { httpOnly, sameSite, path, expires } = after ?? {};
    assertEquals({ httpOnly, sameSite, path, expires }, {
      httpOnly: true,
      sameSite: "Lax",
      path: "/",
      expires: -1, // until the browser is closed
    });
    assertEquals(await page.evaluate("document.cookie"), "");
  },
);

scenario(
  "signing out ends the session, also for a copy of the cookie",
  async ({ shop, context, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page);
    const copied = await context.cookies();
    await press(page, "Sign out");
    assertEquals(await said(page), ["You are signed out."]);
    assertEquals([await greeted(page), await context.cookies()], [null, []]);
    // Chromium keeps even pages with `no-store` in memory, but drops them when an HttpOnly cookie is set.
    await page.goBack();
    assertEquals(await greeted(page), null);

    await context.addCookies(copied);
    await page.goto(shop.at("/"));
    const revoked = shop.storage.guarantees?.revoke;
    assertEquals(await greeted(page), revoked ? null : "Ada");
  },
  { keepsPages: true },
);
