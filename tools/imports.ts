/**
 * Checks, from `deno info --json`, that imports point one way.
 *
 * `mod → middleware → storage → core`, types included; the conformance suite
 * sees the contract's types and nothing else. Inside `storage/`, the factories
 * join `engines/` and `sessions/`, which never meet. No file may import itself,
 * not even by way of other files.
 */
// deno-lint-ignore-file no-console -- a command
import { fileURLToPath } from "node:url";
import { configPath, deno, filesIn, root } from "./project.ts";

/** One import: who imports what. */
export interface Import {
  /** The importing file, from the root. */
  from: string;
  /** The imported file, from the root, or what is written for a package. */
  to: string;
  /** Whether only types are imported. */
  typeOnly: boolean;
}

const layers = ["core", "storage", "middleware", "testing", "mod.ts"];
const contract = "storage/contract.ts";
const external = /^(node:|@std\/assert\b)/;

/** What an engine may import of the core: it knows nothing of sessions. */
const ENGINE_CORE = ["bytes", "call_timeout", "runtime"].map((name) =>
  `core/${name}.ts`
);

/** Why an import inside the published files of `storage/` is not allowed. */
function storageObjection(from: string, to: string): string | undefined {
  if (from.startsWith("storage/engines/")) {
    return to.startsWith("storage/engines/") || to === contract ||
        ENGINE_CORE.includes(to)
      ? undefined
      : "an engine must not know";
  }
  if (from.startsWith("storage/sessions/") || from === contract) {
    return to.startsWith("core/") || to === contract ||
        to.startsWith("storage/sessions/") && from !== contract
      ? undefined
      : `${from === contract ? "the contract" : "sessions/"} must not know`;
  }
  return undefined;
}

/** Why an import is not allowed; `undefined` where it is. */
export function objection({ from, to, typeOnly }: Import): string | undefined {
  const [source = ""] = from.split("/");
  const [target = ""] = to.split("/");
  if (external.test(to)) return undefined;
  if (source === "conformance") {
    if (target === "conformance") return undefined;
    if (to !== contract) return `is not the contract, ${contract}`;
    return typeOnly ? undefined : "must be imported with `import type`";
  }
  const rank = layers.indexOf(target);
  if (rank === -1) return "is not in a layer that is published";
  if (rank > layers.indexOf(source)) return `is above ${source}`;
  return storageObjection(from, to);
}

/** The first cycle of imports, as a path that ends where it begins; `undefined` if there is none. */
export function findCycle(imports: readonly Import[]): string[] | undefined {
  const graph = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const { to } of graph.get(file) ?? []) {
      const cycle = visit(to);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return undefined;
}

interface Dependency {
  specifier: string;
  code?: { specifier?: string };
  type?: { specifier?: string };
}

/** What is read of the answer of `deno info --json`. */
export interface Info {
  /** Every module of the graph. */
  modules: { specifier: string; dependencies?: Dependency[] }[];
}

/** The imports of the published files, from the answer of `deno info --json`. */
export function importsOf(info: Info, base: string): Import[] {
  const imports: Import[] = [];
  for (const { specifier, dependencies = [] } of info.modules) {
    if (!specifier.startsWith(base)) continue;
    const from = specifier.slice(base.length);
    if (!isPublished(from)) continue;
    for (const { code, type, specifier: written } of dependencies) {
      const found = code?.specifier ?? type?.specifier ?? written;
      const isLocal = /^(\.|file:)/.test(written) && found.startsWith(base);
      const to = isLocal ? found.slice(base.length) : written;
      imports.push({ from, to, typeOnly: !code });
    }
  }
  return imports;
}

function isPublished(path: string): boolean {
  const [top = ""] = path.split("/");
  if (path.endsWith("_test.ts")) return false;
  // The reports come with code of their own, against other libraries.
  if (path.startsWith("conformance/reports/")) return false;
  return top === "conformance" || layers.includes(top);
}

/** Asks for the graph of all published files at once. */
async function readInfo(): Promise<Info> {
  const files = await filesIn(["conformance", ...layers]);
  const lines = files.map((url) => `import "${url}";\n`);
  const folder = Deno.makeTempDirSync();
  try {
    const all = `${folder}/all.ts`;
    Deno.writeTextFileSync(all, lines.join(""));
    const config = fileURLToPath(configPath);
    const answer = await deno(["info", "--json", "--config", config, all]);
    if (!answer.ok) throw new Error(answer.text);
    return JSON.parse(answer.stdout);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const imports = importsOf(await readInfo(), root.href);
  let failed = 0;
  for (const item of imports) {
    const reason = objection(item);
    if (!reason) continue;
    failed++;
    console.error(`${item.from} imports ${item.to}, which ${reason}`);
  }
  const cycle = findCycle(imports);
  if (cycle) {
    failed++;
    console.error(`these files import each other: ${cycle.join(" → ")}`);
  }
  console.log(`${imports.length} imports, ${failed} not allowed`);
  if (failed > 0 || imports.length === 0) Deno.exit(1);
}
