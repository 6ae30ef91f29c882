/**
 * Serves loaders and actions as Remix 0.x did: with Express, and with the session of the request.
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

/** The loader, action and page of a route of Remix 0.x. */
export interface Route {
  loader?(args: LoaderArgs): unknown;
  action?(args: LoaderArgs): unknown;
  // deno-lint-ignore no-explicit-any -- typed by each route's own data
  page?(data: any): string;
}

/** The parts of Express that are used here. It comes without types. */
export interface Express {
  (): {
    use(middleware: unknown): void;
    get(path: string, handler: unknown): void;
    post(path: string, handler: unknown): void;
    listen(port: number, host: string): Server;
  };
}

/** An application of Remix 0.x. */
export interface Application {
  /** The routes, by path. */
  routes: Record<string, Route>;
  /** Loads the global data for every page, in the same request. */
  global?: Route["loader"];
  /** The layout of every page. @default {the page alone} */
  // deno-lint-ignore no-explicit-any -- typed by the global data
  app?(globalData: any, page: string): string;
}

/** Loads Express. */
export async function loadExpress(): Promise<Express> {
  return (await import("npm:express@5.3.0")).default;
}

/** Runs a test against an application, and stops it afterwards. */
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
