/**
 * What happens to sessions, for OpenTelemetry: a counter for each kind of event, and an event on the request's span.
 *
 * It uses the API alone. What is counted goes where the application sends its telemetry: `OTEL_DENO=true` for Deno's own,
 * an SDK elsewhere, or nowhere.
 *
 * @module
 */
import { metrics, trace } from "npm:@opentelemetry/api@^1.9.0";
import type { SessionEvent } from "@satchel/session";

/**
 * An `onEvent` for a storage.
 *
 * @param storage The storage's name, as it is to stand in the telemetry; an event does not know it.
 * @returns The observer. It passes on no id, no value, and of an engine's error the class alone.
 */
export function telemetry(storage: string): (event: SessionEvent) => void {
  const counter = metrics.getMeter("@satchel/session").createCounter(
    "session.events",
    { description: "What happened to sessions and their cookies" },
  );
  return ({ type, cause }) => {
    const attributes = {
      "session.storage": storage,
      "session.event": type,
      ...cause instanceof Error ? { "error.type": cause.name } : {},
    };
    counter.add(1, attributes);
    trace.getActiveSpan()?.addEvent(`session.${type}`, attributes);
  };
}
