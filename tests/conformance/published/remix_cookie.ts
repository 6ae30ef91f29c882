/**
 * The cookie storage of @remix-run/session.
 *
 * Its limit is the one that its documentation names: a browser's, 4096 bytes for the whole cookie.
 */
import { createCookieSessionStorage } from "@remix-run/session/cookie-storage";
import { fromRemix, type Target } from "../../../conformance/mod.ts";

const target: Target = {
  name: "Remix 3 cookie",
  profile: "remix",
  capabilities: ["selfContained", "shared", "durable"],
  limits: { recordBytes: 2800 },
  open: () => ({
    storage: fromRemix(createCookieSessionStorage(), {
      deleteOldSession: false,
    }),
  }),
};
export default target;
