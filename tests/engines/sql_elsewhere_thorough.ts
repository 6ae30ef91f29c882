// The clients that only Bun and Node have: bun:sqlite, Bun.SQL, and better-sqlite3, built from source.
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { denoBundle } from "../../tools/project.ts";
import { runtime } from "../runtimes/_runtime.ts";
import { installed, startMariaDb, startPostgres } from "./_servers.ts";

const dir = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => {
  Deno.removeSync(dir, { recursive: true });
});
const main = `${dir}/main.mjs`;
await denoBundle(
  ...["--platform=browser", "-o", main],
  fileURLToPath(new URL("_sql_elsewhere.ts", import.meta.url)),
);

async function broken(command: string, kind: string, at: string) {
  const { stdout, stderr } = await new Deno.Command(command, {
    args: [main, kind, at],
    stdin: "null",
  }).output();
  const [said, why] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  try {
    return JSON.parse(said?.trim().split("\n").at(-1) ?? "");
  } catch {
    return `${said}${why}`;
  }
}

function keepsOn(kind: string, command: () => Promise<string>, at: string) {
  Deno.test(`SQL, ${kind} keeps the contract of an engine`, async () => {
    assertEquals(await broken(await command(), kind, at), []);
  });
}

const bun = () => runtime("bun");
keepsOn("bun:sqlite", bun, dir);
keepsOn("Bun.SQL, SQLite", bun, dir);
if (installed("postgres")) {
  const { port } = await startPostgres();
  keepsOn(
    "Bun.SQL, Postgres",
    bun,
    `postgres://postgres@127.0.0.1:${port}/postgres`,
  );
}
if (installed("mariadb")) {
  const { port } = await startMariaDb();
  keepsOn("Bun.SQL, MySQL", bun, `mysql://root@127.0.0.1:${port}/mysql`);
}

/** Its prebuilt binary is elsewhere, so it is built with the headers of the system's Node, where they are. */
const HEADERS = "/usr/include/node/node_api.h";
const buildable = await Deno.stat(HEADERS).then(() => true, () => false);

Deno.test({
  name: "SQL, better-sqlite3 keeps the contract of an engine",
  ignore: !buildable,
  async fn() {
    const built = fileURLToPath(
      new URL("../../.runtimes/better-sqlite3", import.meta.url),
    );
    await Deno.mkdir(built, { recursive: true });
    await Deno.writeTextFile(`${built}/package.json`, '{ "private": true }');
    const { success, stderr } = await new Deno.Command("npm", {
      args: ["install", "--build-from-source", "better-sqlite3@12"],
      cwd: built,
      env: {
        ...{ npm_config_nodedir: "/usr", JOBS: "1" },
        // To optimize it takes longer than the test gains.
        ...{ CFLAGS: "-O0", CXXFLAGS: "-O0" },
      },
      stdout: "null",
    }).output();
    assertEquals(success, true, new TextDecoder().decode(stderr));
    assertEquals(await broken("node", "better-sqlite3", built), []);
  },
});
