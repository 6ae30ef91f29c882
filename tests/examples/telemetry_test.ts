import { assert, assertEquals } from "@std/assert";
import { context, metrics, trace } from "npm:@opentelemetry/api@^1.9.0";
import { AsyncLocalStorageContextManager } from "npm:@opentelemetry/context-async-hooks@^2.0.0";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "npm:@opentelemetry/sdk-metrics@^2.0.0";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "npm:@opentelemetry/sdk-trace-base@^2.0.0";
import { createSessionStorage, withSession } from "@satchel/session";
import { fillCode } from "../../tools/guide.ts";
import { telemetry } from "../../examples/telemetry.ts";
import { assertNoDrift } from "../_drift.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";

Deno.test("telemetry() counts events and marks the request's span, and tells nobody's id or value", async () => {
  const exporter = new InMemoryMetricExporter(
    AggregationTemporality.CUMULATIVE,
  );
  const reader = new PeriodicExportingMetricReader({ exporter });
  const meters = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(meters);
  const spans = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(spans)],
  });
  trace.setGlobalTracerProvider(tracers);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());

  const engine = new FakeEngine();
  const storage = createSessionStorage({
    engine,
    cookie: { name: "session", secrets: ["s3cr3t"] },
    onEvent: telemetry("shop"),
  });
  const handler = withSession(storage, (_request, session) => {
    session.set("user", "ann-7");
    return new Response(session.id);
  });
  const visit = (cookie = "session=forged") =>
    trace.getTracer("test").startActiveSpan("GET /", async (span) => {
      const request = new Request("http://localhost/", { headers: { cookie } });
      const response = await handler(request);
      span.end();
      return response;
    });

  const first = await visit();
  const id = await first.text();
  const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
  await visit(cookie);
  await storage.destroySession(await storage.getSession(cookie));
  await storage.getSession(cookie);
  engine.play("read", "fail");
  assertEquals((await visit(cookie)).status, 503);

  await reader.forceFlush();
  const [resource] = exporter.getMetrics();
  const points = resource?.scopeMetrics[0]?.metrics[0]?.dataPoints ?? [];
  const counts = points.map(({ attributes, value }) => [
    attributes["session.storage"],
    attributes["session.event"],
    attributes["error.type"] ?? attributes["session.signed"],
    value,
  ]);
  assertEquals(counts, [
    ["shop", "rejected-cookie", undefined, 1],
    ["shop", "created", undefined, 1],
    ["shop", "committed", undefined, 1],
    ["shop", "destroyed", undefined, 1],
    ["shop", "missing", true, 1],
    ["shop", "engine-error", "EngineError", 1],
  ]);
  const marks = spans.getFinishedSpans().map(({ events }) =>
    events.map(({ name }) => name)
  );
  assertEquals(marks, [
    ["session.rejected-cookie", "session.created"],
    ["session.committed"],
    ["session.engine-error"],
  ]);
  const sent = JSON.stringify([
    points,
    spans.getFinishedSpans().map(({ events, attributes }) => [
      events,
      attributes,
    ]),
  ]);
  for (const secret of [id, "ann-7", "out of order", "s3cr3t"]) {
    assert(!sent.includes(secret), "it tells too much");
  }
  await meters.shutdown();
  await tracers.shutdown();
  context.disable();
  trace.disable();
  metrics.disable();
});

Deno.test("docs/storages.md shows the example as it is", async () => {
  const url = new URL("../../docs/storages.md", import.meta.url);
  const document = await Deno.readTextFile(url);
  assertNoDrift({
    path: "docs/storages.md",
    found: document,
    written: await fillCode(document),
    tool: "deno run -A tools/guide.ts",
  });
});
