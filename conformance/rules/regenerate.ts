import type { Rule } from "./_rule.ts";

export const regenerate: readonly Rule[] = [];
