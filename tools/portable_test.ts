import { assertEquals } from "@std/assert";
import { laterFeatures } from "./portable.ts";

Deno.test("laterFeatures() finds what Node 20 lacks, in code only", () => {
  assertEquals(laterFeatures("if (import.meta.main) navigator.userAgent;"), [
    "import.meta.main is missing in Node 20 (Node 24.2)",
    "navigator is missing in Node 20 (Node 21)",
  ]);
  assertEquals(
    laterFeatures(
      `/** import.meta.main */ // navigator
const { main } = import.meta; x.navigator.a; navigator?.a; ({ navigator: "WebSocket(" }); MyWebSocket(1);`,
    ),
    [],
  );
});
