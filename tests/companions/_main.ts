/**
 * Compares the flows of one version, in a process of its own: in one process, all companions have to share one version
 * of React Router.
 *
 * @module
 */
import { compare, type Comparison, type Version } from "./_compare.ts";

/** What a process prints. */
export type Printed = readonly Comparison[] | { readonly missing: string };

async function main(name: string): Promise<Printed> {
  let version: Version;
  try {
    ({ version } = await import(`./_${name}.ts`));
  } catch (error) {
    return { missing: String(error) };
  }
  return await compare(version);
}

if (import.meta.main) {
  const [name = ""] = Deno.args;
  // deno-lint-ignore no-console -- the test reads it
  console.log(JSON.stringify(await main(name)));
}
