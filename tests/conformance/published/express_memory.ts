/** The MemoryStore of express-session, which its documentation has for development only. */
import session from "npm:express-session@1.19.0";
import { fromExpressStore, type Target } from "../../../conformance/mod.ts";
import { dateClock, follow } from "./_clock.ts";

const target: Target = {
  name: "express-session",
  clock: dateClock,
  capabilities: ["revoke", "expiry", "touch"],
  open: ({ idleTimeout, now }) => ({
    storage: fromExpressStore(new session.MemoryStore(), {
      maxAge: idleTimeout,
    }),
    close: follow(now),
  }),
};
export default target;
