/**
 * The system's Chromium, driven by playwright-core.
 *
 * @module
 */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
} from "npm:playwright-core@^1.65.1";

const COMMANDS = ["chromium", "chromium-browser", "google-chrome"];

/** Names under `.test` lead to this machine. Unlike `localhost`, browsers do not trust them without TLS. */
const ARGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync"],
  "--host-resolver-rules=MAP *.test 127.0.0.1",
];

const executablePath = find();

function find(): string {
  try {
    const script = COMMANDS.map((name) => `command -v ${name}`).join(" || ");
    const { stdout } = new Deno.Command("sh", { args: ["-c", script] })
      .outputSync();
    return new TextDecoder().decode(stdout).trim();
  } catch (error) {
    // Windows does not have `sh`, and Deno cannot drive a browser there: it needs more pipes than three.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/**
 * Whether Chromium is installed. If not, registers a test that says how to install it. The test is ignored; on CI, it
 * fails.
 */
export function installed(): boolean {
  if (executablePath) return true;
  const advice = "chromium is missing: apt-get install chromium";
  Deno.test({
    name: `browser skipped: ${advice}`,
    ignore: Deno.env.get("CI") !== "true",
    fn() {
      throw new Error(advice);
    },
  });
  return false;
}

/**
 * Starts a browser with a temporary profile.
 *
 * @param keepsPages Whether Back may show a page from memory, without a request, as browsers normally do. Playwright
 * cannot wait for such a page, because it does not load.
 */
export async function launch(keepsPages: boolean): Promise<Browser> {
  return await chromium.launch({
    executablePath,
    args: ARGS,
    ignoreDefaultArgs: keepsPages ? ["--disable-back-forward-cache"] : [],
  });
}

/** Starts a browser with a profile that is kept in a folder. */
export async function launchIn(
  folder: string,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  return await chromium.launchPersistentContext(folder, {
    ...options,
    executablePath,
    args: ARGS,
  });
}
