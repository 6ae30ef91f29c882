/**
 * Makes an npm package of the library, with `bin`: what JSR's own npm layer cannot carry.
 *
 * `deno task npm` writes it into `.bundle/npm`; `npm publish` or `npm pack` there takes it as it is.
 */
import { fileURLToPath } from "node:url";
import { bundles } from "./bundle.ts";
import { deno, denoBundle, readConfig } from "./project.ts";
import { stage } from "./stage.ts";

/** Where it goes. */
export const npmFolder: URL = new URL("npm/", bundles);

/** The command, by its name and its entry in deno.json. */
const BIN = { "satchel-conformance": "./conformance/cli" };

/** What npm shows of the package, and what bundlers and npm ask of it. */
const ABOUT = {
  description:
    "Sessions for Deno, Bun, Node and Workers: in a cookie, in SQL, Redis and other databases, with a conformance suite for storages",
  keywords: ["session", "cookie", "flash", "login", "middleware", "deno"],
  engines: { node: ">=20.16" },
  sideEffects: false,
} as const;

/** Where the package is built: npm compares it with the provenance of a release. */
function repository(): { type: "git"; url: string } {
  const name = Deno.env.get("GITHUB_REPOSITORY") ?? "satchel/session";
  return { type: "git", url: `git+https://github.com/${name}.git` };
}

/**
 * Makes it anew: types and documents as `deno pack` writes them, the code bundled, so that it depends on nothing.
 *
 * `deno pack` alone depends on packages of `npm.jsr.io`, which npm finds only with a line in `.npmrc`.
 *
 * @param folder Where to. @default {npmFolder}
 * @throws {Error} If a tool fails, with what it says.
 */
export async function npmPackage(folder: URL = npmFolder): Promise<void> {
  const path = fileURLToPath(folder);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  await unpack(path);
  const config = readConfig();
  const flags = ["--platform=browser", "--code-splitting", `--outdir=${path}`];
  await denoBundle(...flags, ...Object.values(config.exports));
  const manifest = new URL("package.json", folder);
  const { dependencies: _, ...rest } = JSON.parse(
    await Deno.readTextFile(manifest),
  );
  const bin = Object.fromEntries(
    // npm refuses paths that begin with "./".
    Object.entries(BIN).map(([name, entry]) => [
      name,
      config.exports[entry]?.replace(/^\.\//, "").replace(/ts$/, "js"),
    ]),
  );
  const { name, version, ...entries } = rest;
  const about = { name, version, ...ABOUT, repository: repository() };
  const text = JSON.stringify({ ...about, ...entries, bin }, null, 2);
  await Deno.writeTextFile(manifest, `${text}\n`);
}

/** Puts in a folder what `deno pack` makes, without its code. */
async function unpack(folder: string): Promise<void> {
  using staged = await stage();
  const tarball = fileURLToPath(new URL("package.tgz", staged.folder));
  const { ok, text } = await deno(
    ["pack", "--allow-dirty", `--output=${tarball}`],
    { cwd: staged.folder },
  );
  if (!ok) throw new Error(`Cannot pack: ${text}`);
  const { success, stderr } = await new Deno.Command("tar", {
    args: [
      ...["-xzf", tarball, "-C", folder, "--strip-components=1"],
      ...["--exclude=*.js", "--exclude=*/docs/*"],
    ],
  }).output();
  if (!success) {
    throw new Error(`Cannot unpack: ${new TextDecoder().decode(stderr)}`);
  }
}

if (import.meta.main) await npmPackage();
