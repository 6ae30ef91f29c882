/** remix-auth 4, with its form strategy. */
import type { Browser, Flow, Kit } from "./_flow.ts";
import type { Route } from "./_site.ts";

/** The packages. */
export interface Auth4 {
  auth: typeof import("npm:remix-auth@4.2.0");
  form: typeof import("npm:remix-auth-form@3.0.0");
}

interface User {
  id: number;
  name: string;
}

/** The application of the guide of remix-auth: a login, a page for users, a logout. */
function visit({ auth, form }: Auth4, kit: Kit): Browser {
  const { getSession, commitSession, destroySession } = kit.storage();
  const authenticator = new auth.Authenticator<User>();
  authenticator.use(
    new form.FormStrategy<User>(async ({ form }) => {
      if (form.get("password") !== "open") throw new Error("Wrong password");
      return { id: 7, name: String(form.get("name")) };
    }),
    "user-pass",
  );
  const sessionOf = (request: Request) =>
    getSession(request.headers.get("cookie"));
  const login: Route = {
    async loader({ request }) {
      const session = await sessionOf(request);
      if (session.get("user")) return redirect("/");
      const text = session.get("error") ?? "login";
      return new Response(text, {
        headers: { "Set-Cookie": await commitSession(session) },
      });
    },
    async action({ request }) {
      const session = await sessionOf(request);
      try {
        const user = await authenticator.authenticate("user-pass", request);
        session.set("user", user);
        return redirect("/", await commitSession(session));
      } catch (error) {
        session.flash("error", (error as Error).message);
        return redirect("/login", await commitSession(session));
      }
    },
  };
  const home: Route = {
    async loader({ request }) {
      const session = await sessionOf(request);
      const user = session.get("user");
      if (!user) throw redirect("/login");
      return Response.json(user);
    },
  };
  const logout: Route = {
    async action({ request }) {
      const session = await sessionOf(request);
      return redirect("/login", await destroySession(session));
    },
  };
  return kit.serve({
    routes: { "/": home, "/login": login, "/logout": logout },
  })();
}

function redirect(Location: string, cookie?: string): Response {
  const headers = new Headers({ Location });
  if (cookie !== undefined) headers.set("Set-Cookie", cookie);
  return new Response(null, { status: 302, headers });
}

export function auth4Flows(packages: Auth4): Flow[] {
  return [
    {
      name: "remix-auth 4: a login holds",
      sees: [
        "200 /login login",
        '200 / {"id":7,"name":"ann"}',
        '200 / {"id":7,"name":"ann"}',
      ],
      async run(kit) {
        const ann = visit(packages, kit);
        return [
          await ann.open("/"),
          await ann.send("/login", { name: "ann", password: "open" }),
          await ann.open("/login"),
        ];
      },
    },
    {
      name: "remix-auth 4: an error is shown once",
      sees: ["200 /login Wrong password", "200 /login login"],
      async run(kit) {
        const ann = visit(packages, kit);
        return [
          await ann.send("/login", { name: "ann", password: "?" }),
          await ann.open("/login"),
        ];
      },
    },
    {
      name: "remix-auth 4: a login after an error holds",
      sees: ["200 /login Wrong password", '200 / {"id":7,"name":"ann"}'],
      async run(kit) {
        const ann = visit(packages, kit);
        return [
          await ann.send("/login", { name: "ann", password: "?" }),
          await ann.send("/login", { name: "ann", password: "open" }),
        ];
      },
    },
    {
      name: "remix-auth 4: a logout ends the login and the cookie",
      sees: ["200 /login login", "200 /login login"],
      async run(kit) {
        const ann = visit(packages, kit);
        await ann.send("/login", { name: "ann", password: "open" });
        return [await ann.send("/logout"), await ann.open("/")];
      },
    },
  ];
}
