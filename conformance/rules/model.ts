import type { Rule } from "./_rule.ts";

export const model: readonly Rule[] = [];
