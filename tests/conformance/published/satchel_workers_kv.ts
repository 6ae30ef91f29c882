/** The Workers KV storage of this library, in Miniflare's workerd. */
import { instrument, type Target } from "../../../conformance/mod.ts";
import { createSessionStorage } from "../../../mod.ts";
import { CloudflareKVBackend } from "../../../storage/cloudflare_kv.ts";
import { startWorkerd } from "../../engines/_workerd.ts";

const { kv } = await startWorkerd();
const keys = new Map<string, Set<string>>();

const target: Target = {
  name: "Satchel Workers KV",
  clock: { kind: "virtual", advance() {} },
  // Not claimed, although one machine's KV would pass: `revoke` and `merge`, which do not hold between locations, as
  // the storage's guarantees say. Nor `touch`: a read never writes there.
  capabilities: [
    "shared",
    "durable",
    "namespaces",
    "expiry",
    "absolute",
    "inspect",
    "faults",
  ],
  open({ namespace, now, idleTimeout, absoluteTimeout }) {
    const known = keys.get(namespace) ?? new Set();
    keys.set(namespace, known);
    const engine = instrument(
      new CloudflareKVBackend(kv, `${namespace}:`, now),
      known,
    );
    const storage = createSessionStorage({
      backend: engine.backend,
      now,
      absoluteTimeout,
      // Without an idle timeout, a session's lifetime is its cookie's, from its last save.
      cookie: { name: "session", secrets: ["s3cr3t"], maxAge: idleTimeout },
    });
    return { ...engine, storage };
  },
};
export default target;
