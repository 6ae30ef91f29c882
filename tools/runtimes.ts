/**
 * Keeps the table of `docs/runtimes.md`, of what works where, equal to what the tests run.
 *
 * `deno run -A tools/runtimes.ts` writes it; `--check` fails if it differs.
 */
// deno-lint-ignore-file no-console -- a command
import {
  type Row,
  rows,
  type Runtime,
  RUNTIMES,
} from "../tests/runtimes/matrix.ts";
import { deno, root } from "./project.ts";

const DOCUMENT = "docs/runtimes.md";
const TABLE = /(<!-- table: where it runs -->\n\n)(?:\|[^\n]*\n)*/;

/** The table, before it is formatted. */
export function runtimesTable(): string {
  const nodes: Runtime[] = ["node20", "node"];
  const versions = nodes.map((name) => RUNTIMES[name].replace("Node ", ""));
  const lines = [
    ["", "Deno", "Bun", `Node ${versions.join(", ")}`, "Workers", "Why not"],
    ["---", "---", "---", "---", "---", "---"],
    ...rows.map(([, row]) => [
      row.title,
      cell(row, ["deno"]),
      cell(row, ["bun"]),
      cell(row, nodes),
      cell(row, ["workers", "workersNode"]),
      row.why ?? "",
    ]),
  ];
  return lines.map((line) => `| ${line.join(" | ")} |\n`).join("");
}

function cell({ on, needs = {} }: Row, column: readonly Runtime[]): string {
  const there = column.filter((runtime) => on.includes(runtime));
  const [first] = there;
  if (first === undefined) return "no";
  const brought = needs[first];
  if (there.length === column.length) {
    return brought ? `with ${brought}` : "yes";
  }
  const [, flag = RUNTIMES[first]] = RUNTIMES[first].split(", ");
  return `with ${brought ?? flag}`;
}

/** The document with the table as the tests have it. */
export async function fillTable(document: string): Promise<string> {
  if (!TABLE.test(document)) {
    throw new Error(`Cannot find the table in ${DOCUMENT}`);
  }
  const path = Deno.makeTempFileSync({ suffix: ".md" });
  try {
    Deno.writeTextFileSync(path, runtimesTable());
    const { ok, text } = await deno(["fmt", "--no-config", path]);
    if (!ok) throw new Error(text);
    const table = Deno.readTextFileSync(path);
    return document.replace(TABLE, (_, mark) => mark + table);
  } finally {
    Deno.removeSync(path);
  }
}

if (import.meta.main) {
  const path = new URL(DOCUMENT, root);
  const document = Deno.readTextFileSync(path);
  const filled = await fillTable(document);
  if (!Deno.args.includes("--check")) Deno.writeTextFileSync(path, filled);
  else if (filled !== document) {
    console.error(`${DOCUMENT}: run \`deno run -A tools/runtimes.ts\``);
    Deno.exitCode = 1;
  }
}
