/** svelte-kit-sessions with its MemoryStore. A timeout is the cookie's maxAge with `rolling`. */
import { createHmac } from "node:crypto";
import type { Target } from "../../../conformance/mod.ts";
import {
  loadKit,
  timed,
} from "../../../conformance/reports/reproductions/shared/svelte_kit.ts";
import { Timers } from "../../../conformance/reports/reproductions/shared/timers.ts";
import { dateClock } from "./_clock.ts";
import { storageBehind } from "./_svelte_kit_sessions.ts";

const kit = await loadKit("npm:svelte-kit-sessions@0.4.0");
const secret = "s3cr3t";

const target: Target = {
  name: "svelte-kit-sessions",
  clock: dateClock,
  capabilities: ["revoke", "idle", "touch", "lifetime"],
  open({ namespace, idleTimeout, maxAge = idleTimeout, now }) {
    const handle = kit.sveltekitSessionHandle({
      name: namespace,
      secret,
      store: timed(new kit.MemoryStore(), new Timers(now)),
      rolling: idleTimeout !== undefined,
      ...maxAge === undefined ? {} : { cookie: { maxAge } },
    });
    return {
      storage: storageBehind(handle, kit),
      cookieFor: (id) =>
        `${namespace}=${encodeURIComponent(`${id}.${signatureOf(id)}`)}`,
    };
  },
};
export default target;

function signatureOf(id: string): string {
  const hmac = createHmac("sha256", secret).update(id, "latin1");
  return hmac.digest("base64").replace(/=+$/, "");
}
