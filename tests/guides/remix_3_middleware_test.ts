// The snippets of the guide to the session middleware of Remix 3. See the table in README.md.
import { assertEquals } from "@std/assert";
import {
  createCookie,
  createCookieSessionStorage,
  createMemorySessionStorage,
  Session,
  type SessionStorage,
} from "../../mod.ts";
import { withPackages } from "../engines/_packages.ts";
import {
  application,
  loadRouter,
  res,
  ROUTER,
  type RouterModule,
} from "./_remix_router.ts";
import { GONE, partsOf, type Visitor } from "./_visitor.ts";

/** The users, by name. */
const keepers = new Map([["grace", { id: 11, word: "lantern" }]]);

function recognise(name: unknown, word: unknown) {
  const keeper = keepers.get(String(name));
  return keeper?.word === word ? keeper : null;
}

await withPackages(
  "Remix 3's router, for the guide to its middleware",
  ROUTER,
  loadRouter,
  (router: RouterModule) => {
    /** One application: the guide's login uses the router of its first snippet. */
    function lighthouse(sessionStorage: SessionStorage): () => Visitor {
      const sessionCookie = createCookie("__session", {
        secrets: ["driftwood"],
        httpOnly: true,
        secure: true,
        sameSite: "lax",
      });
      return application(router, [sessionCookie, sessionStorage], (router) => {
        router.get("/", (context) => {
          context.session.set(
            "tides",
            Number(context.session.get("tides") ?? 0) + 1,
          );
          return new Response(`Tide ${context.session.get("tides")}`);
        });
        router.get("/light", (context) => {
          const session = context.get(Session);
          const { keeper = "none", tides = 0 } = session.data;
          return res.html(`Keeper ${keeper}, tides ${tides}`);
        });

        router.get("/gate", ({ session }) => {
          const refusal = session.get("refusal");
          return res.html(
            typeof refusal === "string" ? `<b>${refusal}</b>` : "Who is there?",
          );
        });
        router.post("/gate", ({ get, session }) => {
          const form = get(FormData);
          const name = form.get("name");
          const word = form.get("word");
          const keeper = recognise(name, word);
          if (!keeper) {
            session.flash("refusal", "Nobody of that name keeps this light");
            return res.redirect("/gate");
          }
          session.regenerateId();
          session.set("keeper", keeper.id);
          return res.redirect("/light");
        });
        router.post("/gate/out", ({ session }) => {
          session.destroy();
          return res.redirect("/");
        });
      });
    }

    Deno.test("Remix 3 middleware, Usage 1: a page counts a visitor's visits, without any code for cookies", async () => {
      const visitors = lighthouse(createCookieSessionStorage());
      const visitor = visitors();
      const { text, setCookies } = await visitor.open("/");
      assertEquals(text, "Tide 1");
      assertEquals(
        partsOf(setCookies[0])[1],
        ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"],
      );
      assertEquals((await visitor.open("/")).text, "Tide 2");
      const light = await visitor.open("/light");
      assertEquals(
        [light.text, light.setCookies],
        ["Keeper none, tides 2", []],
      );
      assertEquals((await visitors().open("/")).text, "Tide 1");
    });

    /** Signs in and out, and checks after each step whether a copy of the earlier cookie still works. */
    async function assertVisit(
      sessionStorage: SessionStorage,
      copies: { login: string; logout: string },
    ): Promise<void> {
      const visitors = lighthouse(sessionStorage);
      const lookWith = async (cookies: string) => {
        const other = visitors();
        other.plant("__session", cookies.slice("__session=".length));
        return (await other.open("/light")).text;
      };
      const visitor = visitors();
      await visitor.open("/");
      assertEquals((await visitor.open("/gate")).text, "Who is there?");
      const refused = await visitor.send("/gate", { name: "grace", word: "" });
      assertEquals(
        [refused.path, refused.text],
        ["/gate", "<b>Nobody of that name keeps this light</b>"],
      );
      assertEquals((await visitor.open("/gate")).text, "Who is there?");

      const before = visitor.cookies();
      assertEquals(await lookWith(before), "Keeper none, tides 1");
      const word = { name: "grace", word: "lantern" };
      const entered = await visitor.send("/gate", word);
      assertEquals(
        [entered.path, entered.text],
        ["/light", "Keeper 11, tides 1"],
      );
      assertEquals(await lookWith(before), copies.login);

      const inside = visitor.cookies();
      const left = await visitor.send("/gate/out");
      assertEquals(
        [left.path, left.text],
        ["/", "Tide 1"],
        "the next session begins",
      );
      assertEquals(
        partsOf(left.setCookies[0]),
        ["__session=", [GONE, "HttpOnly", "Path=/", "SameSite=Lax", "Secure"]],
      );
      assertEquals(
        (await visitor.open("/light")).text,
        "Keeper none, tides 1",
      );
      assertEquals(await lookWith(inside), copies.logout);
    }

    Deno.test("Remix 3 middleware, Login/Logout Flow 1: a wrong password shows an error once, a login keeps the count, and a logout resets it", async () => {
      // The session is in the cookie, so a copy works until it expires.
      await assertVisit(createCookieSessionStorage(), {
        login: "Keeper none, tides 1",
        logout: "Keeper 11, tides 1",
      });
    });

    Deno.test("Remix 3 middleware, Login/Logout Flow 1: with sessions on the server, a login revokes the old id, and a logout every copy", async () => {
      await assertVisit(createMemorySessionStorage(), {
        login: "Keeper none, tides 0",
        logout: "Keeper none, tides 0",
      });
    });
  },
);
