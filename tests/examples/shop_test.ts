import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { DatabaseSync } from "node:sqlite";
import { rowName } from "../_row.ts";
import { addressesOf, serverOf, shopStorages, stopServers } from "./_shop.ts";

const root = new URL("../../", import.meta.url);
const windows = Deno.build.os === "windows";
const DAY = 24 * 60 * 60;

// The shop, as a process of its own, with the permissions of its task ----------

type Env = Record<string, string>;

function command(
  cwd: string,
  env: Env,
  without?: string,
): Deno.Command {
  const [, ...args] = config.tasks.start.command.split(" ")
    .filter((arg) => without === undefined || !arg.startsWith(without));
  const main = args.pop() ?? "";
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...args,
      `--config=${fileURLToPath(new URL("deno.json", root))}`,
      fileURLToPath(new URL(main, root)),
    ],
    cwd,
    env: {
      PORT: "0",
      HOST: "",
      DATA_DIR: "",
      REDIS_URL: "",
      DATABASE_URL: "",
      SESSION_SECRETS: "",
      NO_COLOR: "1",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

class Shop {
  readonly address: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;

  private constructor(
    address: string,
    child: Deno.ChildProcess,
    lines: AsyncGenerator<string>,
  ) {
    this.address = address;
    this.#child = child;
    this.#lines = lines;
  }

  static async start(cwd: string, env: Env): Promise<Shop> {
    const child = command(cwd, env).spawn();
    const lines = linesOf(child.stdout);
    const { value = "" } = await lines.next();
    const [, address] = /^Shop: (http:\S+)\/ \(storage: \w+\)$/.exec(value) ??
      [];
    if (address === undefined) {
      throw new Error(await new Response(child.stderr).text());
    }
    const { value: toTry = "" } = await lines.next();
    assertMatch(toTry, /sign in: ada, lovelace/);
    if (env["STORAGE"] === "memory") {
      const { value: notice = "" } = await lines.next();
      assertMatch(notice, /Sessions end when the server stops/);
    }
    return new Shop(address, child, lines);
  }

  /** Ends it as service managers do, and expects that it goes in peace, having reported nothing. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const errors = await new Response(this.#child.stderr).text();
    assertEquals((await this.#lines.next()).done, true);
    const { code } = await this.#child.status;
    // Its own packages may have to be downloaded first.
    assertEquals(errors.replaceAll(/^Download .*\n/gm, ""), "");
    if (!windows) assertEquals(code, 0);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

async function inFolder(use: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "satchel_shop_" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// A browser: a cookie jar and fetch ---------------------------------------------

interface Page {
  status: number;
  headers: Headers;
  text: string;
  setCookies: string[];
}

class Browser {
  address: string;
  readonly jar: Map<string, string> = new Map();

  constructor(shop: Shop) {
    this.address = shop.address;
  }

  get cookie(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  get(path: string, headers?: Record<string, string>): Promise<Page> {
    return this.fetch(path, headers ? { headers } : {});
  }

  /** Posts a form and gives the page that the answer sends to. */
  async submit(path: string, form: Record<string, string>): Promise<Page> {
    const { status, headers } = await this.post(path, form);
    assertEquals(status, 303);
    return await this.get(headers.get("Location") ?? "");
  }

  post(path: string, form: Record<string, string>): Promise<Page> {
    const body = new URLSearchParams(form);
    const headers = { "Sec-Fetch-Site": "same-origin", Origin: this.address };
    return this.fetch(path, { method: "POST", body, headers });
  }

  async fetch(path: string, init: RequestInit): Promise<Page> {
    const headers = new Headers(init.headers);
    if (this.jar.size > 0 && !headers.has("Cookie")) {
      headers.set("Cookie", this.cookie);
    }
    const url = new URL(path, this.address);
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    const setCookies = response.headers.getSetCookie();
    for (const setCookie of setCookies) this.#keep(setCookie);
    const { status } = response;
    const text = await response.text();
    return { status, headers: response.headers, text, setCookies };
  }

  #keep(setCookie: string): void {
    const [pair = "", ...attributes] = setCookie.split("; ");
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    const over = attributes.some((attribute) =>
      attribute === "Max-Age=0" ||
      attribute.startsWith("Expires=Thu, 01 Jan 1970")
    );
    if (over) this.jar.delete(name);
    else this.jar.set(name, value);
  }
}

/** How many records there are, as a look into the data folder tells; `undefined` where there is none to look into. */
async function countRecords(
  storage: string,
  folder: string,
): Promise<number | undefined> {
  let count = 0;
  if (storage === "kv") {
    using kv = await Deno.openKv(join(folder, ".data", "sessions.sqlite"));
    for await (const _ of kv.list({ prefix: [] })) count++;
    return count;
  }
  if (storage === "sqlite") {
    using db = new DatabaseSync(join(folder, ".data", "sessions.db"));
    // The first session creates the table.
    const [table] = db.prepare("PRAGMA table_info(sessions)").all();
    return table ? db.prepare("SELECT key FROM sessions").all().length : 0;
  }
  return storage === "file"
    ? await countFolders(join(folder, ".data", "sessions"))
    : undefined;
}

