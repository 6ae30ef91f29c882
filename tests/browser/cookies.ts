import { assertEquals } from "@std/assert";
import { greeted, scenario, signIn } from "./_scenario.ts";
import { openSite } from "./_site.ts";

// A browser handles every storage's cookie alike, so two are enough: one that keeps records, and one that does not.
const storages = ["memory", "cookie"];
const host = { name: "__Host-session", secure: true };

scenario(
  "a browser keeps a __Host- cookie on a trustworthy connection only",
  async ({ shop, context, page }) => {
    // localhost counts as trustworthy without TLS (W3C Secure Contexts, section 3.1).
    for (const name of ["localhost", "shop.localhost", "127.0.0.1"]) {
      await page.goto(shop.at("/sign-in", name));
      await signIn(page);
      assertEquals([name, await greeted(page)], [name, "Ada"], name);
      const [cookie, ...others] = await context.cookies(shop.at("/", name));
      assertEquals(others, [], name);
      assertEquals(cookie?.name, "__Host-session", name);
      assertEquals([cookie?.secure, cookie?.domain], [true, name], name);
    }

    await page.goto(shop.at("/sign-in", "shop.test"));
    await signIn(page);
    assertEquals(await greeted(page), null);
    assertEquals(await context.cookies(shop.at("/", "shop.test")), []);
  },
  { cookie: host, storages },
);

scenario(
  "a browser keeps a plain cookie on any connection",
  async ({ shop, page }) => {
    await page.goto(shop.at("/sign-in", "shop.test"));
    await signIn(page);
    assertEquals(await greeted(page), "Ada");
  },
  { storages },
);

/** An attack by a subdomain: it sets the attacker's session for the visitor's cart. */
for (
  const [name, cookie, victim] of [
    [
      "with a plain name, a subdomain can plant a session",
      { name: "session" },
      "Grace",
    ],
    ["with a __Host- name, a subdomain cannot plant a session", host, "Ada"],
  ] as const
) {
  scenario(name, async ({ shop, context, page }) => {
    const stranger = await (context.browser()?.newContext());
    const theirs = await stranger?.newPage();
    await theirs?.goto(shop.at("/sign-in", "shop.localhost"));
    if (theirs) await signIn(theirs, { user: "grace", password: "hopper" });
    const [planted] = await stranger?.cookies() ?? [];
    await stranger?.close();

    await using site = openSite("", {
      "Set-Cookie":
        `${planted?.name}=${planted?.value}; Domain=shop.localhost; Path=/cart; Secure`,
    });
    await page.goto(shop.at("/sign-in", "shop.localhost"));
    await signIn(page);
    await page.goto(site.at("evil.shop.localhost"));
    await page.goto(shop.at("/cart", "shop.localhost"));
    assertEquals(await greeted(page), victim, name);
  }, { cookie, storages });
}
