/**
 * Checks the code fences of Markdown files.
 *
 * Each must name its language, and no TypeScript may hide from
 * `deno check --doc` and `deno test --doc` behind `ignore`.
 */
// deno-lint-ignore-file no-console -- a command

/** What is wrong with the fences of a text, one line each. */
export function fenceProblems(markdown: string): string[] {
  const problems: string[] = [];
  let open: string | undefined;
  markdown.split(/\r?\n/).forEach((row, index) => {
    const [, mark = "", info = ""] = row.match(/^ *(`{3,}|~{3,})(.*)$/) ?? [];
    if (!mark) return;
    if (open !== undefined) {
      if (mark.startsWith(open) && info.trim() === "") open = undefined;
      return;
    }
    open = mark;
    const [language, ...words] = info.trim().split(/[\s,]+/);
    const at = `line ${index + 1}`;
    if (!language) problems.push(`${at}: the fence names no language`);
    else if (/^(js|jsx|javascript)$/.test(language)) {
      problems.push(`${at}: ${language} is not type-checked, write ts`);
    } else if (/^(ts|tsx|typescript)$/.test(language)) {
      if (words.includes("ignore")) problems.push(`${at}: it is ignored`);
    }
  });
  if (open !== undefined) problems.push("the last fence is not closed");
  return problems;
}

if (import.meta.main) {
  for (const file of Deno.args) {
    for (const problem of fenceProblems(Deno.readTextFileSync(file))) {
      console.error(`${file}: ${problem}`);
      Deno.exitCode = 1;
    }
  }
}
