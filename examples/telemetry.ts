/**
 * Reports session events to OpenTelemetry: a counter for each kind of event, and an event on the request's span.
 *
 * It uses only the OpenTelemetry API, so the counts go where the application sends its telemetry. `OTEL_DENO=true`
 * turns on Deno's own; other runtimes need an SDK. Without either, nothing is sent.
 *
 * @module
 */
import { metrics, trace } from "npm:@opentelemetry/api@^1.9.0";
import type { SessionEvent } from "@satchel/session";

/**
 * Creates an `onEvent` for a storage.
 *
 * @param storage The storage's name in the telemetry, which an event does not contain.
 * @returns The observer. It never reports an id or a value, and it reports an engine's error only by its class.
 */
export function telemetry(storage: string): (event: SessionEvent) => void {
  const counter = metrics.getMeter("@satchel/session").createCounter(
    "session.events",
    { description: "What happened to sessions and their cookies" },
  );
  return ({ type, signed, cause }) => {
    const attributes = {
      "session.storage": storage,
      "session.event": type,
      // `missing`: nobody can forge a signed cookie, so its session was lost or has ended.
      ...signed !== undefined ? { "session.signed": signed } : {},
      ...cause instanceof Error ? { "error.type": cause.name } : {},
    };
    counter.add(1, attributes);
    trace.getActiveSpan()?.addEvent(`session.${type}`, attributes);
  };
}
