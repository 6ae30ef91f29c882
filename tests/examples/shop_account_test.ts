// Signing in to the shop and out of its devices, in this process, with a clock that the test moves.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createShop, type ShopOptions } from "../../examples/shop/app.ts";
import { lifetimes, openStorage } from "../../examples/shop/storages.ts";
import { rowName } from "../_row.ts";
import { addressesOf, serverOf, shopStorages, stopServers } from "./_shop.ts";

/** A cookie does not know the user's other devices. */
const storages = shopStorages().filter((name) => name !== "cookie");

const ADA = { user: "ada", password: "lovelace" };
const GRACE = { user: "grace", password: "hopper" };
const MINUTE = 60;
const HOUR = 60 * MINUTE;

interface Shop {
  readonly storage: ShopOptions["storage"];
  open(agent?: string): Browser;
  advance(seconds: number): void;
}

/** A browser: one cookie, and redirects followed. */
class Browser {
  cookie = "";
  /** The path that the last redirect led to. */
  at = "";
  setCookies: string[] = [];
  readonly #handler: (request: Request) => Promise<Response>;
  readonly #agent: string;

  constructor(handler: (request: Request) => Promise<Response>, agent: string) {
    this.#handler = handler;
    this.#agent = agent;
  }

  async fetch(path: string, form?: Record<string, string>): Promise<Response> {
    const response = await this.#handler(
      new Request(new URL(path, "http://localhost"), {
        method: form ? "POST" : "GET",
        body: form ? new URLSearchParams(form) : null,
        headers: {
          "User-Agent": this.#agent,
          ...this.cookie ? { Cookie: this.cookie } : {},
        },
      }),
    );
    this.setCookies = response.headers.getSetCookie();
    const [given] = this.setCookies;
    if (given) {
      this.cookie = /Expires=Thu, 01 Jan 1970/.test(given)
        ? ""
        : given.split(";")[0] ?? "";
    }
    return response;
  }

  /** Gets a page, or posts a form and gets the page that the answer leads to. */
  async visit(path: string, form?: Record<string, string>): Promise<string> {
    const response = await this.fetch(path, form);
    if (response.status !== 303) {
      assertEquals(response.status, 200, path);
      return await response.text();
    }
    this.at = response.headers.get("Location") ?? "";
    const { setCookies } = this;
    const text = await this.visit(this.at);
    this.setCookies = setCookies;
    return text;
  }

  async isSignedIn(): Promise<boolean> {
    return (await this.visit("/")).includes(`action="/sign-out"`);
  }
}

Deno.test.afterAll(stopServers);

function scenario(name: string, play: (shop: Shop) => Promise<void>): void {
  for (const storageName of storages) {
    Deno.test(`shop ${name} (${storageName})`, async () => {
      const dataDir = await Deno.makeTempDir({ prefix: "satchel_shop_" });
      let time = Date.UTC(2026, 0, 31, 12);
      const now = () => time;
      const { storage, close } = await openStorage({
        storage: storageName,
        dataDir,
        ...addressesOf(await serverOf(storageName)),
      }, { now });
      const shop = createShop({ ...lifetimes, storage, storageName, now });
      try {
        await play({
          storage,
          open: (agent = "Firefox on Linux") => new Browser(shop, agent),
          advance: (seconds) => void (time += seconds * 1000),
        });
      } finally {
        // The scenarios share one server of a storage.
        for (const user of ["ada", "grace"]) {
          await storage.destroySessions(user);
        }
        await close();
        await Deno.remove(dataDir, { recursive: true });
      }
    });
  }
}

/** The ids in the account page's forms that sign out one device. */
function idsIn(account: string): string[] {
  return [...account.matchAll(/name="device" value="([\w-]{43})"/g)]
    .map(([, id = ""]) => id);
}

scenario(
  "signs a user in with the cart and theme of the browser, and nothing else of the last user",
  async ({ open, advance }) => {
    const browser = open();
    await browser.visit("/sign-in", { ...ADA, remember: "on" });
    assertMatch(browser.setCookies[0] ?? "", /Max-Age=2592000/);
    await browser.visit("/cart/add", { product: "tea" });
    await browser.visit("/theme", { theme: "dark" });
    advance(10 * MINUTE);
    const before = browser.cookie;

    await browser.visit("/sign-in", GRACE);
    assertEquals(/Max-Age|Expires/.test(browser.setCookies[0] ?? ""), false);
    const text = await browser.visit("/session");
    assert(text.includes("until it is closed"), "not remembered");
    assert(text.includes("(this minute)"), "it began now");
    assert(text.includes(`data-theme="dark"`));
    assert((await browser.visit("/cart")).includes("Smoky tea"));
    assert(!text.includes("remembered"));

    browser.cookie = before;
    assertEquals(await browser.isSignedIn(), false);
  },
);

scenario(
  "renews the cookie of a remembered user when it saves, but not in every answer",
  async ({ open, advance }) => {
    const browser = open();
    await browser.visit("/sign-in", { ...ADA, remember: "on" });
    await browser.visit("/theme", { theme: "light" });
    assertEquals(browser.setCookies, []);
    advance(2 * MINUTE);
    await browser.visit("/theme", { theme: "dark" });
    assertMatch(browser.setCookies[0] ?? "", /Max-Age=2592000/);
  },
);

