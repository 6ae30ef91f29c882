/** What the targets of React Router have in common. */
import { fromReactRouter, type OpenOptions } from "../../../conformance/mod.ts";
import type { Opened, ReactRouterStorage } from "../../../conformance/mod.ts";
import { createCookie } from "react-router";
import { follow } from "./_clock.ts";

/** The session's cookie: signed and HttpOnly, as in the documentation, with a lifetime where the suite wants one. */
export function cookieOf(
  { namespace, idleTimeout, maxAge = idleTimeout }: OpenOptions,
): {
  name: string;
  secrets: string[];
  httpOnly: true;
  maxAge?: number;
} {
  return {
    name: namespace,
    secrets: ["s3cr3t"],
    httpOnly: true,
    ...maxAge === undefined ? {} : { maxAge },
  };
}

/** An open storage that goes by the suite's clock. */
export function opened(
  storage: ReactRouterStorage,
  { now }: OpenOptions,
): Opened {
  return { storage: fromReactRouter(storage), close: follow(now) };
}

/** Makes the `Cookie` header for an id, for storages that keep an id in the cookie. Remix 2 has the same format. */
export function cookieForIds(
  options: OpenOptions,
): (id: string) => Promise<string> {
  const { name, secrets } = cookieOf(options);
  const cookie = createCookie(name, { secrets });
  return async (id) => (await cookie.serialize(id)).split(";")[0] ?? "";
}
