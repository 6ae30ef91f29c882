import { assertEquals } from "@std/assert";
import { lacks } from "./doc.ts";

const fence = "```ts\nconst a = 1;\n```";

Deno.test("lacks() is content with an example, or a fence in the text", () => {
  const tags = [{ kind: "example", doc: `One\n${fence}` }];
  assertEquals(lacks({ doc: "Sessions.", tags }), undefined);
  assertEquals(lacks({ doc: `Sessions.\n\n${fence}` }), undefined);
});

Deno.test("lacks() finds a module without text or example", () => {
  assertEquals(lacks(undefined), "has no module documentation");
  assertEquals(lacks({ doc: " \n" }), "has no module documentation");
  assertEquals(lacks({ doc: "Sessions." }), "has no example");
  const tags = [{ kind: "example", doc: "no code" }, { kind: "see" }];
  assertEquals(lacks({ doc: "Sessions.", tags }), "has no example");
});
