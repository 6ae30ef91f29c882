/** `createFileSessionStorage` of @remix-run/node: a folder is a namespace. */
import { createFileSessionStorage } from "npm:@remix-run/node@2.17.5";
import type { Target } from "../../../conformance/mod.ts";
import { dateClock } from "./_clock.ts";
import { folder, inspectFiles } from "./_files.ts";
import { cookieForIds, cookieOf, opened } from "./_react_router.ts";

const target: Target = {
  name: "Remix 2 file",
  profile: "react-router",
  clock: dateClock,
  capabilities: [
    "revoke",
    "shared",
    "durable",
    "namespaces",
    "expiry",
    "lifetime",
    "inspect",
  ],
  open(options) {
    const { namespace } = options;
    const dir = folder(namespace);
    const storage = createFileSessionStorage({
      dir,
      cookie: cookieOf(options),
    });
    return {
      ...opened(storage, options),
      inspect: inspectFiles(namespace),
      cookieFor: cookieForIds(options),
    };
  },
};
export default target;
