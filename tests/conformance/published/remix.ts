// @remix-run/session's own storages, as published on npm.
import { createCookieSessionStorage } from "@remix-run/session/cookie-storage";
import { createFsSessionStorage } from "@remix-run/session/fs-storage";
import { createMemorySessionStorage } from "@remix-run/session/memory-storage";
import { fromRemix, type Target } from "@satchel/session/conformance";

export const cookieStorage: Target = {
  name: "@remix-run/session cookie",
  profile: "remix",
  capabilities: ["selfContained", "shared", "durable"],
  open: () => ({ storage: fromRemix(createCookieSessionStorage()) }),
};

export const memoryStorage: Target = {
  name: "@remix-run/session memory",
  profile: "remix",
  capabilities: ["revoke"],
  open: () => ({ storage: fromRemix(createMemorySessionStorage()) }),
};

const root = Deno.makeTempDirSync();

export const fsStorage: Target = {
  name: "@remix-run/session fs",
  profile: "remix",
  capabilities: ["revoke", "durable", "shared", "namespaces"],
  open: ({ namespace }) => ({
    storage: fromRemix(createFsSessionStorage(`${root}/${namespace}`)),
  }),
};
