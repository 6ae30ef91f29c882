/** unstorage over its memory driver. */
import memoryDriver from "npm:unstorage@1.17.6/drivers/memory";
import type { Target } from "../../../conformance/mod.ts";
import { storageOver } from "./_unstorage.ts";

const driver = memoryDriver();

const target: Target = {
  name: "unstorage memory",
  capabilities: ["revoke", "namespaces"],
  open: ({ namespace }) => ({ storage: storageOver(driver, namespace) }),
};
export default target;