scenario(
  "signs out one device, soon after the login without the password",
  async ({ open }) => {
    const browser = open();
    const phone = open("Mozilla/5.0 (Android 15) Firefox");
    const tablet = open("Mozilla/5.0 (iPad) Safari");
    for (const device of [browser, phone, tablet]) {
      await device.visit("/sign-in", ADA);
    }
    const account = await browser.visit("/account");
    assertEquals(account.match(/<h3>/g)?.length, 3);
    const [, id = ""] =
      /Firefox on Android <\/h3>[^]*?name="device" value="([\w-]+)"/.exec(
        account,
      ) ?? [];

    const after = await browser.visit("/account/sign-out", { device: id });
    assert(after.includes("Signed out of Firefox on Android."));
    assertEquals(after.match(/<h3>/g)?.length, 2);
    assertEquals(
      [await browser.isSignedIn(), await phone.isSignedIn()],
      [true, false],
    );
    assertEquals(await tablet.isSignedIn(), true);
  },
);

scenario(
  "asks for the password before it signs out a device, five minutes after the login",
  async ({ open, advance }) => {
    const browser = open();
    const phone = open("Mozilla/5.0 (Android 15) Firefox");
    await phone.visit("/sign-in", ADA);
    await browser.visit("/sign-in", { ...ADA, remember: "on" });
    await browser.visit("/cart/add", { product: "tea" });
    advance(5 * MINUTE + 1);
    const [device = ""] = idsIn(await browser.visit("/account"));

    const question = await browser.visit("/account/sign-out", { device });
    assertEquals(browser.at, `/account/confirm?device=${device}`);
    assert(question.includes("sign out of Firefox on Android."), question);
    const wrong = await browser.visit("/account/sign-out", {
      device,
      password: "babbage",
    });
    assert(wrong.includes("Wrong password."));
    assertEquals(browser.at, `/account/confirm?device=${device}`);
    assertEquals(await phone.isSignedIn(), true);

    const before = browser.cookie;
    const form = { device, password: ADA.password };
    const done = await browser.visit("/account/sign-out", form);
    assert(done.includes("Signed out of Firefox on Android."));
    assertEquals(await phone.isSignedIn(), false);
    // A new id for the same session: its values and its lifetime stay.
    assert(browser.cookie !== before);
    assertMatch(browser.setCookies[0] ?? "", /Max-Age=2592000/);
    assert((await browser.visit("/cart")).includes("Smoky tea"));

    // The password was entered just now.
    await phone.visit("/sign-in", ADA);
    advance(4 * MINUTE);
    const again = await browser.visit("/account/sign-out", {
      device: "others",
    });
    assert(again.includes("Signed out of 1 other device."));
    assertEquals(
      [await browser.isSignedIn(), await phone.isSignedIn()],
      [true, false],
    );
  },
);

scenario(
  "asks for the password before it signs out all other devices",
  async ({ open, advance }) => {
    const browser = open();
    const others = [open(), open()];
    for (const device of [browser, ...others]) {
      await device.visit("/sign-in", ADA);
    }
    const stranger = open();
    await stranger.visit("/sign-in", GRACE);
    advance(HOUR);

    const question = await browser.visit("/account/sign-out", {
      device: "others",
    });
    assert(question.includes("sign out of all other devices."), question);
    const done = await browser.visit("/account/sign-out", {
      device: "others",
      password: ADA.password,
    });
    assert(done.includes("Signed out of 2 other devices."));
    for (const [i, device] of others.entries()) {
      assertEquals(await device.isSignedIn(), false, `device ${i}`);
    }
    assertEquals(
      [await browser.isSignedIn(), await stranger.isSignedIn()],
      [true, true],
    );
  },
);

scenario(
  "shows no device for an id that is not one of the user's other devices",
  async ({ open, storage, advance }) => {
    const browser = open();
    await browser.visit("/sign-in", ADA);
    const stranger = open();
    await stranger.visit("/sign-in", GRACE);
    const [other] = await storage.listSessions("grace");
    const [own] = await storage.listSessions("ada");
    const bad: Record<string, string> = {
      "somebody else's": other?.id ?? "",
      "its own": own?.id ?? "",
      "nothing": "",
      "a path": "../../../../etc/passwd",
      "a NUL": "\0",
      "a prototype": "__proto__",
      "a percent sign": "%",
      "a new line": "x\r\nSet-Cookie: a=b",
      "markup": '"><script>alert(1)</script>',
      "an emoji": "👛",
      "long": "x".repeat(4_000),
    };
    for (const seconds of [0, HOUR]) {
      advance(seconds);
      for (const [what, device] of Object.entries(bad)) {
        const row = rowName(`${what}, after ${seconds} s`);
        const form = { device, password: ADA.password };
        const page = await browser.visit("/account/sign-out", form);
        assertEquals(browser.at, "/account", row);
        assert(page.includes("That device is not signed in."), row);
        const query = new URLSearchParams({ device });
        await browser.visit(`/account/confirm?${query}`);
        assertEquals(browser.at, "/account", row);
      }
    }
    const unnamed = await browser.fetch("/account/sign-out", {});
    assertEquals([unnamed.status, unnamed.headers.getSetCookie()], [400, []]);
    assertEquals(
      [await browser.isSignedIn(), await stranger.isSignedIn()],
      [true, true],
    );

    const nobody = open();
    for (const path of ["/account", "/account/confirm?device=others"]) {
      await nobody.visit(path);
      assertEquals(nobody.at, "/sign-in?account", path);
    }
    await nobody.visit("/account/sign-out", { device: other?.id ?? "" });
    assertEquals(nobody.at, "/sign-in?account");
    assertEquals(await stranger.isSignedIn(), true);
  },
);
