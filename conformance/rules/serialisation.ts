import type { Rule } from "./_rule.ts";

export const serialisation: readonly Rule[] = [];
