/**
 * Storages that are right, with every kind of cookie.
 */
import {
  createCookieSessionStorage,
  createSession,
  type SessionCookieOptions,
} from "../../../mod.ts";
import type { Target } from "../../../conformance/mod.ts";
import { odd, virtual } from "./_build.ts";

const secrets = ["s3cr3t", "older"];

/** Storages whose cookies have other attributes. */
export const cookies: readonly Target[] = [
  odd("an unsigned cookie", { cookie: { name: "id" } }),
  odd("a cookie of the whole domain", {
    cookie: { name: "sid", secrets, domain: "example.com" },
  }),
  odd("a cookie below a path", {
    cookie: { name: "sid", secrets, path: "/app" },
  }),
  odd("a cookie for other sites, partitioned", {
    cookie: {
      name: "sid",
      secrets,
      sameSite: "none",
      secure: true,
      partitioned: true,
    },
  }),
  odd("a cookie with the prefix __Host-", {
    cookie: { name: "__Host-sid", secrets, secure: true, path: "/" },
  }),
  odd("an encrypted cookie that holds an id", {
    cookie: { name: "__Secure-sid", secrets, secure: true, encrypt: true },
  }),
  odd("a cookie in the format of React Router", {
    cookie: { name: "sid", secrets, format: "react-router" },
  }),
  odd("a cookie in the format of Remix", {
    cookie: { name: "sid", secrets, format: "remix" },
  }),
  odd("a cookie of high priority, strictly of this site", {
    cookie: {
      name: "sid",
      priority: "high",
      sameSite: "strict",
    },
  }),
  whole("the session in an encrypted cookie", { encrypt: true }),
  whole("the session in a signed cookie below a path", { path: "/app" }),
];

/** The whole session is in the cookie. */
function whole(
  name: string,
  cookie: Partial<SessionCookieOptions>,
): Target {
  return {
    name,
    clock: virtual,
    limits: { recordBytes: 2000 },
    capabilities: [
      "selfContained",
      "shared",
      "durable",
      "namespaces",
      "expiry",
      "touch",
      "absolute",
    ],
    open: ({ namespace, maxAge: _, ...options }) => ({
      createSession,
      storage: createCookieSessionStorage({
        ...options,
        cookie: { name: namespace, secrets, ...cookie },
      }),
    }),
  };
}
