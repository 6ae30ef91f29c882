/**
 * Serves routes with the request handler of React Router or Remix.
 *
 * @module
 */
import { Visitor } from "../guides/_visitor.ts";
import { type Browser, lineOf } from "./_flow.ts";

/** The arguments of loaders and actions. */
export interface Args {
  readonly request: Request;
  readonly context: never;
}

/** A resource route. */
export interface Route {
  loader?(args: Args): unknown;
  action?(args: Args): unknown;
}

/** An application: its routes by path, and the middleware of all of them. */
export interface Site {
  readonly middleware?: readonly unknown[];
  readonly routes: Readonly<Record<string, Route>>;
}

/** `createRequestHandler` of React Router or Remix. */
export type CreateRequestHandler = (
  build: never,
  mode?: string,
) => (request: Request) => Promise<Response>;

/** Serves a site and returns a function that creates visitors. */
export function serve(
  createRequestHandler: CreateRequestHandler,
  site: Site,
): () => Browser {
  const errors: unknown[] = [];
  const build = buildOf(site, (error) => errors.push(error));
  const handler = createRequestHandler(build as never);
  return () => {
    const visitor = new Visitor(async (request) => {
      const response = await handler(request);
      const [error] = errors.splice(0);
      if (error) throw error;
      return response;
    });
    return {
      open: async (path) => lineOf(await visitor.open(path)),
      send: async (path, form) => lineOf(await visitor.send(path, form)),
      post: async (path, json) =>
        lineOf(await visitor.post(path, JSON.stringify(json))),
      cookies: () =>
        visitor.cookies().split("; ").filter(Boolean)
          .map((pair) => pair.split("=")[0] as string).sort(),
    };
  };
}

/** The output of the compiler. */
function buildOf(site: Site, handleError: (error: unknown) => void): object {
  const routes = Object.entries(site.routes).map(([path, module]) => [path, {
    id: path,
    path,
    parentId: "root",
    module: { loader: () => null, ...module },
  }]);
  return {
    entry: { module: { default: () => new Response(), handleError } },
    routes: {
      root: {
        id: "root",
        path: "",
        module: { middleware: site.middleware ?? [] },
      },
      ...Object.fromEntries(routes),
    },
    assets: {
      entry: { imports: [], module: "" },
      routes: {},
      url: "",
      version: "1",
    },
    publicPath: "/",
    assetsBuildDirectory: "",
    // React Router 7 runs middleware only with this. Version 8 always does.
    future: { v8_middleware: true },
    ssr: true,
    isSpaMode: false,
    prerender: [],
    routeDiscovery: { mode: "initial", manifestPath: "/__manifest" },
  };
}
