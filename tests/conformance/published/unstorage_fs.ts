/** unstorage over its fs driver. */
import fsDriver from "npm:unstorage@1.17.6/drivers/fs";
import type { Target } from "../../../conformance/mod.ts";
import { folder, inspectFiles } from "./_files.ts";
import { storageOver } from "./_unstorage.ts";

const target: Target = {
  name: "unstorage fs",
  capabilities: ["revoke", "shared", "durable", "namespaces", "inspect"],
  open: ({ namespace }) => ({
    storage: storageOver(fsDriver({ base: folder("unstorage") }), namespace),
    inspect: inspectFiles(`unstorage/${namespace}`),
  }),
};
export default target;
