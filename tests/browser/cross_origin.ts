/** The option `crossOrigin`: what Chromium says about where a form comes from. */
import { assertEquals } from "@std/assert";
import { createMemorySessionStorage, withSession } from "@satchel/session";
import { rowName } from "../_row.ts";
import { installed, launch } from "./_chromium.ts";
import { openSite } from "./_site.ts";

/** A form that signs the visitor in. In a sandboxed frame, its origin is `null`. */
function form(action: string): string {
  return `<title>form</title>
    <form method="post" action="${action}"><button>Go</button></form>`;
}

if (installed()) {
  Deno.test("crossOrigin refuses the forms of other origins, and no others", async () => {
    /** The header by which the last form was judged. */
    let header = "";
    const handler = withSession(
      createMemorySessionStorage<{ userId: string }>(),
      (request, session) => {
        if (request.method === "POST") session.set("userId", "mallory");
        const title = session.get("userId") ?? "nobody";
        return new Response(`<title>${title}</title>${form("/")}`, {
          headers: { "Content-Type": "text/html" },
        });
      },
      { crossOrigin: "refuse" },
    );
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => {
        const site = request.headers.get("Sec-Fetch-Site");
        if (request.method === "POST") header = site ?? "Origin";
        return handler(request);
      },
    );
    const { port } = server.addr;
    const rows: [app: string, from: string, header: string, status: number][] =
      [
        // Browsers send Sec-Fetch-Site to origins that they trust.
        ["localhost", "itself", "same-origin", 200],
        ["localhost", "localhost", "same-site", 403],
        ["app.localhost", "other.localhost", "cross-site", 403],
        ["localhost", "127.0.0.1", "cross-site", 403],
        ["localhost", "a sandboxed frame", "cross-site", 403],
        ["app.test", "itself", "Origin", 200],
        ["app.test", "app.test", "Origin", 403],
        ["app.test", "evil.app.test", "Origin", 403],
        ["app.test", "127.0.0.1", "Origin", 403],
        ["app.test", "a sandboxed frame", "Origin", 403],
      ];
    const browser = await launch(false);
    try {
      for (const [app, from, by, status] of rows) {
        const row = rowName(app, from);
        const home = `http://${app}:${port}/`;
        await using context = await browser.newContext();
        const page = await context.newPage();
        await using site = openSite(form(home));
        const sandbox = `<iframe srcdoc='${
          form(home)
        }' sandbox="allow-forms allow-top-navigation"></iframe>`;
        await using frame = openSite(sandbox);
        await page.goto(
          from === "itself"
            ? home
            : from === "a sandboxed frame"
            ? frame.at(app)
            : site.at(from),
        );
        const inner = from === "a sandboxed frame"
          ? page.frameLocator("iframe")
          : page;
        const [answer] = await Promise.all([
          page.waitForResponse((response) =>
            response.request().method() === "POST"
          ),
          inner.getByRole("button").click(),
        ]);
        assertEquals([header, answer.status()], [by, status], row);
        await page.goto(home);
        const who = status === 200 ? "mallory" : "nobody";
        assertEquals(await page.title(), who, row);
      }
    } finally {
      await browser.close();
      await server.shutdown();
    }
  });
}
