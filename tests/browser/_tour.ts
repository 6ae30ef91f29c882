/**
 * A walk through all pages of the shop, with something to see on each.
 *
 * @module
 */
import type { Page } from "npm:playwright-core@^1.65.1";
import { press, signIn } from "./_scenario.ts";
import type { Shop } from "./_shop.ts";

const pictures = new URL("../../.screenshots/", import.meta.url);

/** The screens. */
export const screens = {
  desktop: { viewport: { width: 1100, height: 760 }, colorScheme: "light" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "dark" },
} as const;

/** Opens one page after the other, and yields the name of each. */
export async function* tour(page: Page, shop: Shop): AsyncGenerator<string> {
  await page.goto(shop.at("/"));
  yield "home";
  await page.goto(shop.at("/cart"));
  yield "cart-empty";
  await page.goto(shop.at("/session"));
  yield "session-empty";
  await page.goto(shop.at("/"));
  await press(page, "Add Smoky tea to cart");
  yield "flash";
  await page.goto(shop.at("/sign-in"));
  yield "sign-in";
  await signIn(page, { password: "babbage" });
  yield "sign-in-failed";
  await signIn(page, { remember: true });
  yield "signed-in";
  await signInElsewhere(shop);
  await page.goto(shop.at("/account"));
  yield "account";
  shop.advance(60 * 60);
  await press(page, "Sign out of Safari on an iPhone");
  yield "account-confirm";
  await page.goto(shop.at("/session"));
  yield "session";
  await page.goto(shop.at("/"));
  await press(page, "Add Leather satchel to cart");
  await press(page, "Add Fountain pen to cart");
  await page.goto(shop.at("/cart"));
  await page.getByLabel("Quantity of Fountain pen").fill("3");
  await press(page, "Update Fountain pen");
  yield "cart";
  await press(page, "Sign out");
  yield "signed-out";
  await page.goto(shop.at("/nowhere"));
  yield "error";
}

/** Signs in Ada on a phone, so that there is a device to sign out. */
async function signInElsewhere({ storage }: Shop): Promise<void> {
  const session = await storage.getSession();
  session.restart();
  session.set("user", "ada");
  session.set("device", "Safari on an iPhone");
  await storage.commitSession(session);
}

/** Saves a screenshot in a folder that git ignores. */
export async function picture(page: Page, name: string): Promise<void> {
  await Deno.mkdir(pictures, { recursive: true });
  const bytes = await page.screenshot();
  await Deno.writeFile(new URL(`${name}.png`, pictures), bytes);
}
