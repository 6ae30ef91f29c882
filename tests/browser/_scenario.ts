/**
 * Scenarios: what a visitor does and sees in a browser, on every storage of the shop.
 *
 * @module
 */
import type { SessionCookieOptions } from "@satchel/session";
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Page,
} from "npm:playwright-core@^1.65.1";
import { shopStorages, stopServers } from "../examples/_shop.ts";
import { installed, launch } from "./_chromium.ts";
import { openShop, type Shop } from "./_shop.ts";

/** A new shop and a new browser profile for one scenario. */
export interface Stage {
  readonly shop: Shop;
  readonly context: BrowserContext;
  readonly page: Page;
}

/** Options of {@linkcode scenario}. */
export interface ScenarioOptions {
  /** Attributes of the session's cookie. */
  cookie?: SessionCookieOptions;
  context?: BrowserContextOptions;
  /** Whether Back may show a page from the browser's memory. @default {false} */
  keepsPages?: boolean;
  /** @default {one of each kind: in the process, in the cookie, on a server} */
  storages?: readonly string[];
}

/** The tests of the example by HTTP try every storage. */
const KINDS = ["memory", "cookie", "redis"];

const ready = installed();
const all: readonly string[] = ready ? shopStorages() : [];
const browsers = new Map<boolean, Promise<Browser>>();

Deno.test.afterAll(async () => {
  for (const browser of browsers.values()) await (await browser).close();
  await stopServers();
});

/** Registers a test for each storage. */
export function scenario(
  name: string,
  play: (stage: Stage) => Promise<void>,
  options: ScenarioOptions = {},
): void {
  if (!ready) return;
  const { keepsPages = false, storages = KINDS } = options;
  for (const storage of all.filter((name) => storages.includes(name))) {
    Deno.test(`${name} (${storage})`, async () => {
      const browser = await browsers.getOrInsertComputed(keepsPages, launch);
      await using shop = await openShop(storage, options.cookie);
      await using context = await browser.newContext(options.context);
      await play({ shop, context, page: await context.newPage() });
    });
  }
}

// What visitors do ------------------------------------------------------------

/** Presses a button, and waits for the next page. */
export async function press(page: Page, name: string): Promise<void> {
  await follow(
    page,
    () => page.getByRole("button", { name, exact: true }).click(),
  );
}

/** Does something that loads a page, and waits for it. */
export async function follow(
  page: Page,
  act: () => Promise<unknown>,
): Promise<void> {
  await Promise.all([page.waitForEvent("load"), act()]);
}

/** Options of {@linkcode signIn}. */
export interface SignInOptions {
  user?: string;
  password?: string;
  remember?: boolean;
}

/** Signs in Ada, or another user, on the sign-in page. Finds the fields by their labels. */
export async function signIn(
  page: Page,
  { user = "ada", password = "lovelace", remember = false }: SignInOptions = {},
): Promise<void> {
  await page.getByLabel("User name", { exact: true }).fill(user);
  await page.getByLabel("Password", { exact: true }).fill(password);
  if (remember) await page.getByLabel("Remember me").check();
  await press(page, "Sign in");
}

// What visitors see -----------------------------------------------------------

/** The page's flash messages and errors. */
export async function said(page: Page): Promise<string[]> {
  return await page.locator("[role=status], [role=alert]").allTextContents();
}

/** The name in the header, if a user is signed in. */
export async function greeted(page: Page): Promise<string | null> {
  const link = page.getByRole("banner").locator("[href='/account']");
  return await link.count() > 0 ? await link.textContent() : null;
}

/** The number of things in the cart. */
export async function inCart(page: Page): Promise<number> {
  const text = await page.getByRole("link", { name: /in it$/ }).textContent();
  return Number(text?.match(/\d+/)?.[0]);
}
