/** CSRF tokens in Express, whose requests are not `Request`s. */
import { assertEquals } from "@std/assert";
import { csrfToken, verifyCsrfToken } from "../../core/csrf.ts";
import { session } from "../../middleware/express.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { rowName } from "../_row.ts";
import { servingApp, withExpress } from "./_serve.ts";

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

await withExpress((express, name) => {
  Deno.test(`${name}: verifyCsrfToken() checks a parsed form, or a header`, async () => {
    await servingApp(express)((app) => {
      app.use(session(createMemorySessionStorage()));
      app.use(express.urlencoded({ extended: false }));
      app.get("/", (req: Any, res: Any) => res.send(csrfToken(req.session)));
      app.post("/", async (req: Any, res: Any) => {
        const given = req.get("X-CSRF-Token") ?? req.body?.csrfToken;
        const right = await verifyCsrfToken(req.session, given);
        res.sendStatus(right ? 200 : 403);
      });
    }, async (client) => {
      const { text: token, cookie } = await client.request("/");
      const rows: [body: string, header: string, status: number][] = [
        [token, "", 200],
        ["", token, 200],
        ["forged", "", 403],
        ["", "", 403],
      ];
      for (const [csrf, header, status] of rows) {
        const answer = await client.request("/", "", {
          method: "POST",
          headers: { cookie, ...header && { "X-CSRF-Token": header } },
          body: new URLSearchParams({ csrfToken: csrf }),
        });
        assertEquals(answer.status, status, rowName(csrf, header));
      }
    });
  });
});
