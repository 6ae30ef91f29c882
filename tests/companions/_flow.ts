/**
 * What a flow of a companion is: a small application on sessions, and a visitor who uses it.
 *
 * @module
 */
import type * as router from "react-router";
import type { Page } from "../guides/_visitor.ts";
import type { Site } from "./_site.ts";

/** What a library gives to a flow: React Router or Remix, or this library. */
export interface Kit {
  createCookie(name: string, options?: router.CookieOptions): router.Cookie;
  /** A storage of the kind that is tried, with a cookie or the name of one. */
  storage(cookie?: router.Cookie | string): router.SessionStorage;
  /** Serves routes and returns a function that creates visitors. */
  serve(site: Site): () => Browser;
}

/** A visitor. Each call returns what the page shows, after redirects. */
export interface Browser {
  open(path: string): Promise<string>;
  send(path: string, form?: Record<string, string>): Promise<string>;
  post(path: string, json: unknown): Promise<string>;
  /** The names of the cookies that the browser has. */
  cookies(): string[];
}

/** A flow of one companion. */
export interface Flow {
  readonly name: string;
  /** What the visitor sees, with the library that the companion was made for. */
  readonly sees: readonly unknown[];
  run(kit: Kit): Promise<unknown[]>;
}

/** A page as one line. */
export function lineOf({ path, status, text }: Page): string {
  return `${status} ${path} ${text}`.trimEnd();
}
