// The library in workerd, Cloudflare's runtime, bundled like an application's Worker.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bundle, bundles } from "../../tools/bundle.ts";
import { cookieHeader } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { withPackages } from "./_packages.ts";
import { PACKAGES, startWorkerd } from "./_workerd.ts";

const start = async () => {
  await bundle();
  const url = new URL("kv_worker.js", bundles);
  return await startWorkerd({ script: await Deno.readTextFile(url) });
};

await withPackages(
  "Workers KV in a Worker (workerd)",
  PACKAGES,
  start,
  (worker) => {
    Deno.test("a Worker keeps sessions in KV: login, a flash for the next page, logout", async () => {
      const stranger = await worker.fetch("/");
      assertEquals(stranger.headers.get("set-cookie"), null);
      assertEquals(await stranger.json(), { userId: null, notice: null });
      assertEquals(await worker.keys(), []);

      const login = await worker.fetch("/login");
      const setCookie = login.headers.get("set-cookie") ?? "";
      assertMatch(
        setCookie,
        /^__session=[^;]+; HttpOnly; SameSite=Strict; Path=\//,
      );
      const cookie = cookieHeader(setCookie);
      const [key, ...others] = await worker.keys();
      assertEquals(others, []);
      assertMatch(key?.name ?? "", /^session:[\w-]{43}$/);
      assert((key?.expiration ?? 0) > Date.now() / 1000 + 13 * 24 * 3600);

      for (const notice of ["Welcome", null]) {
        const page = await worker.fetch("/", cookie);
        assertEquals(
          await page.json(),
          { userId: "u1", notice },
          rowName(notice),
        );
      }

      const logout = await worker.fetch("/logout", cookie);
      assertMatch(logout.headers.get("set-cookie") ?? "", /^__session=;.*1970/);
      await logout.body?.cancel();
      assertEquals(await worker.keys(), []);
      const after = await worker.fetch("/", cookie);
      assertEquals(await after.json(), { userId: null, notice: null });
    });

    Deno.test("a Worker starts a new session, when a cookie was forged", async () => {
      for (
        const cookie of [
          "__session=x",
          "__session=%",
          `__session=${"a".repeat(5000)}`,
        ]
      ) {
        const response = await worker.fetch("/", cookie);
        assertEquals(response.status, 200, rowName(cookie));
        assertEquals(
          await response.json(),
          { userId: null, notice: null },
          rowName(cookie),
        );
      }
    });
  },
);
