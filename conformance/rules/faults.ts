import type { Rule } from "./_rule.ts";

export const faults: readonly Rule[] = [];
