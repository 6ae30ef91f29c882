/**
 * Type-checks the files for every runtime where no `Deno` is known.
 *
 * The options are those of deno.json, with another `lib`.
 */
// deno-lint-ignore-file no-console -- a command
import { fileURLToPath } from "node:url";
import {
  deno,
  filesIn,
  readConfig,
  root,
  substitutes,
  writeConfig,
} from "./project.ts";

const config = readConfig();
config.compilerOptions["lib"] = [
  "esnext",
  "dom",
  "dom.iterable",
  "dom.asynciterable",
];
config.links = substitutes(config).map((folder) => new URL(folder, root).href);
delete config.workspace;
const folder = Deno.makeTempDirSync();
try {
  const path = `${folder}/deno.json`;
  writeConfig(path, config);
  const files = await filesIn(["mod.ts", "middleware", "storage", "core"]);
  const { ok, text } = await deno(
    [
      "check",
      "--no-lock",
      "--config",
      path,
      ...files.map((url) => fileURLToPath(url)),
    ],
  );
  console.log(text);
  if (!ok) Deno.exitCode = 1;
} finally {
  Deno.removeSync(folder, { recursive: true });
}
