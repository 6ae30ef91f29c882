// The examples of docs/middleware.md for servers that need no build, each in its real server.
import { assertEquals } from "@std/assert";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Client } from "./lifecycle/_client.ts";
import type { Served } from "./lifecycle/_driver.ts";
import { serveElsewhere } from "./lifecycle/_elsewhere.ts";
import { serveLambda } from "./lifecycle/lambda.ts";
import { PAGE } from "./lifecycle/_table.ts";

const page = await Deno.readTextFile(PAGE);
const runtimes = fileURLToPath(new URL("../../.runtimes/", import.meta.url));

/** Serves the example of a section, and requests its page. */
async function visit(
  section: string,
  rest: string,
  serve: (module: string) => Promise<Served>,
): Promise<string> {
  const [, text = ""] = page.split(`\n## ${section}\n`);
  const [, code = ""] = text.match(/^```ts ignore\n([^]*?)^```$/m) ?? [];
  await Deno.mkdir(runtimes, { recursive: true });
  // In the repository, where the names of this package's entries are known.
  const file = await Deno.makeTempFile({ dir: runtimes, suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, code + rest);
    const { origin, stop } = await serve(pathToFileURL(file).href);
    const { text } = await new Client(origin).request("/");
    await stop();
    return text;
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("the documented application of Elysia runs on Bun", async () => {
  const rest = `
    app.listen({ port: 0, hostname: "127.0.0.1" });
    console.log(app.server?.url.origin);
  `;
  const text = await visit(
    "Elysia",
    rest,
    (module) => serveElsewhere("bun", module),
  );
  assertEquals(text, "nobody");
});

Deno.test("the documented function runs in the runtime of AWS Lambda", async () => {
  const text = await visit(
    "AWS Lambda",
    // Amazon's runtime replaces the console.
    'import process from "node:process"; process.stdout.write("http://localhost\\n");',
    (module) => serveLambda("2.0", module),
  );
  assertEquals(text, "User unknown");
});
