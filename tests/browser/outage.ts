import { SessionError } from "@satchel/session";
import { assertEquals } from "@std/assert";
import { serverOf } from "../examples/_shop.ts";
import { greeted, inCart, press, scenario, signIn } from "./_scenario.ts";
import type { Shop } from "./_shop.ts";

scenario(
  "if the engine is down, the shop shows an error page and keeps the session",
  async ({ shop, context, page }) => {
    await page.goto(shop.at("/sign-in"));
    await signIn(page);
    const cookies = await context.cookies();
    const server = await serverOf(shop.storageName);
    await server?.kill();
    try {
      await press(page, "Add Smoky tea to cart");
      assertEquals(await page.title(), "Error 503 · Satchel");
      assertEquals(await context.cookies(), cookies);
    } finally {
      await server?.restart();
    }
    await answers(shop.storage, cookies);
    await page.goBack();
    await press(page, "Add Smoky tea to cart");
    assertEquals([await greeted(page), await inCart(page)], ["Ada", 1]);
  },
  { storages: ["postgres", "redis"] },
);

/** Waits until a storage reads sessions again. A connection attempt may have started before the server was back. */
async function answers(
  storage: Shop["storage"],
  [cookie]: { name: string; value: string }[],
): Promise<void> {
  for (;;) {
    try {
      await storage.getSession(`${cookie?.name}=${cookie?.value}`);
      return;
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
    }
  }
}
