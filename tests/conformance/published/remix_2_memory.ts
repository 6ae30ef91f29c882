/** `createMemorySessionStorage` of @remix-run/node: for one process, and for development and tests. */
import { createMemorySessionStorage } from "npm:@remix-run/node@2.17.5";
import type { Target } from "../../../conformance/mod.ts";
import { dateClock } from "./_clock.ts";
import { cookieForIds, cookieOf, opened } from "./_react_router.ts";

const target: Target = {
  name: "Remix 2 memory",
  profile: "react-router",
  clock: dateClock,
  capabilities: ["revoke", "expiry", "lifetime"],
  open: (options) => ({
    ...opened(
      createMemorySessionStorage({ cookie: cookieOf(options) }),
      options,
    ),
    cookieFor: cookieForIds(options),
  }),
};
export default target;
