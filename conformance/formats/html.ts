/**
 * A report as one self-contained page, without scripts or other files.
 *
 * @module
 */
import {
  byGroup,
  countText,
  cutShort,
  escapeXml,
  groupOf,
  GROUPS,
  levelsOf,
  type Mark,
  markOf,
  MARKS,
  ruleOf,
  staleText,
} from "./common.ts";
import type { Report, RuleResult } from "../types.ts";

/** The reports as a page. */
export function formatHtml(
  reports: readonly Report[],
  again: (report: Report, rule: string) => string,
): string {
  const ruleSet = escapeXml(reports[0]?.ruleSet ?? "");
  return [
    "<!doctype html>",
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="color-scheme" content="light dark">',
    "<title>Session conformance</title>",
    `<style>${STYLE}</style>`,
    `<main><h1>Session conformance <small>rules ${ruleSet}</small></h1>`,
    reports.length > 1 ? overview(reports) : "",
    ...reports.map((report, index) => section(report, `r${index}`, again)),
    `<p class="legend">${
      (Object.keys(MARKS) as Mark[]).map((mark) =>
        `<span>${badge(mark)} ${MARKS[mark].word}</span>`
      ).join(" ")
    }</p>`,
    "</main></html>",
    "",
  ].join("\n");
}

function overview(reports: readonly Report[]): string {
  const rows = reports.map((report, index) =>
    `<tr><th scope="row"><a href="#r${index}">${
      escapeXml(report.target)
    }</a></th><td>${verdict(report)}</td><td>${
      countText(report.results)
    }</td></tr>`
  );
  return `<table class="overview"><tbody>${rows.join("")}</tbody></table>`;
}

function section(
  report: Report,
  id: string,
  again: (report: Report, rule: string) => string,
): string {
  const { results, notes } = report;
  const told = results.filter((result) =>
    !["pass", "not-applicable"].includes(markOf(result))
  );
  return [
    `<section id="${id}"><h2>${escapeXml(report.target)} ${
      verdict(report)
    }</h2>`,
    `<p>${countText(results)}</p>`,
    facts(report),
    grid(results, id),
    ...told.map((result) => problem(report, result, id, again)),
    notes.length === 0
      ? ""
      : `<h3>Notes</h3><ul>${
        notes.map((note) => `<li>${escapeXml(note)}</li>`).join("")
      }</ul>`,
    catalogue(results),
    "</section>",
  ].filter((part) => part !== "").join("\n");
}

/** What was tried, and how. */
function facts(report: Report): string {
  const { seed, clock, versions, date, latencyMs, results } = report;
  const short = cutShort(results).map(({ rule, rounds }) =>
    `${rule} ${rounds?.ran} of ${rounds?.of}`
  );
  const rows: [string, string][] = [
    ...levelsOf(report).map(([title, names]): [string, string] => [
      title.replace(/^./, (first) => first.toUpperCase()),
      names.join(", "),
    ]),
    ["Clock", clock],
    ["A call takes", `${latencyMs} ms`],
    ...short.length > 0
      ? [["Some of the cases", short.join(", ")] as [string, string]]
      : [],
    [
      "Versions",
      Object.entries(versions).map((pair) => pair.join(" ")).join(", "),
    ],
    ["Date, seed", `${date}, ${seed}`],
  ];
  return `<dl class="facts">${
    rows.map(([term, text]) => `<dt>${term}</dt><dd>${escapeXml(text)}</dd>`)
      .join("")
  }</dl>`;
}