/** How many folders below this one hold files: one for each record. */
async function countFolders(folder: string): Promise<number> {
  let count = 0;
  let holdsFiles = false;
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) count += await countFolders(join(folder, name));
      else holdsFiles = true;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return holdsFiles ? count + 1 : count;
}

// Visits --------------------------------------------------------------------------

Deno.test.afterAll(stopServers);

for (const storage of shopStorages()) {
  Deno.test(`shop serves a visit from the first page to the sign-out, with STORAGE=${storage}`, async (t) => {
    const { redisUrl, databaseUrl } = addressesOf(await serverOf(storage));
    const env: Env = storage === "postgres"
      ? { DATABASE_URL: databaseUrl }
      : { STORAGE: storage, REDIS_URL: redisUrl };
    await inFolder(async (folder) => {
      let shop = await Shop.start(folder, env);
      const visitor = new Browser(shop);
      const assertRecords = async (expected: number) => {
        const count = await countRecords(storage, folder);
        if (count !== undefined) assertEquals(count, expected);
      };

      await t.step("looking around leaves no trace", async () => {
        for (const path of ["/", "/cart", "/sign-in", "/session"]) {
          const { status, setCookies, headers } = await visitor.get(path);
          assertEquals(
            [path, status, setCookies],
            [path, 200, []],
            rowName(path),
          );
          assertEquals(headers.get("Cache-Control"), "no-store", rowName(path));
        }
        await assertRecords(0);
      });

      await t.step("the cart is kept, and a flash is shown once", async () => {
        const added = await visitor.post("/cart/add", { product: "tea" });
        assertEquals([added.status, added.setCookies.length], [303, 1]);
        assertMatch(added.setCookies[0] ?? "", /; HttpOnly; SameSite=Lax/i);
        assertEquals(/Max-Age|Expires/i.test(added.setCookies[0] ?? ""), false);
        const flash = "Smoky tea: added to your cart.";
        assert((await visitor.get("/cart")).text.includes(flash));
        assert(!(await visitor.get("/cart")).text.includes(flash));

        await visitor.submit("/cart/add", { product: "tea" });
        await visitor.submit("/cart/add", { product: "mug" });
        const { text } = await visitor.submit("/cart/quantity", {
          product: "mug",
          quantity: "3",
        });
        assert(text.includes("€73.80"), "2 × 9.90 + 3 × 18.00");
        const without = await visitor.submit("/cart/remove", {
          product: "mug",
        });
        assert(without.text.includes("<strong>€19.80</strong>"));
        await assertRecords(1);
      });

      await t.step(
        "a wrong password is told once, and the name stays",
        async () => {
          const failed = await visitor.submit("/sign-in", {
            user: `"><b>ada`,
            password: "babbage",
          });
          assert(failed.text.includes("Wrong user name or password"));
          assert(failed.text.includes(`value="&quot;&gt;&lt;b&gt;ada"`));
          const { text } = await visitor.get("/sign-in");
          assert(!text.includes("Wrong user name or password"));
          assert(text.includes(`name="user" value=""`));
        },
      );

      const before = visitor.cookie;
      await t.step("signing in renews the id and keeps the cart", async () => {
        const id = await shownId(visitor);
        const { text } = await visitor.submit("/sign-in", {
          user: "ada",
          password: "lovelace",
        });
        assert(text.includes("Welcome, Ada."));
        assert(visitor.cookie !== before);
        assert(await shownId(visitor) !== id);
        assert((await visitor.get("/cart")).text.includes("€19.80"));
        // The session, and for a minute a note about the old id. SQL finds Ada's sessions without a list.
        await assertRecords(storage === "sqlite" ? 2 : 3);
        const old = await visitor.get("/session", { cookie: before });
        if (storage !== "cookie") assert(old.text.includes(NOTHING));
      });

      await t.step("a restart forgets nothing, but in memory", async () => {
        await shop.stop();
        shop = await Shop.start(folder, env);
        visitor.address = shop.address;
        const { text } = await visitor.get("/cart");
        assertEquals(text.includes("€19.80"), storage !== "memory");
        assertEquals(text.includes(">Ada</a>"), storage !== "memory");
      });

      await t.step("checking out empties the cart", async () => {
        await visitor.submit("/cart/add", { product: "tea" });
        const { text } = await visitor.submit("/checkout", {});
        assert(text.includes("Thank you!"));
        const again = await visitor.submit("/checkout", {});
        assert(again.text.includes("nothing in your cart"));
      });

      await t.step("a theme stays", async () => {
        const form = { theme: "dark", back: "/cart" };
        const { headers } = await visitor.post("/theme", form);
        assertEquals(headers.get("Location"), "/cart");
        const { text } = await visitor.get("/");
        assert(text.includes(`data-theme="dark"`));
        const away = { theme: "dark", back: "//example.com" };
        const elsewhere = await visitor.post("/theme", away);
        assertEquals(elsewhere.headers.get("Location"), "/");
      });

      await t.step("signing out ends the session", async () => {
        const during = visitor.cookie;
        const { status, setCookies } = await visitor.post("/sign-out", {});
        // Two of them make the browser drop the pages that it keeps for "back".
        assertEquals([status, setCookies.length], [303, 3]);
        assertEquals(visitor.jar.size, 0);
        const { text } = await visitor.get("/sign-in?signed-out");
        assert(text.includes("You are signed out."));
        const after = await visitor.get("/session", { cookie: during });
        assertEquals(after.text.includes(NOTHING), storage !== "cookie");
        await assertRecords(1); // the note
      });

      await t.step("who is remembered gets a cookie that lasts", async () => {
        const { setCookies } = await visitor.post("/sign-in", {
          user: "grace",
          password: "hopper",
          remember: "on",
        });
        assertEquals(setCookies.length, 1);
        assert(setCookies[0]?.includes(`Max-Age=${30 * DAY}`));
        const greeting = (await visitor.get("/?signed-out")).text;
        assert(greeting.includes("Welcome, Grace."));
        assert(!greeting.includes("You are signed out."));
        const { text } = await visitor.get("/session");
        assert(text.includes("for 30 days"));
      });

      await t.step(
        "the account shows all devices, and ends the others",
        async () => {
          const grace = { user: "grace", password: "hopper" };
          const phone = new Browser(shop);
          const signedOut = await phone.get("/account");
          assertEquals(signedOut.headers.get("Location"), "/sign-in?account");
          await phone.submit("/cart/add", { product: "mug" });
          await phone.submit("/sign-in", grace);
          const stranger = new Browser(shop);
          await stranger.submit("/sign-in", {
            user: "ada",
            password: "lovelace",
          });

          const { text } = await visitor.get("/account");
          if (storage === "cookie") {
            assert(text.includes("cannot list your other sessions"));
            return;
          }
          assertEquals(text.match(/<h3>/g)?.length, 2);
          assertEquals(text.match(/this one/g)?.length, 1);
          assert(text.includes("Somebody else’s, or lost?"));
          const answer = await visitor.submit("/account/sign-out", {
            device: "others",
          });
          assert(answer.text.includes("Signed out of 1 other device."));
          assertEquals(answer.text.match(/<h3>/g)?.length, 1);
          assert(!answer.text.includes("Somebody else’s, or lost?"));
          assert((await phone.get("/session")).text.includes(NOTHING));
          assert((await stranger.get("/")).text.includes(">Ada</a>"));
          await stranger.post("/sign-out", {});
        },
      );

      await t.step("hostile cookies are no session, and no error", async () => {
        const [[name = "", value = ""] = []] = visitor.jar;
        for (const cookie of hostileCookies(name, value)) {
          const { status, setCookies } = await visitor.get("/session", {
            cookie,
          });
          assert(status < 500, `${status} for ${cookie.slice(0, 40)}`);
          assertEquals(setCookies, [], rowName(cookie));
        }
        const { text } = await visitor.get("/session");
        assert(text.includes("grace"), "the good cookie still works");
      });

      await t.step("hostile forms and requests are refused", async () => {
        const assertStatus = async (page: Promise<Page>, expected: number) => {
          const { status, setCookies } = await page;
          assertEquals([status, setCookies], [expected, []]);
        };
        for (
          const [path, form] of [
            ["/cart/add", { product: "__proto__" }],
            ["/cart/add", {}],
            ["/cart/quantity", { product: "tea", quantity: "-1" }],
            ["/cart/quantity", { product: "tea", quantity: "1e9" }],
            ["/cart/quantity", { product: "tea", quantity: "21" }],
            ["/theme", { theme: "constructor" }],
            ["/sign-in", { user: "ada" }],
          ] as [string, Record<string, string>][]
        ) await assertStatus(visitor.post(path, form), 400);

        const large = { product: "x".repeat(9_000) };
        await assertStatus(visitor.post("/cart/add", large), 413);
        await assertStatus(visitor.get("/sign-out"), 405);
        await assertStatus(visitor.post("/", {}), 405);
        await assertStatus(visitor.get("/nowhere"), 404);
        await assertStatus(visitor.get("/%00%zz/../..//?%"), 404);
        const post = (headers: Record<string, string>) =>
          visitor.fetch("/cart/add", {
            method: "POST",
            body: new Blob(["product=tea"]),
            headers,
          });
        const type = "application/x-www-form-urlencoded";
        await assertStatus(post({ "Content-Type": "text/plain" }), 415);
        for (
          const foreign of [
            { "Sec-Fetch-Site": "cross-site" },
            { "Sec-Fetch-Site": "same-site" },
            { Origin: "https://example.com" },
            { Origin: "null" },
          ]
        ) await assertStatus(post({ "Content-Type": type, ...foreign }), 403);
      });

      await shop.stop();
    });
  });
}

