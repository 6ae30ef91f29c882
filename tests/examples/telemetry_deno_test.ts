import { assert, assertEquals, assertFalse } from "@std/assert";
import { fileURLToPath } from "node:url";
import { rowName } from "../_row.ts";

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

Deno.test("telemetry() counts events and adds them to the span, through Deno's own OpenTelemetry", async () => {
  const bodies: Record<string, string> = {};
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      bodies[pathname] = (bodies[pathname] ?? "") + await request.text();
      return Response.json({});
    },
  );
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-env",
      `--config=${file("../../deno.json")}`,
      file("./_telemetry_app.ts"),
    ],
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      NO_COLOR: "1",
    },
  }).output();
  await server.shutdown();
  assert(success, new TextDecoder().decode(stderr));

  const counted = new Map<string, number>();
  const { resourceMetrics } = JSON.parse(bodies["/v1/metrics"] ?? "");
  for (const { scopeMetrics } of resourceMetrics) {
    for (const { metrics } of scopeMetrics) {
      for (const { name, sum } of metrics) {
        if (name !== "session.events") continue;
        for (const { asInt, asDouble, attributes } of sum.dataPoints) {
          const told = new Map<string, { stringValue: string }>(
            attributes.map((
              { key, value }: { key: string; value: { stringValue: string } },
            ) => [key, value]),
          );
          assertEquals(
            told.get("session.storage")?.stringValue,
            "memory",
            rowName(scopeMetrics, metrics, name, asInt),
          );
          const event = told.get("session.event")?.stringValue ?? "";
          counted.set(event, Number(asInt ?? asDouble));
        }
      }
    }
  }
  assertEquals(Object.fromEntries(counted), {
    "created": 2,
    "rejected-cookie": 1,
  });
  const traces = bodies["/v1/traces"] ?? "";
  for (const event of ["session.created", "session.rejected-cookie"]) {
    assert(traces.includes(`"${event}"`), event);
  }
  for (const body of Object.values(bodies)) {
    assertFalse(body.includes("ann-of-cardiff"), rowName(body));
    assertFalse(body.includes("forged"), rowName(body));
  }
});
