import { assertEquals } from "@std/assert";
import { follow, greeted, press, said, scenario, signIn } from "./_scenario.ts";

const HOUR = 60 * 60;

// The scenarios share one server of a storage, and the others sign Ada in.
const GRACE = { user: "grace", password: "hopper" };

scenario(
  "a user signs out a lost phone, and is asked for the password first",
  async ({ shop, context, page }) => {
    const browser = context.browser();
    await using phone = await browser?.newContext({
      userAgent: "Mozilla/5.0 (iPhone) Safari",
    });
    const lost = await phone?.newPage();
    if (!lost) throw new Error("there is no second browser");
    await lost.goto(shop.at("/sign-in"));
    await signIn(lost, { ...GRACE, remember: true });
    await page.goto(shop.at("/sign-in"));
    await signIn(page, GRACE);

    shop.advance(HOUR);
    await follow(page, () => page.getByRole("link", { name: "Grace" }).click());
    const devices = page.getByRole("main").getByRole("listitem");
    assertEquals(await devices.count(), 2);
    await press(page, "Sign out of Safari on an iPhone");
    assertEquals(await page.title(), "Confirm · Satchel");
    await page.getByLabel("Password").fill("babbage");
    await press(page, "Sign out there");
    assertEquals(await said(page), ["Wrong password."]);

    await page.getByLabel("Password").fill("hopper");
    await press(page, "Sign out there");
    assertEquals(await said(page), ["Signed out of Safari on an iPhone."]);
    assertEquals(await devices.count(), 1);
    await lost.reload();
    assertEquals([await greeted(page), await greeted(lost)], ["Grace", null]);
  },
  { storages: ["memory", "sqlite", "redis"] },
);
