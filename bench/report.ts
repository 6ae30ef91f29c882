/**
 * The results as text: for the terminal, and `bench/RESULTS.md`.
 *
 * @module
 */
import { agreementText } from "./agreement.ts";
import type { Served } from "./http.ts";
import { OURS } from "./peers.ts";
import type { Other, Results, Row, Run, RuntimeResults } from "./results.ts";

/** About three digits; a dash for what was not measured. */
export function short(n: number): string {
  if (!Number.isFinite(n) || n === 0) return "–";
  if (n >= 100) return n.toFixed(0);
  return n >= 10 ? n.toFixed(1) : n.toFixed(2);
}

/** How many times this library's time a library takes; how many times a floor's time this library takes. */
export function ratioOf({ floor, ratio }: Other): number {
  return floor ? 1 / ratio : ratio;
}

/** Both runs on one runtime, for the terminal. */
export function plainTable(
  { version, rows, servers, agreement }: RuntimeResults,
): string {
  const lines = [
    "",
    `${version}: CPU µs a request; how many times that a library takes; ` +
    "how many times a floor that is",
  ];
  for (const [row, measured] of Object.entries(rows)) {
    const others = Object.entries(measured.others).map(([name, other]) =>
      `${name} ${short(ratioOf(other))}`
    );
    lines.push(
      `${row.padEnd(20)} ${short(measured.ours).padStart(5)} µs  ` +
        others.join(" · "),
    );
  }
  for (const { name, kind, memory, paths } of servers) {
    const loads = Object.entries(paths).map(([path, { perSecond, cpu, p99 }]) =>
      `${path} ${short(perSecond)}/s, ${short(cpu)} µs, ` +
      `p99 ${short(p99)} ms`
    );
    const title = `${name} ${kind}`.padEnd(26);
    lines.push(`${title} ${loads.join(" · ")} · ${memory.toFixed(0)} MiB`);
  }
  if (agreement.ratios > 0) lines.push(agreementText(agreement));
  return lines.join("\n");
}

/** The file that a run writes. */
export function markdown(results: Results): string {
  const { date, machine, packages, rounds } = results;
  const versions = Object.entries(packages).map(([name, version]) =>
    `${name} ${version}`
  );
  const runtimes = Object.values(results.runtimes);
  return `# Results

<!-- Written by \`deno task bench\`. -->

${date}, ${machine}. ${
    runtimes.map(({ version }) => version).join(", ")
  }. Peers: ${versions.join(", ")}. Two runs of ${rounds} rounds.

[How this is measured](README.md) says what the rows mean. In short: \`${OURS}\`
is in µs of CPU time a request. A peer's number is how many times that it takes:
above 1, it is slower. A floor's number is how many times the floor's time
\`${OURS}\` takes.

${runtimes.map(runtimeSection).join("\n")}`;
}

const TITLES: Readonly<Record<string, string>> = {
  signed: "Signed cookie",
  sealed: "Sealed cookie",
  memory: "Memory",
  file: "Files",
  kv: "Deno KV",
};

const ACTIONS = [
  ...["anonymous", "S read", "S request", "S look", "S write"],
  ...["S read x64", "S write x64"],
];
const LARGE = [
  ...["L read", "L look", "L write", "L write x64"],
  ...["XL read", "XL look", "XL write"],
];

function runtimeSection(
  { version, rows, servers, agreement }: RuntimeResults,
): string {
  const parts = [`## ${version}\n`, `${agreementText(agreement)}\n`];
  for (const [kind, title] of Object.entries(TITLES)) {
    for (const actions of [ACTIONS, LARGE]) {
      const there = actions.filter((action) => rows[`${kind} ${action}`]);
      if (there.length === 0) continue;
      parts.push(
        `### ${title}${actions === LARGE ? ", large sessions" : ""}\n`,
      );
      parts.push(rowsTable(kind, there, rows));
    }
  }
  if (servers.length > 0) {
    parts.push("### HTTP\n", serversTable(servers));
  }
  return parts.join("\n");
}

function rowsTable(
  kind: string,
  actions: readonly string[],
  rows: Run["rows"],
): string {
  const there = actions.map((action) => rows[`${kind} ${action}`] as Row);
  const names = Object.keys(there[0]?.others ?? {});
  const cells = names.map((name) => [
    name,
    ...there.map(({ others }) => {
      const other = others[name];
      return other ? `${short(ratioOf(other))} ×` : "";
    }),
  ]);
  return table([
    ["", ...actions.map((action) => action.replace("x64", "× 64"))],
    [OURS, ...there.map(({ ours }) => `${short(ours)} µs`)],
    ...cells,
  ]);
}

function serversTable(servers: readonly Served[]): string {
  const bare = servers.find(({ name }) => name === "bare");
  return table([
    [
      "",
      ...["read/s", "CPU, µs", "beyond bare", "p99, ms"],
      ...["change/s", "CPU, µs", "beyond bare", "p99, ms"],
      "MiB",
    ],
    ...servers.map(({ name, kind, memory, paths }) => [
      kind === "" ? name : `${name}, ${kind}`,
      ...(["/read", "/change"] as const).flatMap((path) => {
        const { perSecond, cpu, p99 } = paths[path];
        const beyond = cpu - (bare?.paths[path].cpu ?? 0);
        return [
          perSecond.toFixed(0),
          short(cpu),
          name === "bare" ? "" : short(beyond),
          short(p99),
        ];
      }),
      memory.toFixed(0),
    ]),
  ]);
}

function table([head = [], ...lines]: readonly string[][]): string {
  const rule = head.map((_, i) => i === 0 ? "---" : "---:");
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("");
}
