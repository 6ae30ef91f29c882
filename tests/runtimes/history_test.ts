// Histories of processes on every runtime that has processes: they are started by the runtime that runs the check.
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Report } from "../../conformance/mod.ts";
import { bundle } from "../../tools/bundle.ts";
import { runtime } from "./_runtime.ts";

const script = fileURLToPath(new URL("history.mjs", import.meta.url));
let made: Promise<void> | undefined;

const runtimes: Record<string, () => Promise<[string, string[]]>> = {
  Deno: async () => [Deno.execPath(), ["run", "-A", script]],
  "Node 20": async () => [await runtime("node20"), [script]],
  Node: async () => [await runtime("node"), [script]],
  Bun: async () => [await runtime("bun"), [script]],
};

for (const [name, command] of Object.entries(runtimes)) {
  Deno.test(`checkHistory() explains a sound storage and finds a broken one, when its processes run on ${name}`, async () => {
    await (made ??= bundle());
    const [path, args] = await command();
    const { stdout, stderr } = await new Deno.Command(path, { args }).output();
    const decoder = new TextDecoder();
    const lines = decoder.decode(stdout).trim().split("\n");
    const [sound, broken]: Report[] = JSON.parse(
      lines.at(-1) || JSON.stringify(decoder.decode(stderr)),
    );
    const failures = sound?.results.filter(({ outcome }) => outcome !== "pass");
    assertEquals(failures, []);
    const found = broken?.results.filter(({ outcome }) => outcome === "fail");
    assertEquals(found?.map(({ rule }) => rule), ["HISTORY-06"]);
  });
}
