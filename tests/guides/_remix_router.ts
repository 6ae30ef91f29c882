/**
 * Serves routes with Remix 3's router and this library's session middleware.
 *
 * @module
 */
import type {
  Middleware,
  MiddlewareContext,
  Router,
} from "npm:@remix-run/fetch-router@0.20.1";
import type { Cookie, SessionStorage } from "../../mod.ts";
import { session, type SessionContextEntry } from "../../middleware/remix.ts";
import { Visitor } from "./_visitor.ts";

/** The package of the router. */
export const ROUTER = ["npm:@remix-run/fetch-router@0.20.1"] as const;

type Sessions = Middleware<SessionContextEntry<SessionStorage>>;
type Forms = Middleware<{ key: typeof FormData; value: FormData }>;

/** The argument of a route. */
export type Context = MiddlewareContext<[Sessions, Forms]>;

/** Loads the router. */
export async function loadRouter(): Promise<RouterModule> {
  return await import("npm:@remix-run/fetch-router@0.20.1");
}

/** The router's module. */
export type RouterModule = typeof import("npm:@remix-run/fetch-router@0.20.1");

/** Starts an application, and returns a function that creates visitors. */
export function application(
  { createRouter }: RouterModule,
  [cookie, storage]: [Cookie, SessionStorage],
  register: (router: Router<Context>) => void,
): () => Visitor {
  // Annotated, because only Remix's own types can declare `context.session`.
  const sessions: Sessions = session(cookie, storage);
  const router = createRouter({ middleware: [sessions, readForm] });
  register(router);
  return () => new Visitor((request) => router.fetch(request));
}

/** Parses forms, for `context.get(FormData)`. */
const readForm: Forms = async (context, next) => {
  if (context.method === "POST") {
    context.set(FormData, await context.request.formData());
  }
  return await next();
};

/** Remix's helpers for responses, which the router's package no longer has. */
export const res: {
  html(text: string): Response;
  redirect(location: string): Response;
} = {
  html: (text) =>
    new Response(text, { headers: { "Content-Type": "text/html" } }),
  redirect: (Location) =>
    new Response(null, { status: 302, headers: { Location } }),
};
