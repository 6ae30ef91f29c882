/**
 * `createWorkersKVSessionStorage` of @remix-run/cloudflare, in Miniflare's workerd.
 *
 * It does not claim `revoke`: a deletion in Workers KV can take a minute to reach every location.
 */
import { fromReactRouter, type Target } from "../../../conformance/mod.ts";
import { cookieForIds, cookieOf } from "./_react_router.ts";
import { inspectKv, kvClock, kvOf } from "./_workers_kv.ts";

// Not a literal: its types would declare the globals of Workers in every file.
const PACKAGE: string = "npm:@remix-run/cloudflare@2.17.5";
const { createWorkersKVSessionStorage } = await import(PACKAGE);

const target: Target = {
  name: "Remix 2 KV",
  profile: "react-router",
  clock: kvClock,
  capabilities: ["shared", "durable", "expiry", "lifetime", "inspect"],
  open: (options) => ({
    storage: fromReactRouter(createWorkersKVSessionStorage({
      cookie: cookieOf(options),
      kv: kvOf(options.namespace) as never,
    })),
    inspect: inspectKv(options.namespace),
    cookieFor: cookieForIds(options),
  }),
};
export default target;
