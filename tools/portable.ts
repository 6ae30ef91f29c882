/**
 * Type-checks the published files where no `Deno` is known, and no feature of the language that Node 20 lacks.
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

/** What the types do not show: `import.meta.main` by itself, and globals that `dom` has. By the Node that brought it. */
const LATER: Readonly<Record<string, string>> = {
  "import.meta.main": "24.2",
  CloseEvent: "23",
  EventSource: "none without a flag",
  localStorage: "25",
  navigator: "21",
  sessionStorage: "25",
  URLPattern: "24",
  WebSocket: "22",
};

/**
 * The features in a source that Node 20 lacks and that the type check cannot find.
 *
 * @param source The source; its comments and texts do not count.
 * @returns A line for each.
 */
export function laterFeatures(source: string): string[] {
  const code = source.replaceAll(
    /\/\*[^]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"/g,
    "",
  );
  // `navigator?.userAgent` and the field of a type are not a use.
  return Object.entries(LATER)
    .filter(([name]) =>
      new RegExp(
        `(?<![\\w$.])${name.replaceAll(".", "\\.")}${
          name.includes(".") ? "(?![\\w$])" : "\\s*[.([]"
        }`,
      ).test(code)
    )
    .map(([name, since]) => `${name} is missing in Node 20 (Node ${since})`);
}

async function check(files: readonly URL[]): Promise<boolean> {
  const config = readConfig();
  config.compilerOptions["lib"] = [
    // What Node 20 has. Not `es2024` as a whole: Map.groupBy and Promise.withResolvers came later.
    "es2023",
    "es2024.string",
    "dom",
    "dom.iterable",
    "dom.asynciterable",
  ];
  config.links = substitutes(config).map((name) => new URL(name, root).href);
  delete config.workspace;
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/deno.json`;
    writeConfig(path, config);
    const { ok, text } = await deno([
      ...["check", "--no-lock", "--config", path],
      ...files.map((url) => fileURLToPath(url)),
    ]);
    console.log(text);
    return ok;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const code = [
    "mod.ts",
    "core",
    "storage",
    "middleware",
    "testing",
    "conformance",
  ];
  // The reports have targets of their own, which Deno runs and which are not published.
  const files = (await filesIn(code))
    .filter(({ pathname }) => !pathname.includes("/conformance/reports/"));
  let ok = await check(files);
  for (const url of files) {
    for (const line of laterFeatures(await Deno.readTextFile(url))) {
      ok = false;
      console.error(`${fileURLToPath(url)}: ${line}`);
    }
  }
  if (!ok) Deno.exitCode = 1;
}
