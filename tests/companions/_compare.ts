/**
 * Runs flows on the storages of the library that a companion was made for, and on this library's.
 *
 * @module
 */
import type * as router from "react-router";
import * as own from "../../mod.ts";
import type { Flow, Kit } from "./_flow.ts";
import { type CreateRequestHandler, serve } from "./_site.ts";

/** The functions of React Router or Remix that a flow needs. */
export interface Library {
  createCookie(name: string, options?: router.CookieOptions): router.Cookie;
  createCookieSessionStorage: CreateStorage;
  createMemorySessionStorage: CreateStorage;
}

type CreateStorage = (options: {
  cookie: router.Cookie | (router.CookieOptions & { name: string });
}) => router.SessionStorage;

/** A version of React Router or Remix, with its companions. */
export interface Version {
  readonly library: Library;
  readonly createRequestHandler: unknown;
  readonly flows: readonly Flow[];
}

/** What the visitors of one flow saw. */
export interface Comparison {
  readonly name: string;
  readonly sees: readonly unknown[];
  /** With the library that the companion was made for. */
  readonly there: unknown;
  /** With this library. */
  readonly here: unknown;
}

/** Runs the flows of a version. */
export async function compare(version: Version): Promise<Comparison[]> {
  const { library, flows } = version;
  const createRequestHandler = version
    .createRequestHandler as CreateRequestHandler;
  const compared: Comparison[] = [];
  for (const { name, sees, run } of flows) {
    for (const kind of ["cookie", "memory"] as const) {
      const seen = async (library: Library) => {
        try {
          return await run(kitOf(library, kind, createRequestHandler));
        } catch (error) {
          return String(error);
        }
      };
      const there = await seen(library);
      const here = await seen(own);
      compared.push({ name: `${name} (${kind})`, sees, there, here });
    }
  }
  return compared;
}

function kitOf(
  library: Library,
  kind: "cookie" | "memory",
  createRequestHandler: CreateRequestHandler,
): Kit {
  const { createCookie, createCookieSessionStorage } = library;
  const create = kind === "cookie"
    ? createCookieSessionStorage
    : library.createMemorySessionStorage;
  return {
    createCookie,
    storage: (cookie = "__session") =>
      create({
        cookie: typeof cookie === "string"
          ? { name: cookie, secrets: ["s3cr3t"], httpOnly: true }
          : cookie,
      }),
    serve: (site) => serve(createRequestHandler, site),
  };
}
