// The snippets of the guide to sessions of Remix 0.x, on Express. See the table in README.md.
import { assertEquals } from "@std/assert";
import { redirect } from "react-router";
import { type LoaderArgs, session } from "../../middleware/express.ts";
import { withPackages } from "../engines/_packages.ts";
import {
  type Application,
  EXPRESS,
  loadExpress,
  type Route,
  withApplication,
} from "./_express.ts";
import type { Visitor } from "./_visitor.ts";

await withPackages(
  "Express, for the guide of Remix 0.x",
  EXPRESS,
  loadExpress,
  (express) => {
    const see = (
      routes: Record<string, Route>,
      visit: (visitor: Visitor) => Promise<void>,
      around: Omit<Application, "routes"> = {},
    ) =>
      withApplication(
        express,
        session({ secret: "zinc", resave: false, saveUninitialized: false }),
        { routes, ...around },
        visit,
      );

    Deno.test("Remix 0.x, Enabling sessions 1, 2: loaders and actions receive the session, and an empty session sets no cookie", async () => {
      const loader = ({ session }: LoaderArgs) => ({
        draft: session.get("draft"),
      });
      const action = ({ session }: LoaderArgs) => {
        session.set("draft", "Chapter one");
        return {};
      };
      const page = ({ draft }: { draft?: string }) => draft ?? "An empty page";
      await see({ "/": { loader, action, page } }, async (visitor) => {
        const first = await visitor.open("/");
        assertEquals([first.text, first.setCookies], ["An empty page", []]);
        assertEquals((await visitor.send("/")).setCookies.length, 1);
        assertEquals((await visitor.open("/")).text, "Chapter one");
      });
    });

    Deno.test("Remix 0.x, session.set() 1: a value can be read in later requests", async () => {
      const routes: Record<string, Route> = {
        "/": {
          action: ({ session }) => session.set("pen", "quill"),
          loader: ({ session }) => session.get("pen"),
          page: String,
        },
      };
      await see(routes, async (visitor) => {
        await visitor.send("/");
        assertEquals((await visitor.open("/")).text, "quill");
        assertEquals((await visitor.open("/")).text, "quill");
      });
    });

    Deno.test("Remix 0.x, session.get() 1: a second argument is the default, and a method's name is not a value", async () => {
      const routes: Record<string, Route> = {
        "/": {
          action: ({ session }) => session.set("pen", "quill"),
          loader({ session }) {
            const pen = session.get("pen", "pencil");
            return [pen, session.get("save")].join();
          },
          page: String,
        },
      };
      await see(routes, async (visitor) => {
        assertEquals((await visitor.open("/")).text, "pencil,");
        await visitor.send("/");
        assertEquals((await visitor.open("/")).text, "quill,");
      });
    });

    Deno.test("Remix 0.x, session.flash() 1, 2, 3: an action's message is shown once, on the page after the redirect", async () => {
      const drafts = new Map([["3", { title: "Essays" }]]);
      const archive = async (number = "") => {
        const draft = drafts.get(number);
        drafts.delete(number);
        return draft;
      };
      const routes: Record<string, Route> = {
        "/drafts/:number/archive": {
          async action({ params, session }) {
            const draft = await archive(params["number"]);
            session.flash("announcement", `${draft?.title} is in the archive`);
            return redirect("/desk");
          },
        },
        "/desk": { page: () => "The desk" },
        "/": { page: () => "The hall" },
      };
      const global = ({ session }: LoaderArgs) => {
        const announcement = session.get("announcement") || null;
        return { announcement };
      };
      const app = (
        { announcement }: { announcement: string | null },
        page: string,
      ) => `${announcement ? `<b>${announcement}</b>` : ""}${page}`;
      await see(routes, async (visitor) => {
        assertEquals((await visitor.open("/")).text, "The hall");
        const { path, text } = await visitor.send("/drafts/3/archive");
        assertEquals(
          [path, text],
          ["/desk", "<b>Essays is in the archive</b>The desk"],
        );
        assertEquals((await visitor.open("/desk")).text, "The desk");
        assertEquals((await visitor.open("/")).text, "The hall");
      }, { global, app });
    });
  },
);
