/** `createMemorySessionStorage` of react-router: for one process, and for development and tests. */
import { createMemorySessionStorage } from "react-router";
import type { Target } from "../../../conformance/mod.ts";
import { dateClock } from "./_clock.ts";
import { cookieForIds, cookieOf, opened } from "./_react_router.ts";

const target: Target = {
  name: "React Router memory",
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
