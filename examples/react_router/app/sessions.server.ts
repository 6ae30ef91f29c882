/** The session storage: an encrypted cookie. To use another storage, change only this file. */
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
    // Browsers drop a secure cookie over plain HTTP. Do not use NODE_ENV here:
    // react-router-serve always sets it to "production".
    secure: process.env.PLAIN_HTTP !== "true",
  },
});

/** The key under which loaders and actions find the session in their context. */
export const sessionContext = createContext<Session<Data, Flash>>();
