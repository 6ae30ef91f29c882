/**
 * `createCookieSessionStorage` of @remix-run/node.
 *
 * Its documentation leaves a cookie's lifetime to the browser, so it does not claim `expiry`; nor does it claim that
 * one secret can serve two cookies, so it does not claim `namespaces`.
 */
import { createCookieSessionStorage } from "npm:@remix-run/node@2.17.5";
import type { Target } from "../../../conformance/mod.ts";
import { dateClock } from "./_clock.ts";
import { cookieOf, opened } from "./_react_router.ts";

const target: Target = {
  name: "Remix 2 cookie",
  profile: "react-router",
  clock: dateClock,
  capabilities: ["selfContained", "shared", "durable"],
  // Of 4096 bytes, base64 and the percent signs of the cookie leave about so many.
  limits: { recordBytes: 2800 },
  open: (options) =>
    opened(
      createCookieSessionStorage({ cookie: cookieOf(options) }),
      options,
    ),
};
export default target;
