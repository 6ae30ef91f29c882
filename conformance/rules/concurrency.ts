import type { Rule } from "./_rule.ts";

export const concurrency: readonly Rule[] = [];
