/**
 * Serves route modules, with their loaders and actions, with React Router's router.
 *
 * @module
 */
import { createStaticHandler, type RouteObject } from "react-router";
import type { App } from "./_visitor.ts";

/** Replaces Remix's `json()`, which React Router no longer has. */
export const json: typeof Response.json = Response.json;

/** The arguments of a loader or an action. */
export interface Args {
  readonly request: Request;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** A route module: its loader, its action and its page. */
export interface RouteModule {
  loader?(args: Args): unknown;
  action?(args: Args): unknown;
  /** Renders the page from the data of loader and action. */
  // deno-lint-ignore no-explicit-any -- typed by each route's own data
  page?(loaderData: any, actionData: any): string;
}

/** Creates an application of route modules, by path. */
export function serveRoutes(modules: Record<string, RouteModule>): App {
  const routes = Object.entries(modules).map(([path, module]) => ({
    id: path,
    path,
    loader: module.loader ?? (() => null),
    ...(module.action ? { action: module.action } : {}),
  })) as RouteObject[];
  const { query } = createStaticHandler(routes);
  return async (request) => {
    const context = await query(request);
    if (context instanceof Response) return context;
    const { loaderHeaders, actionHeaders, statusCode: status } = context;
    const [path = ""] = Object.keys(context.loaderData);
    const [error] = Object.values(context.errors ?? {});
    const text = error ? String(error.data ?? error) : modules[path]?.page?.(
      context.loaderData[path],
      context.actionData?.[path],
    );
    const headers = new Headers();
    for (
      const from of [
        ...Object.values(actionHeaders),
        ...Object.values(loaderHeaders),
      ]
    ) {
      for (const cookie of from.getSetCookie()) {
        headers.append("Set-Cookie", cookie);
      }
    }
    return new Response(text ?? "", { status, headers });
  };
}
