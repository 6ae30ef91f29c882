// react-router's own storages, as published on npm.
import {
  createCookieSessionStorage,
  createMemorySessionStorage,
} from "react-router";
import { createFileSessionStorage } from "@react-router/node";
import {
  type Capability,
  fromReactRouter,
  type OpenOptions,
  type Target,
} from "@satchel/session/conformance";
import { dateClock } from "./_clock.ts";

const cookie = ({ namespace, idleTimeout }: OpenOptions) => ({
  name: namespace,
  secrets: ["s3cr3t"],
  ...idleTimeout === undefined ? {} : { maxAge: idleTimeout },
});
const common = { profile: "react-router", clock: dateClock } as const;
const claims: readonly Capability[] = ["revoke", "expiry"];

export const cookieStorage: Target = {
  ...common,
  name: "react-router cookie",
  capabilities: ["selfContained", "shared", "durable", "namespaces", "expiry"],
  limits: { recordBytes: 2800 },
  open: (options) => ({
    storage: fromReactRouter(
      createCookieSessionStorage({ cookie: cookie(options) }),
    ),
  }),
};

export const memoryStorage: Target = {
  ...common,
  name: "react-router memory",
  capabilities: claims,
  open: (options) => ({
    storage: fromReactRouter(
      createMemorySessionStorage({ cookie: cookie(options) }),
    ),
  }),
};

const root = Deno.makeTempDirSync();

export const fileStorage: Target = {
  ...common,
  name: "@react-router/node file",
  capabilities: [...claims, "durable", "shared", "namespaces"],
  open(options) {
    const dir = `${root}/${options.namespace}`;
    return {
      storage: fromReactRouter(
        createFileSessionStorage({ dir, cookie: cookie(options) }),
      ),
    };
  },
};
