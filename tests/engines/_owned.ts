import type { AnyEngine } from "../../storage/contract.ts";

/** The keys of an owner's records, in the order of the engine. */
export async function ownedKeys(
  engine: AnyEngine,
  owner: string,
): Promise<string[]> {
  return (await engine.owned?.(owner) ?? []).map(({ key }) => key);
}
