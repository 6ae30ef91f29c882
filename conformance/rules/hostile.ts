import type { Rule } from "./_rule.ts";

export const hostile: readonly Rule[] = [];
