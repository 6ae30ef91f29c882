/**
 * Writes `conformance/SPEC.md` from the rules of the conformance suite.
 *
 * `deno run -A tools/spec.ts`, or with `--check` to compare only.
 */
// deno-lint-ignore-file no-console -- a command
import { exists } from "@std/fs";
import { fileURLToPath } from "node:url";
import { GROUPS } from "../conformance/formats/common.ts";
import { exempt, spared } from "../conformance/profiles.ts";
import {
  CAPABILITIES,
  type Rule,
  RULE_SET,
  rules,
} from "../conformance/mod.ts";
import { deno, root } from "./project.ts";

/** Where the text belongs. */
const file = new URL("conformance/SPEC.md", root);

/** The specification, before it is formatted. */
export function specText(
  rules: readonly Rule[],
): string {
  const lines = [
    `# Session conformance, rules ${RULE_SET}`,
    "",
    "Generated from the rules in `conformance/rules/` by `deno run -A tools/spec.ts`.",
    "",
    "A storage is **conformant** if it keeps every rule of the level *must* that applies to it. A rule applies where the storage claims all the capabilities that the rule names; a rule without any applies to every storage. A rule of the level *should* is reported, and decides nothing.",
    "",
    "A rule's id is for good: it is never used again, and never given to another rule. A rule set is frozen by its name. A rule that comes after it is provisional: it is tried, and says since when, and belongs to the next set.",
    "",
    "In the rules, *(about the session object)* means that the rule is about what a request does with its session rather than about what is stored; older libraries chose otherwise there, and their profiles say so. *(moves the clock)* means that time passes for the storage while the rule is tried; without a clock, it is not run. Where a storage has `commitSession`, every save is a call of it with `renew: false`: of a session that nobody touched, it then has nothing to send.",
    "",
    "## Outcomes and verdicts",
    "",
    "Each rule has one of five outcomes.",
    "",
    "| Outcome | |",
    "| --- | --- |",
    "| pass | the storage keeps the rule |",
    "| fail | the storage breaks it, or took too long |",
    "| error | the suite, the target or one of its hooks broke, or something was thrown where nobody awaits it |",
    "| not applicable | the storage does not claim or have what the rule is about, or its profile is exempt from it |",
    "| not run | the storage claims it, and it could not be tried; never as good as a pass |",
    "",
    "They come to one of four verdicts, and on the command line to an exit status.",
    "",
    "| Verdict | | Status |",
    "| --- | --- | --- |",
    "| conformant | every rule that applies was tried and kept | 0 |",
    "| partial | no *must* fails but those that were expected to; or not all rules were asked for | 0 |",
    "| nonconformant | a *must* fails, or an expected failure does not happen | 1 |",
    "| incomplete | a rule is an error or was not run | 2, 3 |",
    "",
    "An error makes the status 2, as does a command that is misused; rules that were not run alone make it 3.",
    "",
    'A **baseline** is a file of expected failures, for one rule set: `{ "ruleSet": "' +
    RULE_SET +
    '", "expected": { "REGEN-04": "reason" } }`. Each needs a reason. One whose rule passes by now is stale, and a failure: the verdict is nonconformant until it is taken out.',
    "",
    "## Capabilities",
    "",
    "What a storage claims is tested, and what it does not claim is not demanded. What is claimed and cannot be tried is *not run*, which is never as good as a pass.",
    "",
    ...Object.entries(CAPABILITIES).map(([name, promise]) =>
      `- \`${name}\`: ${promise}`
    ),
  ];
  for (const [prefix, name] of Object.entries(GROUPS)) {
    const members = rules.filter(({ id }) => id.startsWith(`${prefix}-`));
    if (members.length === 0) continue;
    lines.push("", `## ${name}`);
    for (const rule of members) lines.push("", ...ruleLines(rule));
  }
  return lines.join("\n") + "\n";
}

function ruleLines(rule: Rule): string[] {
  const { id, level, since, capabilities, session, timed, sentence, why } =
    rule;
  const facts = [
    ...level === "should" ? ["*should*"] : [],
    ...capabilities.length > 0
      ? [`where claimed: ${capabilities.map((c) => `\`${c}\``).join(", ")}`]
      : [],
    ...session ? ["about the session object"] : [],
    ...timed ? ["moves the clock"] : [],
    ...since === RULE_SET ? [] : [`since ${since}, provisional`],
  ];
  const profiles = (["react-router", "remix"] as const).flatMap((profile) => {
    const reason = exempt(profile, id);
    const part = spared(profile, id);
    return [
      ...reason ? [`not for the profile \`${profile}\`: ${reason}`] : [],
      ...part ? [`not asked of the profile \`${profile}\` is ${part}`] : [],
    ];
  });
  const text = [...facts, ...profiles].join("; ");
  return [
    `### ${id}`,
    "",
    `**${markdown(sentence)}** ${markdown(why)}`,
    ...text === "" ? [] : ["", `(${text})`],
  ];
}

/** Text that Markdown shows as it is. */
function markdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>]/g, (character) => `\\${character}`);
}

async function format(text: string): Promise<string> {
  const path = Deno.makeTempFileSync({ suffix: ".md" });
  try {
    Deno.writeTextFileSync(path, text);
    const answer = await deno(["fmt", "--no-config", path]);
    if (!answer.ok) throw new Error(answer.text);
    return Deno.readTextFileSync(path);
  } finally {
    Deno.removeSync(path);
  }
}

if (import.meta.main) {
  const text = await format(specText(rules));
  const path = fileURLToPath(file);
  if (!Deno.args.includes("--check")) Deno.writeTextFileSync(path, text);
  else if (!await exists(path) || Deno.readTextFileSync(path) !== text) {
    console.error("conformance/SPEC.md: run `deno run -A tools/spec.ts`");
    Deno.exitCode = 1;
  }
}
