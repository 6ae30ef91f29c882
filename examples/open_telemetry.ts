/**
 * Sessions in OpenTelemetry: a counter of what happens to them, and events on the request's span.
 *
 * On Deno, `OTEL_DENO=true` is all that it takes to send them; elsewhere, an SDK that is registered with the same API.
 *
 * @module
 */
import type { SessionEvent } from "@satchel/session";
import { metrics, trace } from "npm:@opentelemetry/api@^1.9.0";

/**
 * Makes the `onEvent` of a storage.
 *
 * @param storage What to call the storage.
 */
export function sessionTelemetry(
  storage: string,
): (event: SessionEvent) => void {
  // Asked for here rather than at import, so that an SDK that was registered in between is heard of.
  const events = metrics.getMeter("@satchel/session").createCounter(
    "session.events",
    { description: "What happened to sessions", unit: "{event}" },
  );
  return ({ type, cause }) => {
    const attributes = {
      "session.event": type,
      "session.storage": storage,
      // The name alone: what an engine's message holds is not known.
      ...cause instanceof Error ? { "error.type": cause.name } : {},
    };
    events.add(1, attributes);
    trace.getActiveSpan()?.addEvent(`session ${type}`, attributes);
  };
}
