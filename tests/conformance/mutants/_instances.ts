import type { EngineRecord } from "../../../mod.ts";
import { Recent } from "../_recent.ts";

/** How long a cache lasts, in milliseconds. */
export const SECOND = 1000;

export interface Kept {
  readonly record: EngineRecord | null;
  readonly until: number;
}

/** What all instances over a namespace share. */
export function perNamespace<T>(create: () => T): (namespace: string) => T {
  const all = new Recent<T>();
  return (namespace) => {
    const found = all.get(namespace) ?? create();
    all.set(namespace, found);
    return found;
  };
}
