// The snippets of the guide to the session middleware of Remix 3. See the table in README.md.
import { assertEquals, assertMatch } from "@std/assert";
import {
  createCookie,
  createCookieSessionStorage,
  createMemorySessionStorage,
} from "../../mod.ts";
import { withPackages } from "../engines/_packages.ts";
import {
  application,
  loadRouter,
  ROUTER,
  type RouterModule,
  sessionOf,
} from "./_remix_router.ts";

await withPackages(
  "Remix 3's router, for the guide to its middleware",
  ROUTER,
  loadRouter,
  (router: RouterModule) => {
    Deno.test("Remix 3 middleware, Usage 1: a page counts a visitor's visits, without a word about cookies", async () => {
      const sessionCookie = createCookie("__session", {
        secrets: ["driftwood"],
        httpOnly: true,
        secure: true,
        sameSite: "lax",
      });
      const sessionStorage = createCookieSessionStorage();
      const visitors = application(
        router,
        [sessionCookie, sessionStorage],
        (router) => {
          router.get("/", (context) => {
            context.session.set(
              "tides",
              Number(context.session.get("tides") ?? 0) + 1,
            );
            return new Response(`Tide ${context.session.get("tides")}`);
          });
          router.get(
            "/seen",
            (context) =>
              new Response(`Tides: ${sessionOf(context).get("tides")}`),
          );
        },
      );
      const visitor = visitors();
      const { text, setCookies } = await visitor.open("/");
      assertEquals(text, "Tide 1");
      assertEquals(
        setCookies[0]?.split("; ").slice(1).sort(),
        ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"],
      );
      assertEquals((await visitor.open("/")).text, "Tide 2");
      const seen = await visitor.open("/seen");
      assertEquals([seen.text, seen.setCookies], ["Tides: 2", []]);
      assertEquals((await visitors().open("/")).text, "Tide 1");
    });

    Deno.test("Remix 3 middleware, Login/Logout Flow 1: a wrong password is told once, a login has a new id, a logout ends it", async () => {
      const sessionCookie = createCookie("__session", {
        secrets: ["driftwood"],
      });
      const keepers = new Map([["grace", { id: 11, word: "lantern" }]]);
      const go = (Location: string) =>
        new Response(null, { status: 302, headers: { Location } });
      const visitors = application(
        router,
        [sessionCookie, createMemorySessionStorage()],
        (router) => {
          router.get("/gate", ({ session }) => {
            const refusal = session.get("refusal");
            return new Response(
              typeof refusal === "string" ? refusal : "Who goes there?",
            );
          });
          router.post("/gate", ({ get, session }) => {
            const form = get(FormData) as FormData;
            const keeper = keepers.get(String(form.get("name")));
            if (keeper?.word !== form.get("word")) {
              session.flash("refusal", "Nobody of that name keeps this light");
              return go("/gate");
            }
            session.regenerateId();
            session.set("keeper", keeper?.id);
            return go("/light");
          });
          router.post("/gate/out", ({ session }) => {
            session.destroy();
            return go("/light");
          });
          router.get(
            "/light",
            ({ session }) =>
              new Response(`Keeper: ${session.get("keeper") ?? "none"}`),
          );
        },
      );
      const visitor = visitors();
      assertEquals((await visitor.open("/gate")).text, "Who goes there?");
      const refused = await visitor.send("/gate", { name: "grace", word: "" });
      assertEquals(
        [refused.path, refused.text],
        ["/gate", "Nobody of that name keeps this light"],
      );
      assertEquals((await visitor.open("/gate")).text, "Who goes there?");

      const before = visitor.cookies();
      const entered = await visitor.send("/gate", {
        name: "grace",
        word: "lantern",
      });
      assertEquals([entered.path, entered.text], ["/light", "Keeper: 11"]);
      const after = visitor.cookies();
      for (const [cookie, text] of [[before, "none"], [after, "11"]] as const) {
        const other = visitors();
        other.plant("__session", cookie.slice("__session=".length));
        assertEquals((await other.open("/light")).text, `Keeper: ${text}`);
      }

      const left = await visitor.send("/gate/out");
      assertEquals([left.path, left.text], ["/light", "Keeper: none"]);
      assertMatch(left.setCookies[0] ?? "", /^__session=;.*HttpOnly.*1970/);
      const copy = visitors();
      copy.plant("__session", after.slice("__session=".length));
      assertEquals((await copy.open("/light")).text, "Keeper: none");
    });
  },
);
