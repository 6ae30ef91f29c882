import type { EngineRecord } from "../../../mod.ts";

/** How long a cache lasts, in milliseconds. */
export const SECOND = 1000;

export interface Kept {
  readonly record: EngineRecord | null;
  readonly until: number;
}

/** What all instances over a namespace share. */
export function perNamespace<T>(create: () => T): (namespace: string) => T {
  const all = new Map<string, T>();
  return (namespace) => {
    const found = all.get(namespace) ?? create();
    all.set(namespace, found);
    return found;
  };
}
