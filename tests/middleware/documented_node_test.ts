// The documented applications of Express, Fastify and Koa, each on its own server.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withPackages } from "../engines/_packages.ts";
import { rowName } from "../_row.ts";
import { Client } from "./lifecycle/_client.ts";
import { Visitor } from "./_visitor.ts";

const root = new URL("../../", import.meta.url);
const page = await Deno.readTextFile(new URL("docs/middleware.md", root));

/** The first example of a section. */
function exampleOf(section: string): string {
  const [, text = ""] = page.split(`\n## ${section}\n`);
  return text.match(/^```ts ignore\n([^]*?)^```$/m)?.[1] ?? "";
}

/** How each framework is started, so that it prints its origin. */
const START: Record<string, string> = {
  node: `
    const server = app.listen(0, "127.0.0.1", () =>
      console.log("http://127.0.0.1:" + server.address().port));
  `,
  fastify: `console.log(await app.listen({ port: 0, host: "127.0.0.1" }));`,
};

/** Serves an example while `use` runs. */
async function serving(
  code: string,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const main = join(dir, "main.ts");
  await Deno.writeTextFile(main, code);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--quiet", "--no-lock"],
      ...["--config", fileURLToPath(new URL("deno.json", root)), main],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value: origin = "" } = await lines.read();
    await use(new Client(origin.trim()));
  } finally {
    child.kill();
    await lines.cancel();
    await child.status;
    await Deno.remove(dir, { recursive: true });
  }
}

/** Each section, and how its example is started. */
const SECTIONS: [section: string, start: string][] = [
  ["Express and Node's http", "node"],
  ["Fastify", "fastify"],
  ["Koa", "node"],
];

const login = exampleOf("What was written for express-session");
const examples = [...SECTIONS.map(([section]) => exampleOf(section)), login];

await withPackages(
  "the documented applications for Node",
  [...new Set(examples.join().match(/npm:(?!@types)[^"]+/g))],
  () => Promise.resolve(),
  () => {
    for (const [section, start] of SECTIONS) {
      Deno.test(`the documented application counts visits: ${section}`, async () => {
        await serving(exampleOf(section) + START[start], async (client) => {
          for (const name of ["ann", "bob"]) {
            const visitor = new Visitor(client);
            for (const visit of ["Visit 1", "Visit 2"]) {
              const row = rowName(name, visit);
              assertEquals((await visitor.get("/")).text, visit, row);
            }
          }
        });
      });
    }

    Deno.test("the documented application signs in with Passport", async () => {
      await serving(login + START["node"], async (client) => {
        const ann = new Visitor(client);
        const fields = { username: "ann", password: "right" };
        assertEquals(
          (await ann.post("/login", { ...fields, password: "x" })).status,
          401,
        );
        await ann.post("/login", fields);
        assertEquals((await ann.get("/")).text, '{"name":"ann"}');
        assertEquals((await new Visitor(client).get("/")).text, "null");
      });
    });
  },
);

Deno.test("the documented applications for Node have at most 30 lines", () => {
  for (const code of examples) {
    const lines = code.trim().split("\n").length;
    assert(lines > 5 && lines <= 30, rowName(lines, code));
  }
});