/** Groups × rules. */
function grid(results: readonly RuleResult[], id: string): string {
  const groups = byGroup(results);
  const number = (result: RuleResult) =>
    result.rule.slice(groupOf(result.rule).length + 1);
  const columns = [...new Set(results.map(number))].sort();
  const rows = [...groups].map(([group, members]) => {
    const cells = columns.map((column) => {
      const result = members.find((member) => number(member) === column);
      return result ? `<td>${cell(result, id)}</td>` : "<td></td>";
    });
    return `<tr><th scope="row">${escapeXml(GROUPS[group] ?? group)}</th>${
      cells.join("")
    }</tr>`;
  });
  return `<div class="scroll"><table class="grid"><thead><tr><td></td>${
    columns.map((column) => `<th scope="col">${escapeXml(column)}</th>`).join(
      "",
    )
  }</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function cell(result: RuleResult, id: string): string {
  const mark = markOf(result);
  const label = escapeXml(
    `${result.rule} ${MARKS[mark].word}: ${
      ruleOf(result.rule)?.sentence ?? ""
    }`,
  );
  const quiet = mark === "pass" || mark === "not-applicable";
  return quiet
    ? badge(mark, label)
    : `<a href="#${id}-${escapeXml(result.rule)}">${badge(mark, label)}</a>`;
}

function problem(
  report: Report,
  result: RuleResult,
  id: string,
  again: (report: Report, rule: string) => string,
): string {
  const mark = markOf(result);
  const rule = ruleOf(result.rule);
  const { got, want, trace = [], expected } = result;
  const facts: [string, string][] = [[
    "Reason",
    mark === "stale" ? staleText(result) : result.reason ?? "",
  ]];
  if (expected !== undefined && mark !== "stale") {
    facts.push(["Expected", expected]);
  }
  if (want !== undefined) facts.push(["Got", got ?? ""], ["Want", want]);
  if (rule) facts.push(["Why", rule.why]);
  facts.push(["Again", again(report, result.rule)]);
  const open = mark === "fail" || mark === "stale" || mark === "error";
  // The list numbers the lines itself.
  const steps = trace.map((line) =>
    `<li>${escapeXml(line.replace(/^\d+\. /, ""))}</li>`
  );
  return [
    `<details id="${id}-${escapeXml(result.rule)}"${open ? " open" : ""}>`,
    `<summary>${badge(mark)} <b>${escapeXml(result.rule)}</b> ${
      MARKS[mark].word
    } <span>${escapeXml(rule?.sentence ?? "")}</span></summary>`,
    `<dl>${
      facts.map(([term, text]) =>
        `<dt>${term}</dt><dd${
          /^(Got|Want|Again)$/.test(term) ? ' class="code"' : ""
        }>${escapeXml(text)}</dd>`
      ).join("")
    }</dl>`,
    steps.length > 0 ? `<ol>${steps.join("")}</ol>` : "",
    "</details>",
  ].filter((part) => part !== "").join("\n");
}

function catalogue(results: readonly RuleResult[]): string {
  const rows = results.map((result) => {
    const mark = markOf(result);
    const remark = mark === "not-applicable" ? ` (${result.reason})` : "";
    return `<tr><td>${badge(mark)}</td><th scope="row">${
      escapeXml(result.rule)
    }</th><td>${escapeXml(ruleOf(result.rule)?.sentence ?? "")}</td><td>${
      escapeXml(MARKS[mark].word + remark)
    }</td></tr>`;
  });
  return `<details class="all"><summary>All ${results.length} rules</summary><table><tbody>${
    rows.join("\n")
  }</tbody></table></details>`;
}

function badge(mark: Mark, label?: string): string {
  const { symbol } = MARKS[mark];
  return label === undefined
    ? `<span class="m ${mark}" aria-hidden="true">${symbol}</span>`
    : `<span class="m ${mark}" role="img" title="${label}" aria-label="${label}">${symbol}</span>`;
}

function verdict(report: Report): string {
  return `<span class="v ${report.verdict}">${report.verdict}</span>`;
}

const STYLE = `
:root{color-scheme:light dark;--line:light-dark(#d5dae0,#343b44);--soft:light-dark(#57606a,#9aa4af);--page:light-dark(#fff,#0d1117);
--good:light-dark(#d4f3dc,#14432a);--bad:light-dark(#ffd9d6,#67201f);--mixed:light-dark(#fbedc0,#4d3c05);--none:light-dark(#eef0f2,#21262d)}
body{margin:0;background:var(--page);color:light-dark(#1f2328,#e6edf3);font:15px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem 1.25rem 3rem}
h1{font-size:1.5rem}h1 small,dt,.legend,summary span:last-child{color:var(--soft);font-weight:normal}h1 small{font-size:1rem}h2{font-size:1.2rem;margin:2rem 0 0;overflow-wrap:anywhere}
p{margin:.4rem 0 1rem}.scroll{overflow-x:auto}table{border-collapse:collapse}
.grid th,.grid td{padding:.15rem .2rem;text-align:center}.grid th[scope=row]{text-align:left;padding-right:1rem;white-space:nowrap}.grid th{font-weight:normal}.grid thead th{color:var(--soft);font-size:.8rem}
.overview th,.overview td,.all th,.all td{text-align:left;padding:.3rem .8rem .3rem 0;vertical-align:top;border-bottom:1px solid var(--line);overflow-wrap:anywhere}.all th{white-space:nowrap;font-weight:600}
.m{display:inline-block;min-width:1.7em;line-height:1.7em;text-align:center;border-radius:4px;background:var(--none);color:inherit;font-family:ui-monospace,monospace;font-weight:bold}
.m.pass{background:var(--good)}.m.fail,.m.stale,.m.error{background:var(--bad)}.m.not-run,.m.advice,.m.expected{background:var(--mixed)}
a{color:inherit}.grid a{display:inline-block;text-decoration:none;outline-offset:2px}.grid a:hover .m{outline:2px solid}
.v{font-size:.85rem;font-weight:600;padding:.15rem .55rem;border-radius:99px;background:var(--mixed);white-space:nowrap}.v.conformant{background:var(--good)}.v.nonconformant{background:var(--bad)}
details{border:1px solid var(--line);border-radius:6px;margin:.8rem 0;padding:.5rem .8rem}summary{cursor:pointer}details[open]>summary{margin-bottom:.6rem}
.facts{margin:0 0 1rem}.facts dt{white-space:nowrap}
dl{display:grid;grid-template-columns:minmax(5.5rem,max-content) 1fr;gap:.25rem .5rem;margin:0}dd{margin:0;overflow-wrap:anywhere}.code,ol{font-family:ui-monospace,monospace;font-size:.87em}
ol{margin:.8rem 0 .2rem;padding:.6rem .6rem .6rem 3rem;background:var(--none);border-radius:6px;overflow-wrap:anywhere}.legend{margin-top:2rem}.legend span{white-space:nowrap}.legend>span{margin-right:.9rem}
`;
