/**
 * Writes `conformance/SPEC.md` from the rules of the conformance suite.
 *
 * `deno run -A tools/spec.ts`, or with `--check` to compare only.
 */
// deno-lint-ignore-file no-console -- a command
import { exists } from "@std/fs";
import { fileURLToPath } from "node:url";
import { GROUPS } from "../conformance/formats/common.ts";
import { type EngineRule, engineRules, NEEDS } from "../conformance/mod.ts";
import { exempt, exemptPart } from "../conformance/profiles.ts";
import {
  CAPABILITIES,
  historyRules,
  type Rule,
  RULE_SET,
  rules,
} from "../conformance/mod.ts";
import { deno, root } from "./project.ts";

/** The file of the specification. */
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
    "A storage is **conformant** if it passes every *must* rule that applies to it. A rule that names no capability is a **core** rule, and applies to every storage. The others are **extensions**: a rule applies if the storage claims all capabilities that it names. A report says for the core and for each claim whether it is kept, and what was not claimed. A *should* rule is reported and does not affect conformance.",
    "",
    "A rule's id is permanent: it is never used for another rule. A rule set does not change once it has its name. A rule that is added later is provisional: it is tried, shows since when it exists, and belongs to the next rule set.",
    "",
    "*(about the session object)* marks a rule about the session of one request, rather than about stored sessions. Older libraries differ here, and their profiles exempt them. *(moves the clock)* marks a rule during which time passes for the storage; without a clock, it is not run. If a storage has `commitSession`, the suite saves by calling it with `renew: false`: it then has nothing to send for an unchanged session. A *late save* is the save of a request that read the session before another request changed or ended it.",
    "",
    "## Outcomes and verdicts",
    "",
    "Each rule has one of five outcomes.",
    "",
    "| Outcome | |",
    "| --- | --- |",
    "| pass | the storage satisfies the rule |",
    "| fail | the storage breaks the rule |",
    "| error | the suite, the target or one of its hooks failed, the storage did not answer, or an error was thrown outside of every call |",
    "| not applicable | the storage does not claim a capability that the rule needs, or does not have its subject, or its profile is exempt |",
    "| not run | the rule applies, but could not be tried, or ran out of time |",
    "",
    "The outcomes lead to one of four verdicts and, on the command line, to an exit status.",
    "",
    "| Verdict | | Status |",
    "| --- | --- | --- |",
    "| conformant | every rule that applies was tried and passed | 0 |",
    "| partial | only *should* rules and expected failures fail, or only some rules were selected | 0 |",
    "| nonconformant | a *must* rule fails unexpectedly, or an expected failure does not happen | 1 |",
    "| incomplete | the outcome of a rule is error or not run | 2, 3 |",
    "",
    "The status is 2 if an outcome is error or the command was misused, and 3 if rules were only not run.",
    "",
    'A **baseline** is a file of expected failures, for one rule set: `{ "ruleSet": "' +
    RULE_SET +
    '", "expected": { "REGEN-04": "reason" } }`. Each needs a reason. If the rule passes, the expectation is stale and the verdict is nonconformant until it is removed.',
    "",
    "## Time",
    "",
    "The suite first measures how long a call takes. If a call takes 2 ms or more, rules do not run all of their cases; the report says how many ran. A rule may take as long as 1,000 calls, but at least 10 s and at most 180 s, or as long as the option `deadline` says.",
    "",
    "## Capabilities",
    "",
    "The suite tests the capabilities that a storage claims, and nothing else. If a claim cannot be tested, the outcome is *not run*.",
    "",
    ...Object.entries(CAPABILITIES).map(([name, promise]) =>
      `- \`${name}\`: ${promise}`
    ),
  ];
  for (const [prefix, name] of Object.entries(GROUPS)) {
    if (prefix === "ENGINE") continue;
    const members = rules.filter(({ id }) => id.startsWith(`${prefix}-`));
    if (members.length === 0) continue;
    lines.push("", `## ${name}`);
    if (prefix === "HISTORY") {
      lines.push(
        "",
        "`checkHistory` tries these rules, by several processes that work on the same sessions. `checkStorage` does not.",
      );
    }
    for (const rule of members) lines.push("", ...ruleLines(rule));
  }
  lines.push("", ...engineLines(engineRules));
  return lines.join("\n") + "\n";
}

/** The section about engines by themselves. */
function engineLines(rules: readonly EngineRule[]): string[] {
  return [
    "## Engine",
    "",
    "`checkEngine(target)` tries these rules on an engine by itself, before a session storage uses it. They are the sentences of its contract, the comment of `Engine` in `storage/contract.ts`. The outcomes and verdicts are the same; `checkStorage` does not run them.",
    "",
    "An engine does not claim capabilities. A rule applies if the engine has everything that the rule needs:",
    "",
    ...Object.entries(NEEDS).map(([name, how]) => `- \`${name}\`: ${how}`),
    "",
    "If `open` throws, one of the engine's first calls is rejected (for example because its table is missing), a call does not answer, or an answer has a wrong type, the outcome is *error*, and says what to change.",
    ...rules.flatMap((rule) => {
      const { id, needs, timed, sentence, why } = rule;
      const facts = [
        ...needs.length > 0
          ? [`needs ${needs.map((need) => `\`${need}\``).join(", ")}`]
          : [],
        ...timed ? ["moves the clock"] : [],
      ];
      return [
        "",
        `### ${id}`,
        "",
        `**${markdown(sentence)}** ${markdown(why)}`,
        ...facts.length > 0 ? ["", `(${facts.join("; ")})`] : [],
      ];
    }),
  ];
}

function ruleLines(rule: Rule): string[] {
  const { id, level, since, capabilities, session, timed, sentence, why } =
    rule;
  const facts = [
    ...level === "should" ? ["*should*"] : [],
    ...capabilities.length > 0
      ? [`if claimed: ${capabilities.map((c) => `\`${c}\``).join(", ")}`]
      : [],
    ...session ? ["about the session object"] : [],
    ...timed ? ["moves the clock"] : [],
    ...since > RULE_SET ? [`since ${since}, provisional`] : [],
    ...since === RULE_SET ? [`since ${since}`] : [],
  ];
  const profiles = (["react-router", "remix"] as const).flatMap((profile) => {
    const reason = exempt(profile, id);
    const part = exemptPart(profile, id);
    return [
      ...reason
        ? [`does not apply to the profile \`${profile}\`: ${reason}`]
        : [],
      ...part
        ? [`for the profile \`${profile}\`, this part does not apply: ${part}`]
        : [],
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

/** Text that Markdown shows as it is, with code in backticks. */
export function markdown(text: string): string {
  return text.replaceAll(
    /`[^`]+`|[\\`*_[\]<>]/g,
    (found) => found.length > 1 ? found : `\\${found}`,
  );
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
  const text = await format(specText([...rules, ...historyRules]));
  const path = fileURLToPath(file);
  if (!Deno.args.includes("--check")) Deno.writeTextFileSync(path, text);
  else if (!await exists(path) || Deno.readTextFileSync(path) !== text) {
    console.error("conformance/SPEC.md: run `deno run -A tools/spec.ts`");
    Deno.exitCode = 1;
  }
}
