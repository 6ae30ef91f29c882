// The snippets of the guide to sessions of Remix 0.x, on Express. See the table in README.md.
import { assertEquals } from "@std/assert";
import { type LoaderArgs, session } from "../../middleware/express.ts";
import { withPackages } from "../engines/_packages.ts";
import {
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
    ) =>
      withApplication(
        express,
        session({ secret: "zinc", resave: false, saveUninitialized: false }),
        routes,
        visit,
      );

    Deno.test("Remix 0.x, Enabling sessions 1, 2: loaders and actions are handed the session, and a visitor who leaves it empty gets no cookie", async () => {
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

    Deno.test("Remix 0.x, session.set() 1: a value is there in the requests that follow", async () => {
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

    Deno.test("Remix 0.x, session.get() 1: a second argument is no default, and a method's name is no value", async () => {
      const routes: Record<string, Route> = {
        "/": {
          action: ({ session }) => session.set("pen", "quill"),
          loader({ session }) {
            const get = session.get.bind(session) as (
              ...args: unknown[]
            ) => unknown;
            return [get("pen", "pencil"), get("save")].join();
          },
          page: String,
        },
      };
      await see(routes, async (visitor) => {
        assertEquals((await visitor.open("/")).text, ",");
        await visitor.send("/");
        assertEquals((await visitor.open("/")).text, "quill,");
      });
    });

    Deno.test("Remix 0.x, session.flash() 1, 2, 3: an action's message is on the page that it leads to, and on no other", async () => {
      const shelf = new Map([["3", { title: "Essays" }]]);
      const routes: Record<string, Route> = {
        "/drafts/:number/archive": {
          async action({ params, session }) {
            const draft = shelf.get(params["number"] ?? "");
            session.flash("announcement", `${draft?.title} is in the archive`);
            return new Response(null, {
              status: 302,
              headers: { Location: "/desk" },
            });
          },
        },
        "/desk": {
          loader: ({ session }) => ({
            announcement: session.get("announcement") || null,
          }),
          page: ({ announcement }) =>
            `<body>${announcement ? `<b>${announcement}</b>` : ""}</body>`,
        },
      };
      await see(routes, async (visitor) => {
        const { path, text } = await visitor.send("/drafts/3/archive");
        assertEquals(
          [path, text],
          ["/desk", "<body><b>Essays is in the archive</b></body>"],
        );
        assertEquals((await visitor.open("/desk")).text, "<body></body>");
      });
    });
  },
);
