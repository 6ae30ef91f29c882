import { assertEquals } from "@std/assert";
import type { BrowserContext } from "npm:playwright-core@^1.65.1";
import { rowName } from "../_row.ts";
import { launchIn } from "./_chromium.ts";
import { greeted, inCart, press, scenario, signIn } from "./_scenario.ts";

const DAY = 24 * 60 * 60;

/** Hosts of one shop, each with its own cookies. */
const REMEMBERED = "localhost";
const FORGOTTEN = "127.0.0.1";
const SIGNED_OUT = "shop.localhost";

scenario(
  "after the browser was closed, only a remembered user is signed in",
  async ({ shop }) => {
    const profile = await Deno.makeTempDir({ prefix: "satchel_profile_" });
    try {
      await using first = await launchIn(profile);
      const page = await first.newPage();
      for (const host of [REMEMBERED, FORGOTTEN, SIGNED_OUT]) {
        await page.goto(shop.at("/sign-in", host));
        await signIn(page, { remember: host !== FORGOTTEN });
        await press(page, "Add Smoky tea to cart");
        assertEquals(await greeted(page), "Ada", rowName(host));
      }
      await press(page, "Sign out");
      assertEquals(await daysLeft(first, shop.at("/", REMEMBERED)), [30]);
      assertEquals(await daysLeft(first, shop.at("/", FORGOTTEN)), ["session"]);
      await first.close();

      await using second = await launchIn(profile);
      assertEquals(await daysLeft(second, shop.at("/", REMEMBERED)), [30]);
      assertEquals(await daysLeft(second, shop.at("/", FORGOTTEN)), []);
      assertEquals(await daysLeft(second, shop.at("/", SIGNED_OUT)), []);
      const later = await second.newPage();
      for (
        const [host, user, things] of [
          [REMEMBERED, "Ada", 1],
          [FORGOTTEN, null, 0],
          [SIGNED_OUT, null, 0],
        ] as const
      ) {
        await later.goto(shop.at("/", host));
        assertEquals([await greeted(later), await inCart(later)], [
          user,
          things,
        ], rowName(host));
      }

      // A later save keeps the lifetime.
      await later.goto(shop.at("/", REMEMBERED));
      await press(later, "Add Enamel mug to cart");
      assertEquals(await daysLeft(second, shop.at("/", REMEMBERED)), [30]);
    } finally {
      await Deno.remove(profile, { recursive: true });
    }
  },
);

/** For how many days the browser will keep each cookie of an address. */
async function daysLeft(
  context: BrowserContext,
  url: string,
): Promise<(number | "session")[]> {
  return (await context.cookies(url)).map(({ expires }) =>
    expires === -1 ? "session" : Math.round((expires - Date.now() / 1000) / DAY)
  );
}
