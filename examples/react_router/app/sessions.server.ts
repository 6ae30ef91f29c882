/** Where sessions live: in a sealed cookie. Any other storage takes its place by changing this file. */
import { createCookieSessionStorage, type Session } from "@satchel/session";
import { randomBytes } from "node:crypto";
import { createContext } from "react-router";

export interface Data {
  name: string;
  visits: number;
}

export interface Flash {
  notice: string;
}

const secret = process.env.SESSION_SECRET;
if (!secret) {
  console.log(
    "Sessions end when the server stops. Set SESSION_SECRET to keep them.",
  );
}

export const sessionStorage = createCookieSessionStorage<Data, Flash>({
  cookie: {
    name: "__session",
    secrets: [secret || randomBytes(32).toString("hex")],
    maxAge: 7 * 24 * 60 * 60,
    // Not NODE_ENV, which react-router-serve always makes "production": over plain HTTP, browsers would drop the cookie.
    secure: process.env.PLAIN_HTTP !== "true",
  },
});

/** What loaders and actions ask the context for. */
export const sessionContext = createContext<Session<Data, Flash>>();