const NOTHING = "Nothing is stored about you";

async function shownId(browser: Browser): Promise<string> {
  const { text } = await browser.get("/session");
  const [, id] = /<dt>Id<\/dt>\s*<dd><code>([^<]*)</.exec(text) ?? [];
  assertMatch(id ?? "", /^[\w-]{4}…$/);
  return id ?? "";
}

function hostileCookies(name: string, value: string): string[] {
  const middle = value.length >> 1;
  const flipped = value[middle] === "A" ? "B" : "A";
  return [
    "",
    ";",
    "=x",
    "%",
    `${name}`,
    `${name}=`,
    `${name}==`,
    `${name}=%`,
    `${name}=%E0%A4%A`,
    `${name}=%00`,
    `${name}=%25%32%35`,
    `${name}=\xff\xfe`,
    `${name}="${value}`,
    `${name}=../../secret`,
    `${name}=__proto__`,
    `${name}=${value.slice(0, -1)}`,
    `${name}=${value.slice(1)}`,
    `${name}=${value}A`,
    `${name}=${value.slice(0, middle)}${flipped}${value.slice(middle + 1)}`,
    `${name}=${"A".repeat(8_000)}`,
    `${name}=${"A".repeat(64_000)}`,
    Array(3_000).fill(`${name}=x`).join("; "),
    `other=${value}`,
  ];
}

