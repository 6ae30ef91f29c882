import type { Rule } from "./_rule.ts";

export const unset: readonly Rule[] = [];
