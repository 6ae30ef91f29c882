/**
 * The results as text: for the terminal, and `bench/RESULTS.md`.
 *
 * @module
 */
import type { Served } from "./http.ts";
import { OURS } from "./peers.ts";
import type { Other, Results, Row, RuntimeResults } from "./results.ts";

/** About three digits; a dash for what was not measured. */
export function short(n: number): string {
  if (!Number.isFinite(n) || n === 0) return "–";
  if (n >= 100) return n.toFixed(0);
  return n >= 10 ? n.toFixed(1) : n.toFixed(2);
}

/** How many times this library's time a library takes; how many times a floor's time this library takes. */
export function ratioOf({ floor, ratio }: Other): number {
  return floor ? 1 / ratio.median : ratio.median;
}

/** The spread of each ratio: half the distance of its quartiles, as a share of it. */
function spreads({ others }: Row): number[] {
  return Object.values(others).map(({ ratio }) =>
    (ratio.high - ratio.low) / 2 / ratio.median
  );
}

/** A run on one runtime, for the terminal. */
export function plainTable({ version, rows, servers }: RuntimeResults): string {
  const lines = [
    "",
    `${version}: CPU µs a request; how many times that a library takes; ` +
    "how many times a floor that is",
  ];
  for (const [row, measured] of Object.entries(rows)) {
    const others = Object.entries(measured.others).map(([name, other]) =>
      `${name} ${short(ratioOf(other))}`
    );
    const percent = (Math.max(0, ...spreads(measured)) * 100).toFixed(0);
    lines.push(
      `${row.padEnd(20)} ${short(measured.ours.median).padStart(5)} µs  ` +
        `${others.join(" · ")}  (±${percent} %)`,
    );
  }
  for (const { name, kind, memory, paths } of servers) {
    const loads = Object.entries(paths).map(([path, { perSecond, cpu, p99 }]) =>
      `${path} ${short(perSecond.median)}/s, ${short(cpu.median)} µs, ` +
      `p99 ${short(p99)} ms`
    );
    const title = `${name} ${kind}`.padEnd(26);
    lines.push(`${title} ${loads.join(" · ")} · ${memory.toFixed(0)} MiB`);
  }
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
  }. Peers: ${versions.join(", ")}. Medians of ${rounds} rounds.

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

function runtimeSection({ version, rows, servers }: RuntimeResults): string {
  const parts = [`## ${version}\n`];
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
  const all = Object.values(rows).flatMap(spreads).sort((a, b) => a - b);
  const at = (share: number) =>
    ((all[Math.floor((all.length - 1) * share)] ?? 0) * 100).toFixed(0);
  parts.push(
    `Spread: half of the rounds are within ±${
      at(0.5)
    } % of a ratio's median, ` +
      `and within ±${at(0.9)} % for nine ratios of ten.\n`,
  );
  if (servers.length > 0) {
    parts.push("### HTTP\n", serversTable(servers));
  }
  return parts.join("\n");
}

function rowsTable(
  kind: string,
  actions: readonly string[],
  rows: RuntimeResults["rows"],
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
    [OURS, ...there.map(({ ours }) => `${short(ours.median)} µs`)],
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
        const beyond = cpu.median - (bare?.paths[path].cpu.median ?? 0);
        return [
          perSecond.median.toFixed(0),
          short(cpu.median),
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
