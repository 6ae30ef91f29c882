import { assertEquals } from "@std/assert";
import axe from "npm:axe-core@^4.10.0";
import type { Page } from "npm:playwright-core@^1.65.1";
import { rowName } from "../_row.ts";
import { follow, scenario } from "./_scenario.ts";
import { picture, screens, tour } from "./_tour.ts";

const storages = ["memory"];

for (const [screen, context] of Object.entries(screens)) {
  const name = `every page fits on a ${screen} and is accessible`;
  scenario(name, async ({ shop, page }) => {
    const problems: string[] = [];
    // The browser logs violations of the page's Content-Security-Policy.
    page.on("console", (message) => {
      if (/Security Policy/.test(message.text())) problems.push(message.text());
    });
    for await (const view of tour(page, shop)) {
      await picture(page, `${screen}-${view}`);
      const excess = await excessWidth(page);
      if (excess > 0) problems.push(`${view}: ${excess} pixels too wide`);
      for (const barrier of await barriers(page)) {
        problems.push(`${view}: ${barrier}`);
      }
    }
    assertEquals(problems, [], rowName(screen));
  }, { storages, context });
}

scenario("a keyboard is enough to sign in", async ({ shop, page }) => {
  await page.goto(shop.at("/sign-in"));
  await page.keyboard.press("Tab");
  assertEquals(await focused(page), "Skip to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("ada");
  await page.keyboard.press("Tab");
  await page.keyboard.type("lovelace");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await follow(page, () => page.keyboard.press("Enter"));
  assertEquals(page.url(), shop.at("/"));
  const [cookie] = await page.context().cookies();
  assertEquals(cookie !== undefined && cookie.expires > 0, true, "remembered");
}, { storages });

/** Violations of those rules of WCAG 2.2 (A, AA) that a program can check. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any -- within the page
    const { axe } = globalThis as any;
    const { violations } = await axe.run({
      runOnly: [
        "wcag2a",
        "wcag2aa",
        "wcag21a",
        "wcag21aa",
        "wcag22aa",
        "best-practice",
      ],
    });
    // deno-lint-ignore no-explicit-any -- as above
    return violations.flatMap(({ id, nodes }: any) =>
      // deno-lint-ignore no-explicit-any -- as above
      nodes.map(({ html, failureSummary }: any) =>
        `${id}: ${html} ${failureSummary}`
      )
    );
  });
}

/** By how many pixels the page is wider than the screen. */
async function excessWidth(page: Page): Promise<number> {
  return await page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
}

async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>("document.activeElement.textContent");
}
