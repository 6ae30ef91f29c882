/** One request under a span, whose storage tells OpenTelemetry; run by telemetry_deno_test.ts. */
import { createMemorySessionStorage, withSession } from "@satchel/session";
import { trace } from "npm:@opentelemetry/api@^1.9.0";
import { telemetry } from "../../examples/telemetry.ts";

const storage = createMemorySessionStorage({
  cookie: { name: "__session", secrets: ["s3cr3t"] },
  onEvent: telemetry("memory"),
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
