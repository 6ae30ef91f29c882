/** One request under a span, whose storage tells OpenTelemetry; run by open_telemetry_test.ts. */
import { createMemorySessionStorage, withSession } from "@satchel/session";
import { trace } from "npm:@opentelemetry/api@^1.9.0";
import { sessionTelemetry } from "../../examples/open_telemetry.ts";

const storage = createMemorySessionStorage({
  cookie: { name: "__session", secrets: ["s3cr3t"] },
  onEvent: sessionTelemetry("memory"),
});
const handler = withSession(storage, (_request, session) => {
  session.set("userId", "ann-of-cardiff");
  return new Response("hello");
});

await trace.getTracer("app").startActiveSpan("request", async (span) => {
  await handler(new Request("http://localhost/"));
  await handler(
    new Request("http://localhost/", {
      headers: { cookie: "__session=forged" },
    }),
  );
  span.end();
});
