import type { Rule } from "./_rule.ts";

export const isolation: readonly Rule[] = [];
