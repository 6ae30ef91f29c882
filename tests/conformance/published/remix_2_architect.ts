/**
 * `createArcTableSessionStorage` of @remix-run/architect, over dynalite.
 *
 * Its table is an object with the methods of Architect's: its own version of Architect's client needs packages that it does
 * not install.
 *
 * It does not claim `expiry`: DynamoDB removes an expired item within days, and the storage reads it until then. Nor
 * `inspect`: an item has the session's values as its attributes, so there is no text that could be damaged.
 */
import { createArcTableSessionStorage } from "npm:@remix-run/architect@2.17.5";
import { fromReactRouter, type Target } from "../../../conformance/mod.ts";
import { sessions } from "./_architect_table.ts";
import { cookieForIds, cookieOf } from "./_react_router.ts";

const target: Target = {
  name: "Remix 2 Arc",
  profile: "react-router",
  capabilities: ["revoke", "shared", "durable"],
  open(options) {
    const cookie = { maxAge: 3600, ...cookieOf(options) };
    const storage = createArcTableSessionStorage({
      cookie,
      table: sessions as never,
      idx: "_idx",
      ttl: "_ttl",
    });
    return {
      storage: fromReactRouter(storage),
      cookieFor: cookieForIds(options),
    };
  },
};
export default target;
