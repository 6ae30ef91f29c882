import type { Rule } from "./_rule.ts";

export const expiry: readonly Rule[] = [];
