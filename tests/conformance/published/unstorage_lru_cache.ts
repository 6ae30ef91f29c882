/** unstorage over its driver for lru-cache, which holds 1,000 items by default. */
import lruCacheDriver from "npm:unstorage@1.17.6/drivers/lru-cache";
import type { Target } from "../../../conformance/mod.ts";
import { storageOver } from "./_unstorage.ts";

const driver = lruCacheDriver({});

const target: Target = {
  name: "unstorage lru-cache",
  capabilities: ["revoke", "namespaces"],
  open: ({ namespace }) => ({ storage: storageOver(driver, namespace) }),
};
export default target;
