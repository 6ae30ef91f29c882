/**
 * The package as `deno publish` sends it, in a registry on this machine.
 *
 * @module
 */
import { assert } from "@std/assert";
import { fileURLToPath } from "node:url";
import { deno, readConfig, root } from "../../tools/project.ts";
import { stage } from "../../tools/stage.ts";
import { type Files, type Registry, startRegistry } from "./_registry.ts";

/** What JSR has beside the package: here, the substitutes for it. */
export const SUBSTITUTES: readonly string[] = ["assert", "fs"];

/** A registry that has the package. */
export interface Published extends AsyncDisposable {
  readonly registry: Registry;
  /** What was sent. */
  readonly files: Files;
  /** For a command that is to use the registry, and to find nothing in a cache. */
  readonly env: Record<string, string>;
}

/** The folder of a substitute. */
export function substitute(name: string): string {
  return fileURLToPath(new URL(`tools/std/${name}`, root));
}

/** Publishes the package; slow types are refused. */
export async function publish(): Promise<Published> {
  const registry = startRegistry();
  for (const name of SUBSTITUTES) await registry.add(substitute(name));
  const cache = await Deno.makeTempDir();
  const env = { JSR_URL: registry.url, DENO_DIR: cache };
  using staged = await stage({ withoutSubstitutes: true });
  const { ok, text } = await deno(
    ["publish", "--token=local", "--allow-dirty", "--no-lock"],
    { cwd: staged.folder, env },
  );
  assert(ok, text);
  const { name, version } = readConfig();
  return {
    registry,
    files: registry.files(name, version),
    env,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await Deno.remove(cache, { recursive: true });
    },
  };
}

/** A program that imports every entry, and keeps a session. */
export function program(): string {
  const { name } = readConfig();
  const [modules, commands] = entries();
  return [
    ...commands.map((entry) => `import "${name}${entry}";`),
    ...modules.map((entry, i) =>
      `import * as entry${i} from "${name}${entry}";`
    ),
    `import { createCookieSessionStorage } from "${name}";`,
    `const { getSession, commitSession } = createCookieSessionStorage<{ visits: number }>({`,
    `  cookie: { name: "session", secrets: ["s3cr3t"] },`,
    `});`,
    `const session = await getSession();`,
    `session.set("visits", (session.get("visits") ?? 0) + 1);`,
    `const header: string = await commitSession(session);`,
    `const again = await getSession(header.split(";")[0]);`,
    `const visits: number | undefined = again.get("visits");`,
    `// @ts-expect-error the type of a key is known`,
    `again.set("visits", "two");`,
    `const all = [${modules.map((_, i) => `entry${i}`)}];`,
    `const found = all.filter((entry) => Object.keys(entry).length > 0).length;`,
    `console.log(JSON.stringify({ visits, found }));`,
    ``,
  ].join("\n");
}

/** The program without its types, for Node 20. */
export function plainProgram(): string {
  return program().replace(/<\{.*?\}>/, "")
    .replace(/^(const \w+): [\w |]+ =/gm, "$1 =")
    .replace(/^again\.set.*$/m, "");
}

/** What {@linkcode program} prints. */
export function expected(): string {
  const [modules] = entries();
  return JSON.stringify({ visits: 1, found: modules.length });
}

/** The entries that export something, and those that are run. */
function entries(): [modules: string[], commands: string[]] {
  const split: [string[], string[]] = [[], []];
  for (const [entry, file] of Object.entries(readConfig().exports)) {
    const source = Deno.readTextFileSync(new URL(file, root));
    split[/^export /m.test(source) ? 0 : 1].push(entry.slice(1));
  }
  return split;
}
