import {
  createContext,
  createRequestHandler,
  data,
  redirect,
} from "react-router";
import type { Session } from "../../../core/session.ts";
import {
  type RouterContextLike,
  session,
} from "../../../middleware/react_router.ts";
import { App, type Data, type Reply } from "./_app.ts";
import {
  type Driver,
  serveFetch,
  upgradeWithDeno,
  withoutAbort,
} from "./_driver.ts";
import { controlled, OWN_HEADERS, pathOf, toResponse } from "./_fetch.ts";

interface Args {
  request: Request;
  context: { get<T>(key: RouterContextLike<T>): T };
}

/** React Router's request handler with a resource route, on Deno. */
export const reactRouter: Driver = {
  name: "React Router",
  answers: ["page", "data request", "resource route"].flatMap((request) =>
    ["redirect()", "thrown redirect()", "thrown data()"].map((answer) =>
      `${answer}, ${request}`
    )
  ),
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "cleared",
    twice: 0,
    nothing: "error",
    upgrade: "sent",
  },
  serve() {
    const app = new App();
    const mine = createContext<Session<Data>>();
    const other = createContext<Session<Data>>();
    const visit = async ({ request, context }: Args) => {
      const path = pathOf(request).replace(/\.data$/, "");
      const reply = await app.visit(path, {
        session: context.get(mine),
        other: context.get(other),
      });
      if (reply.kind === "shared") return share(app, reply);
      if (reply.kind === "http error") {
        throw data("refused", { status: reply.status });
      }
      return await toResponse(app, reply, request, upgradeWithDeno);
    };
    const middleware = [
      session(app.storage, { context: mine }),
      session(app.other, { context: other, ...app.strict }),
      async ({ request }: Args, next: () => Promise<unknown>) => {
        await next();
        if (pathOf(request) === "/twice") await next();
      },
    ];
    const failed = (error: unknown) => app.failed(error);
    const route = { middleware, loader: visit, action: visit };
    const resource = createRequestHandler(serverBuild(route, failed));
    const page = createRequestHandler(
      serverBuild({ ...route, default: () => null }, failed),
    );
    const handler = (request: Request) => {
      const [, , how, name = ""] = pathOf(request).split("/");
      if (how !== "shared") return resource(withoutAbort(request));
      if (name.endsWith("page")) return page(request);
      return name.endsWith("request")
        ? page(new Request(`${request.url}.data`, request))
        : resource(request);
    };
    return Promise.resolve(serveFetch(
      app,
      async (request) => await controlled(app, request) ?? handler(request),
    ));
  },
};

/** Returns or throws what a route file made once. */
function share(
  app: App,
  { name }: Extract<Reply, { kind: "shared" }>,
): Response {
  const thrown = name.startsWith("thrown ");
  const answer = app.share(
    name,
    () =>
      name.includes("redirect()")
        ? redirect("http://localhost/home", { headers: OWN_HEADERS })
        : data("refused", { status: 401, headers: OWN_HEADERS }),
  );
  if (thrown) throw answer;
  return answer as Response;
}

/** The output of React Router's compiler for an application with one route for every path. */
export function serverBuild(
  route: object,
  handleError: (error: unknown) => void,
): Parameters<typeof createRequestHandler>[0] {
  const build = {
    entry: {
      module: {
        default: (_: Request, status: number, headers: Headers) =>
          new Response("page", { status, headers }),
        handleError,
      },
    },
    routes: { all: { id: "all", path: "*", module: route } },
    assets: {
      entry: { imports: [], module: "" },
      routes: {},
      url: "",
      version: "1",
    },
    publicPath: "/",
    assetsBuildDirectory: "",
    future: {},
    ssr: true,
    isSpaMode: false,
    prerender: [],
    routeDiscovery: { mode: "initial", manifestPath: "/__manifest" },
  };
  return build as unknown as Parameters<typeof createRequestHandler>[0];
}
