// The shortest `deno task soak`: one round on each engine.
import { assert } from "@std/assert";
import { deno } from "../../tools/project.ts";

Deno.test("no commit is lost while processes are killed, and servers with them", async () => {
  const { ok, text } = await deno(["run", "-A", "tests/races/soak.ts", "0.01"]);
  assert(ok, text);
});
