/**
 * Serves routes by Remix 3's own router, with this library's session middleware.
 *
 * @module
 */
import type {
  Middleware,
  RequestContext,
} from "npm:@remix-run/fetch-router@0.20.1";
import { type Cookie, Session, type SessionStorage } from "../../mod.ts";
import { session } from "../../middleware/remix.ts";
import { Visitor } from "./_visitor.ts";

/** The package of the router. */
export const ROUTER = ["npm:@remix-run/fetch-router@0.20.1"] as const;

/** What a route is called with. */
export type Context = RequestContext & { session: Session };

/** The router, with routes that know of the session. */
export interface SessionRouter {
  get(path: string, handler: Handler): void;
  post(path: string, handler: Handler): void;
}

type Handler = (context: Context) => Response | Promise<Response>;

/** Loads the router. */
export async function loadRouter(): Promise<RouterModule> {
  return await import("npm:@remix-run/fetch-router@0.20.1");
}

/** The router's module. */
export type RouterModule = typeof import("npm:@remix-run/fetch-router@0.20.1");

/** The session of a request, by its key. */
export function sessionOf(context: RequestContext): Session {
  return context.get(Session) as Session;
}

/** Starts an application, and gives what makes visitors of it. */
export function application(
  { createRouter }: RouterModule,
  [cookie, storage]: [Cookie, SessionStorage],
  register: (router: SessionRouter) => void,
): () => Visitor {
  const router = createRouter({
    middleware: [session(cookie, storage) as Middleware, readForm],
  });
  register(router as unknown as SessionRouter);
  return () => new Visitor((request) => router.fetch(request));
}

/** Forms, for `context.get(FormData)`. */
async function readForm(
  context: RequestContext,
  next: () => Promise<Response>,
): Promise<Response> {
  if (context.method === "POST") {
    context.set(FormData, await context.request.formData());
  }
  return await next();
}
