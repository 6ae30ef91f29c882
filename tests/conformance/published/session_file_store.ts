/**
 * session-file-store, a store of express-session: a folder is a namespace.
 *
 * By default it repeats a failed read five times, 50 ms apart. Here it repeats it once, after a millisecond, because the
 * suite often reads sessions that do not exist.
 */
import session from "npm:express-session@1.19.0";
import createFileStore from "npm:session-file-store@1.5.0";
import { fromExpressStore, type Target } from "../../../conformance/mod.ts";
import { dateClock, follow } from "./_clock.ts";
import { folder, inspectFiles } from "./_files.ts";

// deno-lint-ignore no-explicit-any -- its types are those of another major version
const FileStore: any = createFileStore(session as any);

const target: Target = {
  name: "session-file-store",
  clock: dateClock,
  capabilities: [
    "revoke",
    "durable",
    "namespaces",
    "expiry",
    "touch",
    "inspect",
  ],
  open({ namespace, idleTimeout, now }) {
    const store = new FileStore({
      path: folder(namespace),
      retries: 1,
      minTimeout: 1,
      maxTimeout: 1,
      reapInterval: -1,
    });
    return {
      storage: fromExpressStore(store, { maxAge: idleTimeout }),
      inspect: inspectFiles(namespace),
      close: follow(now),
    };
  },
};
export default target;