// What can go wrong at the start ------------------------------------------------

async function assertOneLine(
  output: Promise<Deno.CommandOutput>,
  expected: RegExp,
): Promise<void> {
  const { code, stdout, stderr } = await output;
  const text = new TextDecoder().decode(stderr);
  assertMatch(text, expected);
  assertEquals(text.trimEnd().split("\n").length, 1);
  assertEquals([code, stdout.length], [1, 0]);
}

Deno.test("shop says in one line what to change, when it cannot start", async (t) => {
  await inFolder(async (folder) => {
    const cases: [string, RegExp, env: Env, without?: string][] = [
      ["unknown storage", /^There is no storage "floppy": set STORAGE to /, {
        STORAGE: "floppy",
      }],
      ["no address", /^REDIS_URL must be like redis:/, { REDIS_URL: "6379" }],
      ["no database", /^Set DATABASE_URL to the database, such as postgres:/, {
        STORAGE: "postgres",
      }],
      ["another database", /^DATABASE_URL must be like postgres:/, {
        DATABASE_URL: "mysql://root:s3cr3t@127.0.0.1/shop",
      }],
      ["no port", /^PORT must be a whole number from 0 to 65535$/m, {
        PORT: "http",
      }],
      [
        "no such permission: write",
        /^Missing permission: .*write/,
        {},
        "--allow-write",
      ],
      [
        "no such permission: read",
        /^Missing permission: .*read/,
        {},
        "--allow-read",
      ],
      [
        "no such permission: net",
        /^Missing permission: .*net/,
        {},
        "--allow-net",
      ],
      [
        "no such permission: env",
        /^Missing permission: .*env/,
        {},
        "--allow-env",
      ],
      ["another data folder", /^Missing permission: .*elsewhere/, {
        DATA_DIR: "elsewhere",
      }],
    ];
    for (const [name, expected, env, without] of cases) {
      await t.step(name, async () => {
        await assertOneLine(command(folder, env, without).output(), expected);
      });
    }
  });
});

Deno.test("shop says in one line that a port is taken", async () => {
  await inFolder(async (folder) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    await assertOneLine(
      command(folder, { PORT: `${port}`, STORAGE: "memory" }).output(),
      new RegExp(`^Port ${port} is taken: set PORT to another`),
    );
  });
});

Deno.test("shop says in one line that its data folder cannot be used", async () => {
  for (const storage of ["kv", "file", "sqlite"]) {
    await inFolder(async (folder) => {
      await Deno.writeTextFile(join(folder, ".data"), "a file in its place");
      await assertOneLine(
        command(folder, { STORAGE: storage, SESSION_SECRETS: "s3cr3t" })
          .output(),
        /^Cannot use the data folder \.data .*: set DATA_DIR to a folder/,
      );
    });
  }
});
