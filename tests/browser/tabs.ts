import { assertEquals } from "@std/assert";
import { rowName } from "../_row.ts";
import {
  greeted,
  inCart,
  press,
  said,
  scenario,
  signIn,
  type Stage,
} from "./_scenario.ts";

async function secondTab({ shop, context }: Stage) {
  const tab = await context.newPage();
  await tab.goto(shop.at("/"));
  return tab;
}

scenario(
  "two tabs that fill the cart at once both succeed, if the storage merges changes",
  async (stage) => {
    const { shop, page } = stage;
    await page.goto(shop.at("/"));
    await press(page, "Add Umbrella to cart");
    const other = await secondTab(stage);

    // Both are read before either is saved.
    shop.beforeSave = barrier(2);
    await Promise.all([
      press(page, "Add Smoky tea to cart"),
      press(other, "Add Enamel mug to cart"),
    ]);
    await page.goto(shop.at("/cart"));
    const merges = shop.storage.guarantees?.compareAndSet;
    assertEquals(await inCart(page), merges ? 3 : 2);
  },
);

scenario("signing out in one tab signs out the other", async (stage) => {
  const { shop, page } = stage;
  await page.goto(shop.at("/sign-in"));
  await signIn(page);
  await press(page, "Add Smoky tea to cart");
  const other = await secondTab(stage);
  assertEquals([await greeted(other), await inCart(other)], ["Ada", 1]);

  await press(page, "Sign out");
  // This tab still shows Ada's page.
  await press(other, "Add Enamel mug to cart");
  assertEquals([await greeted(other), await inCart(other)], [null, 1]);

  await page.goto(shop.at("/"));
  assertEquals([await greeted(page), await inCart(page)], [null, 1]);
});

scenario("signing out in two tabs is not an error", async (stage) => {
  const { shop, page } = stage;
  await page.goto(shop.at("/sign-in"));
  await signIn(page);
  const other = await secondTab(stage);
  for (const tab of [page, other]) {
    await press(tab, "Sign out");
    assertEquals(await said(tab), ["You are signed out."], rowName(tab));
  }
});

scenario(
  "a save that is still running does not undo a sign-out, if the storage revokes sessions",
  async (stage) => {
    const { shop, context, page } = stage;
    await page.goto(shop.at("/sign-in"));
    await signIn(page);
    const other = await secondTab(stage);

    const { reached, release, beforeSave } = firstHeld();
    shop.beforeSave = beforeSave;
    const late = press(other, "Add Smoky tea to cart");
    await reached;
    await press(page, "Sign out");
    const left = await context.cookies();
    release();
    await late;
    assertEquals(left, []);

    await page.goto(shop.at("/"));
    const revoked = shop.storage.guarantees?.revoke;
    assertEquals(await greeted(page), revoked ? null : "Ada");
    assertEquals((await context.cookies()).length, revoked ? 0 : 1);
  },
);

/** A barrier: a call waits until there were `count` calls. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  return () => {
    if (--count === 0) resolve();
    return promise;
  };
}

/** A hook that holds the first call until it is released. */
function firstHeld() {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let first = true;
  const beforeSave = async () => {
    if (!first) return;
    first = false;
    reach();
    await released;
  };
  return { reached, release, beforeSave };
}
