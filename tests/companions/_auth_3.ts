/** remix-auth 3, which keeps the user in the session itself, with its form strategy. */
import type { Browser, Flow, Kit } from "./_flow.ts";
import type { Route } from "./_site.ts";

/** The packages. */
export interface Auth3 {
  auth: typeof import("npm:remix-auth@3.7.0");
  /** Its types are those of remix-auth 3, which they do not find beside version 4. */
  form: {
    FormStrategy: new (
      verify: (options: { form: FormData }) => Promise<User>,
    ) => unknown;
  };
}

interface User {
  id: number;
  name: string;
}

type Options = ConstructorParameters<
  Auth3["auth"]["Authenticator"]
>[1];

/** The application of the guide of remix-auth 3. */
function visit(
  { auth, form }: Auth3,
  kit: Kit,
  options?: Options,
): Browser {
  const storage = kit.storage();
  const { getSession, commitSession } = storage;
  const authenticator = new auth.Authenticator<User>(storage as never, options);
  authenticator.use(
    new form.FormStrategy(async ({ form }) => {
      if (form.get("password") !== "open") throw new Error("Wrong password");
      return { id: 7, name: String(form.get("name")) };
    }) as never,
    "form",
  );
  const sessionOf = (request: Request) =>
    getSession(request.headers.get("cookie"));
  const login: Route = {
    async loader({ request }) {
      await authenticator.isAuthenticated(request, { successRedirect: "/" });
      const session = await sessionOf(request);
      const error = session.get(authenticator.sessionErrorKey);
      return new Response(error?.message ?? "login", {
        headers: { "Set-Cookie": await commitSession(session) },
      });
    },
    action: ({ request }) =>
      authenticator.authenticate("form", request, {
        successRedirect: "/",
        failureRedirect: "/login",
      }),
  };
  const home: Route = {
    async loader({ request }) {
      const user = await authenticator.isAuthenticated(request, {
        failureRedirect: "/login",
      });
      const session = await sessionOf(request);
      const again = await authenticator.isAuthenticated(session as never);
      return Response.json([
        user,
        again?.name,
        session.get(authenticator.sessionStrategyKey),
      ]);
    },
  };
  const logout: Route = {
    action: ({ request }) =>
      authenticator.logout(request, { redirectTo: "/login" }),
  };
  const api: Route = {
    async action({ request }) {
      const user = await authenticator.authenticate("form", request);
      const session = await sessionOf(request);
      session.set(authenticator.sessionKey, user);
      return new Response("in", {
        headers: { "Set-Cookie": await commitSession(session) },
      });
    },
  };
  return kit.serve({
    routes: { "/": home, "/login": login, "/logout": logout, "/api": api },
  })();
}

const ANN = { name: "ann", password: "open" };

export function auth3Flows(packages: Auth3): Flow[] {
  return [
    {
      name: "remix-auth 3: a login holds",
      sees: [
        "200 /login login",
        '200 / [{"id":7,"name":"ann"},"ann","form"]',
        '200 / [{"id":7,"name":"ann"},"ann","form"]',
      ],
      async run(kit) {
        const ann = visit(packages, kit);
        return [
          await ann.open("/"),
          await ann.send("/login", ANN),
          await ann.open("/login"),
        ];
      },
    },
    {
      name: "remix-auth 3: an error is shown once",
      sees: ["200 /login Wrong password", "200 /login login"],
      async run(kit) {
        const ann = visit(packages, kit);
        return [
          await ann.send("/login", { ...ANN, password: "?" }),
          await ann.open("/login"),
        ];
      },
    },
    {
      name: "remix-auth 3: a login after an error holds",
      sees: [
        "200 /login Wrong password",
        '200 / [{"id":7,"name":"ann"},"ann","form"]',
      ],
      async run(kit) {
        const ann = visit(packages, kit);
        return [
          await ann.send("/login", { ...ANN, password: "?" }),
          await ann.send("/login", ANN),
        ];
      },
    },
    {
      name: "remix-auth 3: a logout ends the login and the cookie",
      sees: [["__session"], "200 /login login", "200 /login login"],
      async run(kit) {
        const ann = visit(packages, kit);
        await ann.send("/login", ANN);
        return [
          ann.cookies(),
          await ann.send("/logout"),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-auth 3: an application that commits the user itself",
      sees: [
        '401 /api {"message":"Wrong password"}',
        "200 /api in",
        '200 / [{"id":7,"name":"ann"},"ann",null]',
      ],
      async run(kit) {
        const ann = visit(packages, kit);
        return [
          await ann.send("/api", { ...ANN, password: "?" }),
          await ann.send("/api", ANN),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-auth 3: its keys can be chosen",
      sees: [
        "200 /login Wrong password",
        '200 / [{"id":7,"name":"ann"},"ann","form"]',
      ],
      async run(kit) {
        const ann = visit(packages, kit, {
          sessionKey: "account",
          sessionErrorKey: "problem",
          sessionStrategyKey: "way",
        });
        return [
          await ann.send("/login", { ...ANN, password: "?" }),
          await ann.send("/login", ANN),
        ];
      },
    },
  ];
}
