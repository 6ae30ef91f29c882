/** remix-utils: its session middleware, and its cookies. */
import { equal } from "@std/assert";
import type { Session, SessionData } from "react-router";
import type { Browser, Flow, Kit } from "./_flow.ts";
import type { Args, Route } from "./_site.ts";

/** The entries of remix-utils that use sessions and cookies. */
export interface Utils {
  session: typeof import("npm:remix-utils@9.3.1/middleware/session");
  rolling: typeof import("npm:remix-utils@9.3.1/middleware/rolling-cookie");
  typed: typeof import("npm:remix-utils@9.3.1/typed-cookie");
}

type ShouldCommit = (before: SessionData, after: SessionData) => boolean;

const changed: ShouldCommit = (before, after) => !equal(before, after);

/** Serves routes that receive the session of the middleware. */
function visit(
  { session }: Utils,
  kit: Kit,
  routes: Record<string, (session: Session, request: Request) => unknown>,
  shouldCommit?: ShouldCommit,
): Browser {
  const [middleware, getSession] = session.createSessionMiddleware<SessionData>(
    kit.storage(),
    shouldCommit,
  );
  const visit = (page: (session: Session, request: Request) => unknown) =>
  (
    { request, context }: Args,
  ) => page(getSession(context), request);
  return kit.serve({
    middleware: [middleware],
    routes: Object.fromEntries(
      Object.entries(routes).map(([path, page]): [string, Route] => [
        path,
        { loader: visit(page), action: visit(page) },
      ]),
    ),
  })();
}

const redirect = (Location: string) =>
  new Response(null, { status: 302, headers: { Location } });

