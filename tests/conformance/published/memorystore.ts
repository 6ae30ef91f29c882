/** memorystore, a store of express-session that removes expired sessions. */
import session from "npm:express-session@1.19.0";
import createMemoryStore from "npm:memorystore@1.6.8";
import { fromExpressStore, type Target } from "../../../conformance/mod.ts";
import { dateClock, follow } from "./_clock.ts";

// deno-lint-ignore no-explicit-any -- its types are those of another major version
const MemoryStore: any = createMemoryStore(session as any);

const target: Target = {
  name: "memorystore",
  clock: dateClock,
  capabilities: ["revoke", "expiry", "touch"],
  open({ idleTimeout, now }) {
    const store = new MemoryStore({ checkPeriod: 86_400_000 });
    const end = follow(now);
    return {
      storage: fromExpressStore(store, { maxAge: idleTimeout }),
      close() {
        store.stopInterval();
        end();
      },
    };
  },
};
export default target;
