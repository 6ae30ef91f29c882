// The cases of Express, Fastify and Koa on Node; the quick tests run them on Deno's node:http. Koa 2 cannot be bundled.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { denoBundle } from "../../../tools/project.ts";
import { withPackages } from "../../engines/_packages.ts";
import { runtime } from "../../runtimes/_runtime.ts";
import { cases } from "./_cases.ts";
import { Client } from "./_client.ts";
import { express, express4 } from "./express.ts";
import { fastify, fastify4 } from "./fastify.ts";
import { koa } from "./koa.ts";

const drivers = [express, express4, fastify, fastify4, koa];

const dir = await Deno.makeTempDir();
const main = join(dir, "main.mjs");

await withPackages(
  "Express, Fastify and Koa on Node",
  drivers.flatMap(({ packages = [] }) => packages),
  async () => {
    const path = new URL("_frameworks_main.ts", import.meta.url);
    await denoBundle("--platform=deno", "-o", main, fileURLToPath(path));
  },
  () => {
    for (const driver of drivers) {
      Deno.test(`${driver.name}, on Node: every case`, async (t) => {
        const child = new Deno.Command(await runtime("node20"), {
          args: [main, driver.name],
          stdin: "null",
          stdout: "piped",
          stderr: "inherit",
        }).spawn();
        const lines = child.stdout.pipeThrough(new TextDecoderStream())
          .getReader();
        try {
          const { value = "" } = await lines.read();
          const client = new Client(value.trim());
          for (const { title, variants = [""], run } of cases) {
            const list = typeof variants === "function"
              ? variants(driver)
              : variants;
            for (const variant of list) {
              await t.step(`${title}: ${variant}`, async () => {
                await client.control("reset");
                await run(client, driver.traits, variant);
              });
            }
          }
        } finally {
          child.kill();
          await lines.cancel();
          await child.status;
        }
      });
    }

    Deno.test.afterAll(() => Deno.remove(dir, { recursive: true }));
  },
);
