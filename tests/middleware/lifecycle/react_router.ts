import { createContext, createRequestHandler } from "react-router";
import type { Session } from "../../../core/session.ts";
import {
  type RouterContextLike,
  session,
} from "../../../middleware/react_router.ts";
import { App, type Data } from "./_app.ts";
import {
  type Driver,
  serveFetch,
  upgradeWithDeno,
  withoutAbort,
} from "./_driver.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";

interface Args {
  request: Request;
  context: { get<T>(key: RouterContextLike<T>): T };
}

/** React Router's request handler with a resource route, on Deno. */
export const reactRouter: Driver = {
  name: "React Router",
  traits: {
    thrownResponse: "answer",
    twice: 0,
    nothing: "error",
    upgrade: "sent",
  },
  serve() {
    const app = new App();
    const mine = createContext<Session<Data>>();
    const other = createContext<Session<Data>>();
    const visit = async ({ request, context }: Args) =>
      toResponse(
        await app.visit(pathOf(request), {
          session: context.get(mine),
          other: context.get(other),
        }),
        request,
        upgradeWithDeno,
      );
    const middleware = [
      session(app.storage, { context: mine }),
      session(app.other, { context: other }),
      async ({ request }: Args, next: () => Promise<unknown>) => {
        await next();
        if (pathOf(request) === "/twice") await next();
      },
    ];
    const handler = createRequestHandler(
      serverBuild(
        { middleware, loader: visit, action: visit },
        (error) => app.failed(error),
      ),
    );
    return Promise.resolve(serveFetch(
      app,
      async (request) =>
        await controlled(app, request) ?? handler(withoutAbort(request)),
    ));
  },
};

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