export function utilsFlows(utils: Utils): Flow[] {
  return [
    {
      name: "remix-utils: the session middleware commits each request",
      sees: ["200 / 1", "200 / 2", "200 / 3"],
      async run(kit) {
        const ann = visit(utils, kit, {
          "/": (session) => {
            session.set("count", (session.get("count") ?? 0) + 1);
            return new Response(String(session.get("count")));
          },
        });
        return [await ann.open("/"), await ann.open("/"), await ann.open("/")];
      },
    },
    {
      name: "remix-utils: only a changed session is committed, if asked",
      sees: [[], "200 /set set", ["__session"], "200 / ann", "200 / ann"],
      async run(kit) {
        const ann = visit(utils, kit, {
          "/": (session) => new Response(session.get("user")),
          "/set": (session) => {
            session.set("user", "ann");
            return new Response("set");
          },
        }, changed);
        await ann.open("/");
        return [
          ann.cookies(),
          await ann.open("/set"),
          ann.cookies(),
          await ann.open("/"),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-utils: a flash alone is a change",
      sees: ["200 / Saved"],
      async run(kit) {
        const ann = visit(utils, kit, {
          "/": (session) => new Response(session.get("notice") ?? "nothing"),
          "/save": (session) => {
            session.flash("notice", "Saved");
            return redirect("/");
          },
        }, changed);
        return [await ann.send("/save")];
      },
    },
    {
      name:
        "remix-utils: a flash that was read is a change, so it is shown once",
      sees: ["200 / Saved", "200 / nothing", "200 / nothing"],
      async run(kit) {
        const ann = visit(utils, kit, {
          "/": (session) => new Response(session.get("notice") ?? "nothing"),
          "/save": (session) => {
            session.set("user", "ann");
            session.flash("notice", "Saved");
            return redirect("/");
          },
        }, changed);
        return [
          await ann.send("/save"),
          await ann.open("/"),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-utils: the data before and after has unread flashes",
      sees: [
        [{}, { user: "ann", __flash_notice__: { text: "Saved" } }],
        [
          { user: "ann", __flash_notice__: { text: "Saved" } },
          { user: "ann", __flash_notice__: { text: "Saved" } },
        ],
        [{ user: "ann", __flash_notice__: { text: "Saved" } }, { user: "ann" }],
      ],
      async run(kit) {
        const compared: unknown[] = [];
        const ann = visit(utils, kit, {
          "/": (session) => new Response(session.get("notice")?.text),
          "/idle": () => new Response(),
          "/save": (session) => {
            session.set("user", "ann");
            session.flash("notice", { text: "Saved" });
            return new Response();
          },
        }, (before, after) => {
          compared.push([before, after]);
          return true;
        });
        await ann.open("/save");
        await ann.open("/idle");
        await ann.open("/");
        return compared;
      },
    },
    {
      name: "remix-utils: what was unset is a change",
      sees: ["200 / gone"],
      async run(kit) {
        const ann = visit(utils, kit, {
          "/": (session) => new Response(session.get("user") ?? "gone"),
          "/set": (session) => {
            session.set("user", "ann");
            session.set("theme", "dark");
            return new Response();
          },
          "/unset": (session) => {
            session.unset("user");
            return redirect("/");
          },
        }, changed);
        await ann.open("/set");
        return [await ann.open("/unset")];
      },
    },
    {
      name: "remix-utils: an object that was changed in place is a change",
      sees: ['200 / ["tea"]', '200 / ["tea","cups"]'],
      async run(kit) {
        const ann = visit(utils, kit, {
          "/": (session) => Response.json(session.get("cart")),
          "/add": (session, request) => {
            const item = new URL(request.url).searchParams.get("item");
            if (!session.has("cart")) session.set("cart", []);
            session.get("cart").push(item);
            return redirect("/");
          },
        }, changed);
        return [
          await ann.open("/add?item=tea"),
          await ann.open("/add?item=cups"),
        ];
      },
    },
    {
      name: "remix-utils: one field decides whether to commit",
      sees: ["200 / nobody", "200 / ann"],
      async run(kit) {
        const ann = visit(utils, kit, {
          "/": (session) => new Response(session.get("user") ?? "nobody"),
          "/theme": (session) => {
            session.set("theme", "dark");
            return redirect("/");
          },
          "/user": (session) => {
            session.set("user", "ann");
            return redirect("/");
          },
        }, (before, after) => before["user"] !== after["user"]);
        return [await ann.open("/theme"), await ann.open("/user")];
      },
    },
    {
      name: "remix-utils: a thrown redirect commits",
      sees: ["200 / Please sign in", "200 / nothing"],
      async run(kit) {
        const ann = visit(utils, kit, {
          "/": (session) => new Response(session.get("notice") ?? "nothing"),
          "/account": (session) => {
            session.flash("notice", "Please sign in");
            throw redirect("/");
          },
        });
        return [await ann.open("/account"), await ann.open("/")];
      },
    },
    {
      name: "remix-utils: a function chooses the storage of each request",
      sees: ["200 /?shop=a tea", "200 /?shop=b nothing", ["a"]],
      async run(kit) {
        const storages = { a: kit.storage("a"), b: kit.storage("b") };
        const [middleware, getSession] = utils.session.createSessionMiddleware<
          SessionData
        >(
          ({ url }) => storages[new URL(url).searchParams.get("shop") as "a"],
          changed,
        );
        const ann = kit.serve({
          middleware: [middleware],
          routes: {
            "/": {
              loader: ({ context }) =>
                new Response(getSession(context).get("cart") ?? "nothing"),
              action: ({ context }) => {
                getSession(context).set("cart", "tea");
                return redirect("/?shop=a");
              },
            },
          },
        })();
        return [
          await ann.send("/?shop=a"),
          await ann.open("/?shop=b"),
          ann.cookies(),
        ];
      },
    },
    {
      name: "remix-utils: a rolling cookie is sent again, and stays readable",
      sees: ["200 /set", '200 / "7"', '200 / "7"'],
      async run(kit) {
        const cookie = kit.createCookie("visit", {
          secrets: ["s3cr3t"],
          maxAge: 60,
        });
        const [middleware] = utils.rolling.createRollingCookieMiddleware({
          cookie,
        });
        const ann = kit.serve({
          middleware: [middleware],
          routes: {
            "/": {
              loader: async ({ request }) =>
                Response.json(
                  await cookie.parse(request.headers.get("Cookie")),
                ),
            },
            "/set": {
              loader: async () =>
                new Response(null, {
                  headers: { "Set-Cookie": await cookie.serialize("7") },
                }),
            },
          },
        })();
        return [
          await ann.open("/set"),
          await ann.open("/"),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-utils: the session's own cookie rolls",
      sees: ["200 /set", "200 / ann", "200 / ann"],
      async run(kit) {
        const cookie = kit.createCookie("sid", {
          secrets: ["s3cr3t"],
          maxAge: 60,
        });
        const { getSession, commitSession } = kit.storage(cookie);
        const [middleware] = utils.rolling.createRollingCookieMiddleware({
          cookie,
        });
        const ann = kit.serve({
          middleware: [middleware],
          routes: {
            "/": {
              async loader({ request }) {
                const header = request.headers.get("Cookie");
                return new Response((await getSession(header)).get("user"));
              },
            },
            "/set": {
              async loader() {
                const session = await getSession();
                session.set("user", "ann");
                return new Response(null, {
                  headers: { "Set-Cookie": await commitSession(session) },
                });
              },
            },
          },
        })();
        return [
          await ann.open("/set"),
          await ann.open("/"),
          await ann.open("/"),
        ];
      },
    },
    {
      name:
        "remix-utils: a typed cookie is checked when it is written and read",
      sees: ["200 /set", '200 / {"page":2}', "200 /wrong Validation error"],
      async run(kit) {
        const cookie = utils.typed.createTypedCookie({
          cookie: kit.createCookie("place", { secrets: ["s3cr3t"] }),
          schema: schemaOf((value) => typeof value.page === "number"),
        });
        const write = async (value: unknown) =>
          new Response(null, {
            headers: { "Set-Cookie": await cookie.serialize(value) },
          });
        const ann = kit.serve({
          routes: {
            "/": {
              loader: async ({ request }) =>
                Response.json(
                  await cookie.parse(request.headers.get("Cookie")),
                ),
            },
            "/set": { loader: () => write({ page: 2 }) },
            "/wrong": {
              loader: () =>
                write({ page: "2" }).catch(({ message }) =>
                  new Response(message)
                ),
            },
          },
        })();
        return [
          await ann.open("/set"),
          await ann.open("/"),
          await ann.open("/wrong"),
        ];
      },
    },
  ];
}

/** A Standard Schema. */
function schemaOf(
  // deno-lint-ignore no-explicit-any -- a schema checks what it knows nothing about
  accepts: (value: any) => boolean,
) {
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        accepts(value) ? { value } : { issues: [{ message: "wrong" }] },
    },
  } as const;
}
