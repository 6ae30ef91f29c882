// The examples of Remix 3's documentation, with this package's imports, on its own router.
import { assertEquals, assertThrows } from "@std/assert";
import {
  createCookie,
  createCookieSessionStorage,
  Session,
} from "../../mod.ts";
import { session } from "../../middleware/remix.ts";
import { withPackages } from "../engines/_packages.ts";
import { cookieHeader } from "../core/_support.ts";

const PACKAGE = "npm:@remix-run/fetch-router@0.20.1";

await withPackages(
  "Remix 3's documentation",
  [PACKAGE],
  () => import("npm:@remix-run/fetch-router@0.20.1"),
  ({ createRouter }) => {
    Deno.test("session() runs the documented login and logout", async () => {
      const sessionCookie = createCookie("__session", {
        secrets: ["s3cr3t"],
        httpOnly: true,
        secure: true,
        sameSite: "lax",
      });
      const sessionStorage = createCookieSessionStorage();
      // deno-lint-ignore no-explicit-any -- the documentation uses JavaScript
      const router: any = createRouter({
        middleware: [session(sessionCookie, sessionStorage)],
      });
      type Context = { session: Session; get(key: typeof Session): Session };
      router.get("/login", ({ session }: Context) => {
        const error = session.get("error");
        return new Response(typeof error === "string" ? error : "login");
      });
      router.post("/login", ({ session, get }: Context & { url: URL }) => {
        assertEquals(get(Session), session);
        if (!session.has("tried")) {
          session.set("tried", true);
          session.flash("error", "That is not the word");
          return Response.redirect("http://localhost/login");
        }
        session.regenerateId();
        session.set("userId", 7);
        return Response.redirect("http://localhost/dashboard");
      });
      router.get(
        "/dashboard",
        ({ session }: Context) => new Response(String(session.get("userId"))),
      );
      router.post("/logout", ({ session }: Context) => {
        session.destroy();
        return Response.redirect("http://localhost/");
      });
      let cookie = "";
      const visit = async (path: string, method = "GET") => {
        const response: Response = await router.fetch(
          `http://localhost${path}`,
          { method, headers: { cookie } },
        );
        const set = response.headers.get("set-cookie");
        if (set !== null) cookie = cookieHeader(set);
        return await response.text();
      };
      assertEquals(await visit("/login"), "login");
      assertEquals(cookie, "");
      await visit("/login", "POST");
      assertEquals(await visit("/login"), "That is not the word");
      assertEquals(await visit("/login"), "login");
      await visit("/login", "POST");
      assertEquals(await visit("/dashboard"), "7");
      await visit("/logout", "POST");
      assertEquals(cookie, "__session=");
      assertEquals(await visit("/dashboard"), "undefined");
    });
  },
);

Deno.test("session() throws, when a cookie storage is used without secrets", () => {
  assertThrows(
    () => session(createCookie("__session"), createCookieSessionStorage()),
    TypeError,
    "a cookie storage requires secrets",
  );
  assertThrows(
    () => session(createCookieSessionStorage()),
    TypeError,
    "a cookie storage requires secrets",
  );
});
