/**
 * Serves loaders and actions as the first Remix did: by Express, each called with the session of its request.
 *
 * @module
 */
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { loader as handed, type LoaderArgs } from "../../middleware/express.ts";
import type { SessionData } from "../../mod.ts";
import { type App, Visitor } from "./_visitor.ts";

/** The package of the server. */
export const EXPRESS = ["npm:express@5.3.0"] as const;

/** What the first Remix called a route's data, and what its application showed of it. */
export interface Route {
  loader?(args: LoaderArgs): unknown;
  action?(args: LoaderArgs): unknown;
  // deno-lint-ignore no-explicit-any -- typed by each route's own data
  page?(data: any): string;
}

/** Express, as far as it is used here; it has no types of its own. */
export interface Express {
  (): {
    use(middleware: unknown): void;
    get(path: string, handler: unknown): void;
    post(path: string, handler: unknown): void;
    listen(port: number, host: string): Server;
  };
}

/** An application as the first Remix had it. */
export interface Application {
  /** By path. */
  routes: Record<string, Route>;
  /** The global data: loaded for every page, in the page's own request. */
  global?: Route["loader"];
  /** What stands around every page; a page without it is itself. */
  // deno-lint-ignore no-explicit-any -- typed by the global data
  app?(globalData: any, page: string): string;
}

/** Loads Express. */
export async function loadExpress(): Promise<Express> {
  return (await import("npm:express@5.3.0")).default;
}

/** Starts an application, lets a test visit it, and stops it. */
export async function withApplication(
  express: Express,
  middleware: unknown,
  { routes, global, app = (_, page) => page }: Application,
  visit: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  const server = express();
  server.use(middleware);
  for (const [path, { loader, action, page }] of Object.entries(routes)) {
    const serve = (run: Route["loader"] = () => ({})) =>
      handed<SessionData, SessionData>(async (args) => {
        const answer = await run(args);
        if (answer instanceof Response) return answer;
        const globalData = await global?.(args);
        return new Response(app(globalData, page?.(answer) ?? ""));
      });
    server.get(path, serve(loader));
    server.post(path, serve(action));
  }
  const listening = server.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  const { port } = listening.address() as AddressInfo;
  const far: App = async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const body = method === "POST" ? await request.text() : null;
    const url = `http://127.0.0.1:${port}${pathname}${search}`;
    return await fetch(url, { method, headers, body, redirect: "manual" });
  };
  try {
    await visit(new Visitor(far));
  } finally {
    await new Promise((resolve) => listening.close(resolve));
  }
}
