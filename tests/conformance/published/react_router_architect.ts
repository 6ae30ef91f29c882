/**
 * `createArcTableSessionStorage` of @react-router/architect, over dynalite and Architect's own client.
 *
 * It does not claim `expiry`: DynamoDB removes an expired item within days, and the storage reads it until then. Nor
 * `inspect`: an item has the session's values as its attributes, so there is no text that could be damaged.
 *
 * Its cookie has a lifetime, as in its documentation: with a cookie that ends with the browser, it stores `undefined`
 * under `ttl`, and Architect's client rejects that.
 */
import { fromReactRouter, type Target } from "../../../conformance/mod.ts";
import { tableOf } from "./_architect.ts";
import { cookieForIds, cookieOf } from "./_react_router.ts";

// It loads Architect's client, after its environment is there.
const { createArcTableSessionStorage } = await import(
  "npm:@react-router/architect@8.4.0"
);

const target: Target = {
  name: "React Router Arc",
  profile: "react-router",
  capabilities: ["revoke", "shared", "durable"],
  async open(options) {
    const cookie = { maxAge: 3600, ...cookieOf(options) };
    const storage = createArcTableSessionStorage({
      cookie,
      table: await tableOf(options.namespace),
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
