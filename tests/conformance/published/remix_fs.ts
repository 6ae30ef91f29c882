/**
 * The file storage of @remix-run/session.
 *
 * Its documentation wants a folder for each storage object, so it claims `namespaces`, and does not claim `shared`.
 */
import { createFsSessionStorage } from "@remix-run/session/fs-storage";
import { fromRemix, type Target } from "../../../conformance/mod.ts";
import { folder, inspectFiles } from "./_files.ts";

const target: Target = {
  name: "Remix 3 fs",
  profile: "remix",
  capabilities: ["revoke", "durable", "namespaces", "inspect"],
  open: ({ namespace }) => ({
    storage: fromRemix(createFsSessionStorage(folder(namespace))),
    inspect: inspectFiles(namespace),
  }),
};
export default target;
